"""Dashboard and alerts ask for metrics that a run serves, and say what they mean."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector

from newsbeam.pipeline.metrics.metrics_server import RunCollector
from newsbeam.pipeline.runners.running_metrics import Totals
from newsbeam.transforms.ledger.units import Ledger
from tests.support.places import ROOT

DASHBOARD = ROOT / "deploy/grafana/newsbeam.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
SUFFIXES = {"counter": ("_total",), "summary": ("", "_count", "_sum"), "gauge": ("",)}
OF_PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate"}}
OF_EVERY_TARGET = {"job", "instance"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of all series that a run may serve, with their labels."""
    folder = tmp_path_factory.mktemp("run")
    Ledger(f"{folder}/ledger.db").create()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(RunCollector(Totals, f"{folder}/ledger.db", f"{folder}/spool.db"))
    names = dict(OF_PROMETHEUS)
    for family in registry.collect():
        labels = set(getattr(family, "_labelnames", ())) | OF_EVERY_TARGET
        for suffix in SUFFIXES[family.type]:
            names[family.name + suffix] = labels | ({"quantile"} if family.type == "summary" and not suffix else set())
    return names


def series(expression: str) -> dict[str, set[str]]:
    """The metrics of an expression, each with the labels that select from it."""
    asked: dict[str, set[str]] = {}
    for name, selector in re.findall(r"\b((?:newsbeam|process)_\w+|up|ALERTS)\b(\{[^}]*\})?", expression):
        asked.setdefault(name, set()).update(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
    return asked


def grouped_by(expression: str) -> set[str]:
    lists = re.findall(r"\b(?:by|without|ignoring|on)\s*\(([^)]*)\)", expression)
    return {label.strip() for labels in lists for label in labels.split(",")}


def unknown(expression: str, served: dict[str, set[str]]) -> list[str]:
    """What is asked for and not served: metrics, or labels of metrics."""
    asked = series(expression)
    assert asked, f"no metric of newsbeam in {expression!r}"
    wrong = [name for name in asked if name not in served]
    wrong += [f"{name}{{{label}}}" for name in asked for label in asked[name] - served.get(name, set())]
    anywhere = set().union(*(served.get(name, set()) for name in asked))
    return wrong + [f"by ({label})" for label in grouped_by(expression) - anywhere]


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text("utf-8"))["panels"])


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_every_panel_asks_for_metrics_that_there_are(panel: dict[str, Any], served: dict[str, set[str]]) -> None:
    assert panel["targets"]
    for target in panel["targets"]:
        assert unknown(target["expr"], served) == []
        legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert legend <= set().union(*(served[name] for name in series(target["expr"])))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_asks_for_metrics_that_there_are(rule: dict[str, Any], served: dict[str, set[str]]) -> None:
    assert unknown(rule["expr"], served) == []
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")


def test_every_metric_of_newsbeam_is_on_the_dashboard(served: dict[str, set[str]]) -> None:
    shown = set().union(*(series(target["expr"]) for panel in panels() for target in panel["targets"]))
    families = {re.sub(r"_(total|count|sum)$", "", name) for name in served if name.startswith("newsbeam_")}
    assert families - {re.sub(r"_(total|count|sum)$", "", name) for name in shown} == set()


def test_what_is_not_served_is_found(served: dict[str, set[str]]) -> None:
    assert unknown("rate(newsbeam_polls[5m])", served) == ["newsbeam_polls"]
    assert unknown('newsbeam_feeds{kind="failing"}', served) == ["newsbeam_feeds{kind}"]
    assert unknown("sum by (feed) (newsbeam_feeds)", served) == ["by (feed)"]


def test_panels_neither_overlap_nor_leave_the_grid() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24, panel["title"]
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_every_alert_is_explained_in_the_documentation() -> None:
    text = (ROOT / "docs/running.md").read_text("utf-8")
    assert {rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in text} == set()


def test_alerts_fire_for_what_they_are_for(tmp_path: Path) -> None:
    """Prometheus' own checks, where its promtool is installed (Debian's package `prometheus`)."""
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool is not installed")
    for command in (["check", "config", "prometheus.yaml"], ["test", "rules", "alerts_test.yaml"]):
        done = subprocess.run([promtool, *command], cwd=ALERTS.parent, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_in_which_it_is_silent_and_one_in_which_it_fires() -> None:
    well, wrong = yaml.safe_load((ALERTS.parent / "alerts_test.yaml").read_text("utf-8"))["tests"]
    assert {case["alertname"] for case in well["alert_rule_test"]} == {rule["alert"] for rule in rules()}
    (firing,) = wrong["promql_expr_test"]
    assert firing["exp_samples"][0]["value"] == len(rules())
