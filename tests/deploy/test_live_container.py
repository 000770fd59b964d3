"""The container of `newsbeam live`: its recipe, its health check, and a run on a read-only root."""

import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from newsbeam.pipeline.cli.main import main
from newsbeam.pipeline.metrics.metrics_server import serve_metrics
from newsbeam.pipeline.runners.running_metrics import Totals
from scripts.press.publishing import PressPlan
from scripts.press.site import Temper
from tests.support.declared import extras
from tests.support.live_pipeline import newsroom
from tests.support.places import ROOT
from tests.support.sinks_servers import free_port

LIVE = ROOT / "deploy/live"
HEALTH = LIVE / "health.py"
COMPOSE = ROOT / "deploy/compose.yaml"


def recipe() -> str:
    """The Dockerfile with each instruction on one line."""
    return (LIVE / "Dockerfile").read_text("utf-8").replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", recipe(), re.MULTILINE)


def test_the_image_is_built_from_what_its_recipe_copies(tmp_path: Path) -> None:
    """The recipe's own steps, without Docker, in an empty folder: what it copies is packed and imported."""
    source, built = tmp_path / "source", tmp_path / "built"
    source.mkdir()
    for names in instructions("COPY"):
        *copied, target = names.split()
        for name in copied:
            if name.startswith("--from") or target.startswith("/opt"):
                continue
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif (ROOT / name).is_file():
                shutil.copy(ROOT / name, source)
    packed = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_py", "-d", str(built)], cwd=source, capture_output=True, text=True
    )
    assert packed.returncode == 0, packed.stderr[-2000:]
    (tried,) = re.findall(r'python -c "([^"]+)"', recipe())
    done = subprocess.run(
        [sys.executable, "-c", tried], cwd=tmp_path, env={"PYTHONPATH": str(built)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (installed,) = re.findall(r"\"\.\[([a-z,]+)\]\"", recipe())
    assert set(installed.split(",")) <= set(extras())


def test_what_recipes_copy_is_not_ignored() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in lines
    let_in = [line[1:] for line in lines if line.startswith("!")]
    for file in (LIVE / "Dockerfile", ROOT / "deploy/Dockerfile"):
        for names in re.findall(r"^COPY (?!--from)(.+)$", file.read_text("utf-8"), re.MULTILINE):
            for name in names.split()[:-1]:
                assert any(fnmatch(name, pattern) for pattern in let_in), f"{file.name} copies {name}"
    for name in let_in:
        assert (ROOT / name).exists(), f".dockerignore lets in {name}, which is not there"


def test_the_image_runs_as_a_user_without_rights_and_writes_to_its_folder_alone() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("VOLUME") == ["/data"]
    assert recipe().index("USER 10001") < recipe().index("ENTRYPOINT")
    assert "ADD " not in recipe(), "what is fetched while an image is built is not locked"
    assert all("--constraint constraints.txt" in line for line in instructions("RUN") if "pip install" in line)


def test_the_command_of_the_image_is_one_that_newsbeam_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry, command = (json.loads(instructions(name)[0]) for name in ("ENTRYPOINT", "CMD"))
    assert entry[:2] == ["newsbeam", "live"]
    config = tmp_path / "live.yaml"
    config.write_text("contact: 5\n")
    arguments = [str(config) if word == "/etc/newsbeam/live.yaml" else word for word in entry[1:] + command]
    assert main(arguments) == 2, "the arguments are understood; the configuration has a mistake"
    assert "contact" in capsys.readouterr().err


def test_of_the_example_configuration_only_the_contact_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["live", "--config", str(LIVE / "live.yaml")]) == 2
    _, mistake = capsys.readouterr().err.strip().splitlines()
    assert mistake.strip().startswith("contact: ")


def test_the_example_configuration_writes_to_the_volume_and_lets_prometheus_in() -> None:
    settings = yaml.safe_load((LIVE / "live.yaml").read_text("utf-8"))
    assert settings["metrics_host"] == "0.0.0.0"  # noqa: S104 - inside the network of the compose file
    assert settings["spool"].startswith("/data/")
    assert settings["sources"]


def check_health(url: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, str(HEALTH), url], capture_output=True, text=True, timeout=30)


def test_a_run_that_polls_is_healthy(tmp_path: Path) -> None:
    totals, port = Totals(), free_port()
    with serve_metrics(lambda: totals, "127.0.0.1", port, "", ""):
        url = f"http://127.0.0.1:{port}/metrics"
        asked = check_health(url)
        assert (asked.returncode, asked.stdout) == (1, "no feed has been polled yet\n")
        totals.counters["discover", "polls"] += 1
        asked = check_health(url)
        assert (asked.returncode, asked.stdout) == (0, "healthy\n")
    asked = check_health(url)
    assert asked.returncode == 1
    assert "does not answer" in asked.stdout


def can_make_the_root_read_only() -> bool:
    tried = "mount --make-rprivate / && mount -o remount,bind,ro /"
    return (
        os.geteuid() == 0
        and shutil.which("unshare") is not None
        and subprocess.run(["unshare", "-m", "sh", "-c", tried], capture_output=True).returncode == 0
    )


READ_ONLY = """
set -e
mount --make-rprivate /
mkdir "$DATA/tmp"
mount --bind "$DATA" "$DATA"
mount -o remount,bind,ro /
if touch "$CLONE/written" 2>/dev/null || touch /usr/written 2>/dev/null; then echo "not read-only" >&2; exit 99; fi
cd "$DATA"
exec "$PYTHON" -m newsbeam live --config live.json --ledger "$DATA/ledger.db" --to "sqlite:$DATA/news.db" --for 6s
"""


@pytest.mark.skipif(not can_make_the_root_read_only(), reason="needs root and a mount namespace of its own")
def test_a_live_run_writes_nothing_outside_its_folder_and_tmp() -> None:
    plan = PressPlan(
        feeds=2, hosts=1, stories_per_s=20.0, lasting=10, edited=0.0, edit_after_s=9.0, reprint_after_s=9.0
    )
    folder = Path("/var/tmp/newsbeam-read-only-test")  # noqa: S108 - its own, whatever TMPDIR is
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with newsroom(plan, Temper(slow=0.0, broken=0.0, flaky=0.0)) as site:
        settings = {
            "contact": "https://example.org/",
            "sources": [{"url": site.press.feed_url(feed)} for feed in range(2)],
            "tick_s": 0.5,
            "shards": 2,
            "addresses": {"allow": ["127.0.0.0/8"], "hosts": [[".newsroom.test", "127.0.0.1"]]},
            "schedule": {"min_interval_s": 1, "default_interval_s": 1, "max_interval_s": 2},
            "fetch": {"per_address": 64, "min_delay_s": 0.02},
        }
        (folder / "live.json").write_text(json.dumps(settings))
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", READ_ONLY],
            env=os.environ
            | {"DATA": str(folder), "CLONE": str(ROOT), "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
            | {"HOME": str(folder), "TMPDIR": str(folder / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert re.search(r"story [1-9]", done.stdout), done.stdout
    shutil.rmtree(folder)


def test_the_compose_file_hardens_every_service_and_opens_nothing_to_other_machines() -> None:
    services = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    assert set(services) == {"newsbeam", "postgres", "prometheus", "grafana"}
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert ":latest" not in service["image"] or name == "newsbeam"
    assert services["newsbeam"]["read_only"]
    assert services["postgres"]["networks"] == ["inside"]


def test_the_compose_file_mounts_files_that_are_there() -> None:
    composed = yaml.safe_load(COMPOSE.read_text("utf-8"))
    for name, service in composed["services"].items():
        for volume in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", volume).split(":")[0]
            if source == "./my-live.yaml":
                continue  # the user's copy of deploy/live/live.yaml
            there = (COMPOSE.parent / source).exists() if source.startswith(".") else source in composed["volumes"]
            assert there, f"{name} mounts {source}"
    targets = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text("utf-8"))["scrape_configs"]
    assert targets[0]["static_configs"][0]["targets"] == ["newsbeam:9100"]


def test_images_can_be_pinned_by_their_digests(tmp_path: Path) -> None:
    digest = f"sha256:{'a1' * 32}"
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/pin_images.sh", tmp_path / "scripts")
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(f"#!/bin/sh\necho {digest}\n")
    docker.chmod(0o755)
    environment = os.environ | {"PATH": f"{docker.parent}:{os.environ['PATH']}"}

    def pin(*arguments: str) -> int:
        command = [str(tmp_path / "scripts/pin_images.sh"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True).returncode

    assert pin() == 0
    assert pin("--check") == 0
    assert f"ARG BASE=python:3.11-slim-bookworm@{digest}\n" in (tmp_path / "deploy/live/Dockerfile").read_text()
    composed = yaml.safe_load((tmp_path / "deploy/compose.yaml").read_text())["services"]
    assert composed["postgres"]["image"] == f"postgres:17-bookworm@{digest}"
    assert composed["newsbeam"]["image"] == "newsbeam:latest"
