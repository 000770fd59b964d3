"""The job graph: the same from build to build, so that a running job can be updated, and free of this machine."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SINKS = ("jsonl:/srv/newsbeam/out/",)
CLOUD = (*SINKS, "pubsub://project/news", "bigquery://project/news")


@cache
def built(sinks: tuple[str, ...], hash_seed: str) -> dict[str, dict[str, object]]:
    """The graph as another process builds it."""
    done = subprocess.run(
        [sys.executable, "tests/engines_graph.py", *sinks],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    loaded: dict[str, dict[str, object]] = json.loads(done.stdout)
    return loaded


@pytest.mark.parametrize("sinks", [SINKS, CLOUD], ids=["files", "cloud"])
def test_two_builds_have_the_same_names_and_coders(sinks: tuple[str, ...]) -> None:
    if sinks == CLOUD:
        pytest.importorskip("google.cloud.bigquery", reason="pip install newsbeam[gcp]")
    one, other = built(sinks, "1"), built(sinks, "2")
    assert one["steps"] == other["steps"]
    assert len(one["steps"]) > 20


def test_no_name_depends_on_a_line_of_the_source() -> None:
    """An unlabelled `Map(lambda)` is named after its file and line: the next edit would break an update."""
    suspect = re.compile(r"lambda|\.py:\d+|0x[0-9a-f]{6}")
    named_by_line = [name for name in built(SINKS, "1")["steps"] if suspect.search(name)]
    assert [name for name in named_by_line if "core.py" not in name] == []  # what is within Beam's own Create


def test_records_travel_by_their_own_coder() -> None:
    """Bytes that any version of the code can read: a pickled record would need the code that wrote it."""
    steps = built(SINKS, "1")["steps"]
    own = "transforms.record_coder"
    for name in ("Read/Read", "Clean/In sandbox/Apply", "Duplicates", "Write/Dead letters of write"):
        assert own in json.dumps(steps[name]), name


def test_nothing_in_the_graph_needs_the_submitting_machine() -> None:
    payloads = "\n".join(str(payload) for payload in built(SINKS, "1")["payloads"])
    for place in (str(ROOT), str(Path.home()), "/tmp/"):  # noqa: S108
        assert place not in payloads, payloads[max(0, payloads.find(place) - 200) :][:400]
