"""A run of the tests counts those that use a real server, and fails if one that is there is not used."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.places import ROOT
from tests.support.server_use import ServerUse


def test_tests_are_counted_by_server() -> None:
    use = ServerUse()
    for outcome in ("passed", "passed", "failed"):
        use.count(outcome, ["postgresql"])
    use.count("passed", [])
    use.count("skipped", ["kafka"])
    assert use.summary() == "servers: kafka missing, 1 tests skipped; postgresql 2 tests"
    assert use.unused() == []


def test_a_server_that_is_there_must_be_used_by_a_test_and_skipped_by_none() -> None:
    use = ServerUse(["kafka", "postgresql"])
    use.count("passed", ["postgresql"])
    assert use.unused() == ["kafka"]
    use.count("passed", ["kafka"])
    assert use.unused() == []
    use.count("skipped", ["kafka"])
    assert use.unused() == ["kafka"]


def run_kafka_tests(folder: Path, installed: str) -> "subprocess.CompletedProcess[str]":
    """Runs the tests of the Kafka sink in two processes on a machine that has no broker."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "tests/sinks/test_kafka_sink.py"],
        cwd=ROOT,
        env=os.environ | {"NEWSBEAM_TEST_SERVERS": installed, "NEWSBEAM_TEST_KAFKA": str(folder)},
        capture_output=True,
        text=True,
    )


def test_the_last_line_of_a_run_says_what_was_skipped_for_want_of_a_server(tmp_path: Path) -> None:
    done = run_kafka_tests(tmp_path, "")
    assert done.returncode == 0, done.stdout
    assert "kafka missing, " in done.stdout.splitlines()[-1]


def test_a_run_that_leaves_an_installed_server_unused_fails(tmp_path: Path) -> None:
    done = run_kafka_tests(tmp_path, "kafka")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Installed and not used by any test: kafka"
