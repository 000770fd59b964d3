"""The sandbox: a bad call costs only itself, on time, and nothing is left behind."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
import sandbox_functions
from sandbox_functions import behave

from transforms.dead_letters import Rejected
from transforms.sandbox import RemoteError, Sandbox, SandboxError


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox[tuple[str, object], object]]:
    with Sandbox(behave, workers=1, seconds=0.3, wall_seconds=1.5, memory_mb=256, result_mb=4, queue=100) as opened:
        yield opened


HOSTILE = [
    ("loop", "timeout"),
    ("loop in C", "timeout"),
    ("swallow everything", "timeout"),
    ("sleep", "timeout"),
    ("memory", "memory"),
    ("exit", "crashed"),
    ("segfault", "crashed"),
    ("system exit", "error"),
    ("raise unpicklable", "error"),
    ("raise unreadable", "error"),
    ("unpicklable result", "error"),
]


@pytest.mark.parametrize(("action", "reason"), HOSTILE)
def test_a_bad_call_costs_only_itself(sandbox: Sandbox[tuple[str, object], object], action: str, reason: str) -> None:
    before = [sandbox.submit(("echo", n)) for n in range(3)]
    bad = sandbox.submit((action, None))
    after = [sandbox.submit(("echo", n)) for n in range(3)]
    assert [future.result(20) for future in (*before, *after)] == [0, 1, 2, 0, 1, 2]
    with pytest.raises(Exception) as caught:  # noqa: PT011 - some of these raise what the function raised
        bad.result(20)
    if isinstance(caught.value, Rejected):
        assert caught.value.reason == reason
    else:
        assert reason == "error"


def test_a_result_over_the_limit_is_named_so(sandbox: Sandbox[tuple[str, object], object]) -> None:
    with pytest.raises(Rejected, match="5 MB, 4 MB are allowed") as caught:
        sandbox(("huge result", 5 << 20))
    assert caught.value.reason == "result_too_large"


def test_a_large_result_under_the_limit_comes_whole(sandbox: Sandbox[tuple[str, object], object]) -> None:
    assert sandbox(("huge result", 3 << 20)) == bytes(3 << 20)


def test_what_the_function_raises_comes_back_as_it_is(sandbox: Sandbox[tuple[str, object], object]) -> None:
    with pytest.raises(LookupError, match="no such section") as caught:
        sandbox(("raise", "no such section"))
    cause = caught.value.__cause__
    assert isinstance(cause, RemoteError)
    assert cause.place.startswith("sandbox_functions.py:")
    with pytest.raises(Rejected) as rejected:
        sandbox(("reject", "an HTML page"))
    assert (rejected.value.reason, rejected.value.message) == ("not_a_feed", "an HTML page")


def test_endless_recursion_is_an_error_like_any_other(sandbox: Sandbox[tuple[str, object], object]) -> None:
    with pytest.raises(RecursionError):
        sandbox(("recurse", None))


def test_a_worker_is_used_again(sandbox: Sandbox[tuple[str, object], object]) -> None:
    assert len({sandbox(("pid", None)) for _ in range(5)}) == 1


def test_a_worker_that_has_used_up_memory_is_replaced(sandbox: Sandbox[tuple[str, object], object]) -> None:
    leaked = [sandbox(("leak", 60 << 20)) for _ in range(8)]
    assert len(set(leaked)) > 2


def test_a_worker_killed_while_idle_is_replaced_without_a_loss(
    sandbox: Sandbox[tuple[str, object], object],
) -> None:
    pid = sandbox(("pid", None))
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    assert sandbox(("echo", "well")) == "well"


def test_a_call_whose_worker_is_killed_from_outside_is_tried_once_more() -> None:
    with Sandbox(behave, seconds=20, wall_seconds=60, memory_mb=256) as sandbox:
        first = sandbox(("pid", None))
        future = sandbox.submit(("sleep", None))
        assert isinstance(first, int)
        for _ in range(2):
            os.kill(_busy_worker(sandbox, future), signal.SIGKILL)
        with pytest.raises(Rejected, match="SIGKILL") as caught:
            future.result(20)
        assert caught.value.reason == "crashed"


def _busy_worker(sandbox: Sandbox[tuple[str, object], object], future: "Future[object]") -> int:
    """The only worker, once it sleeps in a call."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not future.done():
        for pid in _descendants(os.getpid()):
            words = Path(f"/proc/{pid}/wchan").read_text() if Path(f"/proc/{pid}/wchan").exists() else ""
            if pid in _grandchildren() and ("nanosleep" in words or words == "0"):
                return pid
        time.sleep(0.05)
    raise AssertionError("no worker sleeps")


def _grandchildren() -> set[int]:
    children = _children(os.getpid())
    return {pid for child in children for pid in _children(child)}


def _children(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def _descendants(parent: int) -> list[int]:
    return [pid for child in _children(parent) for pid in (child, *_descendants(child))]
