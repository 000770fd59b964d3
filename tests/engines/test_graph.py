"""The job graph: the same from build to build, so that a running job can be updated, and free of this machine."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import ROOT

SINKS = ("jsonl:/srv/newsbeam/out/",)
CLOUD = (*SINKS, "pubsub://project/news", "bigquery://project/news")
COMMANDS = ("replay", "live")


@cache
def built(command: str, sinks: tuple[str, ...], hash_seed: str) -> dict[str, Any]:
    """The graph as another process builds it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.engines_graph", command, *sinks],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("sinks", [SINKS, CLOUD], ids=["files", "cloud"])
def test_two_builds_have_the_same_names_and_coders(command: str, sinks: tuple[str, ...]) -> None:
    if sinks == CLOUD:
        pytest.importorskip("google.cloud.bigquery", reason="pip install newsbeam[gcp]")
    one, other = built(command, sinks, "1"), built(command, sinks, "2")
    assert one["steps"] == other["steps"]
    assert len(one["steps"]) > 20


@pytest.mark.parametrize("command", COMMANDS)
def test_no_name_depends_on_a_line_of_the_source(command: str) -> None:
    """An unlabelled `Map(lambda)` is named after its file and line: the next edit would break an update."""
    suspect = re.compile(r"lambda|\.py:\d+|0x[0-9a-f]{6}")
    named_by_line = [name for name in built(command, SINKS, "1")["steps"] if suspect.search(name)]
    assert [name for name in named_by_line if "core.py" not in name] == []  # what is within Beam's own Create


@pytest.mark.parametrize(
    ("command", "step", "record"),
    [
        ("replay", "Clean/In sandbox/Apply", "Article"),
        ("replay", "Duplicates", "Article"),
        ("replay", "Write/Dead letters of write", "DeadLetter"),
        ("live", "Ticks/Tick", "Tick"),
        ("live", "Discover/Poll", "Discovery"),
        ("live", "Queue 1/Read", "Discovery"),
        ("live", "Fetched and pushed", "Page"),
        ("live", "Write", "Outcome"),
    ],
)
def test_records_travel_by_their_own_coder(command: str, step: str, record: str) -> None:
    """Bytes that any version of the code can read: a pickled record would need the code that wrote it."""
    described = json.dumps(built(command, SINKS, "1")["steps"][step])
    assert "newsbeam.transforms.runtime.record_coder" in described
    assert f".{record}'" in described


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_in_the_graph_needs_the_submitting_machine(command: str) -> None:
    graph = built(command, SINKS, "1")
    payloads = "\n".join(map(str, graph["payloads"]))
    for place in (str(ROOT), str(Path.home()), "/tmp/", sys.prefix):  # noqa: S108
        assert place not in payloads, payloads[max(0, payloads.find(place) - 200) :][:400]
    told = [name for name in graph["artifacts"] if "submission_environment_dependencies.txt" not in name]  # for people
    assert told == [], "the image holds all that a worker needs"
    assert all("newsbeam/worker:1" in image for image in graph["images"])
