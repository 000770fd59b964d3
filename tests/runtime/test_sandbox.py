"""The sandbox: a bad call costs only itself, on time, and nothing is left behind."""

import gc
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

import pytest

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.runtime.sandbox.nursery import Worker
from newsbeam.transforms.runtime.sandbox.sandbox import RemoteError, Sandbox, SandboxError
from tests.support import sandbox_functions
from tests.support.places import ROOT
from tests.support.sandbox_functions import behave, fail_to_warm_up


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox[tuple[str, object], object]]:
    with Sandbox(
        behave,
        workers=1,
        seconds=0.5,
        wall_seconds=3,
        memory_mb=256,
        result_mb=4,
        queue=100,
        warm_up=("import", None),
    ) as opened:
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


def test_a_call_may_be_given_less_or_more_time(sandbox: Sandbox[tuple[str, object], object]) -> None:
    with pytest.raises(Rejected, match=r"more than the 0\.1 s of CPU"):
        sandbox.submit(("loop", None), seconds=0.1).result(20)
    with pytest.raises(Rejected, match=r"more than the 0\.6 s of CPU"):
        sandbox.submit(("loop", None), seconds=0.6).result(20)
    assert sandbox(("echo", 1)) == 1


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


def test_the_last_answer_of_a_worker_that_leaves_counts(sandbox: Sandbox[tuple[str, object], object]) -> None:
    calls = [(sandbox.submit(("memory", None)), sandbox.submit(("echo", number))) for number in range(20)]
    for number, (exhausting, behind) in enumerate(calls):
        with pytest.raises(Rejected, match="256 MB"):
            exhausting.result(20)
        assert behind.result(20) == number


def test_a_worker_killed_while_idle_is_replaced_without_a_loss(
    sandbox: Sandbox[tuple[str, object], object],
) -> None:
    pid = sandbox(("pid", None))
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)
    assert sandbox(("echo", "well")) == "well"


def _announced(path: Path, count: int) -> list[int]:
    """The process ids in `path`, once there are `count`."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        pids = path.read_text().split() if path.exists() else []
        if len(pids) >= count:
            return [int(pid) for pid in pids]
        time.sleep(0.01)
    raise AssertionError(f"fewer than {count} calls began")


def _gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # whoever adopted it has not looked yet
        except OSError:
            return True
        time.sleep(0.01)
    return False


def _children(of: int = 0) -> list[int]:
    listed = subprocess.run(
        ["ps", "--ppid", str(of or os.getpid()), "-o", "pid=,comm="], capture_output=True, text=True
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if not line.endswith("ps")]


def test_no_call_lies_ready_behind_a_long_one_while_another_worker_is_idle(tmp_path: Path) -> None:
    with Sandbox(behave, seconds=20, wall_seconds=60, memory_mb=256, workers=2) as sandbox:
        sandbox.submit(("sleep", tmp_path / "pids"))
        _announced(tmp_path / "pids", 1)
        assert [sandbox.submit(("echo", n)).result(20) for n in range(4)] == [0, 1, 2, 3]


def test_a_call_over_which_one_worker_after_the_other_is_killed_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsbeam.transforms.runtime.sandbox.sandbox.MOST_TRIES", 2)
    with Sandbox(behave, seconds=20, wall_seconds=60, memory_mb=256) as sandbox:
        future = sandbox.submit(("sleep", tmp_path / "pids"))
        os.kill(_announced(tmp_path / "pids", 1)[0], signal.SIGKILL)
        os.kill(_announced(tmp_path / "pids", 2)[1], signal.SIGKILL)
        with pytest.raises(Rejected, match="SIGKILL") as caught:
            future.result(20)
        assert caught.value.reason == "crashed"


def test_the_interpreter_that_forks_workers_may_die_too(tmp_path: Path) -> None:
    others = set(_children())
    with Sandbox(behave, seconds=20, wall_seconds=60, memory_mb=256) as sandbox:
        assert sandbox(("echo", 1)) == 1
        (nursery,) = set(_children()) - others
        os.kill(nursery, signal.SIGKILL)
        assert sandbox(("echo", 2)) == 2


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_no_call_is_lost_to_random_kills_of_workers_and_of_their_parent(workers: int) -> None:
    kills = int(os.environ.get("NEWSBEAM_KILLS", "20"))  # 200 for a night
    chance = random.Random(workers)
    others = set(_children())
    with Sandbox(behave, workers=workers, seconds=20, wall_seconds=60, memory_mb=256, queue=100_000) as sandbox:
        futures: list[Future[object]] = []
        while kills:
            futures += [sandbox.submit(("busy", len(futures) + n)) for n in range(4 * workers)]
            futures[-1].result(60)  # so that there are workers to kill
            futures += [sandbox.submit(("busy", len(futures) + n)) for n in range(4 * workers)]
            nurseries = set(_children()) - others
            living = [*nurseries, *(child for nursery in nurseries for child in _children(nursery))]
            with suppress(ProcessLookupError):
                os.kill(chance.choice(living), signal.SIGKILL)
                kills -= 1
        assert [future.result(60) for future in futures] == list(range(len(futures)))


def test_a_nursery_does_not_touch_a_process_that_it_did_not_fork() -> None:
    with Sandbox(behave, seconds=20, wall_seconds=60, memory_mb=256) as sandbox:
        assert sandbox(("echo", 1)) == 1
        bystander = subprocess.Popen(["sleep", "60"])
        try:
            stranger = Worker(sandbox._nursery._generation, socket.socketpair()[0], ())
            stranger.pid = bystander.pid
            assert sandbox._nursery.reap(stranger) is None
            assert bystander.poll() is None
            assert sandbox(("echo", 2)) == 2, "and does not die of it"
        finally:
            bystander.kill()
            bystander.wait()


def test_nothing_outlives_a_close(tmp_path: Path) -> None:
    others = set(_children())
    sandbox = Sandbox(behave, workers=2, seconds=20, wall_seconds=60, memory_mb=256)
    busy = sandbox.submit(("sleep", tmp_path / "pids"))
    assert sandbox(("echo", 1)) == 1
    (worker,) = _announced(tmp_path / "pids", 1)
    waiting = [sandbox.submit(("sleep", None)) for _ in range(3)]
    sandbox.close()
    for future in (busy, *waiting):
        with pytest.raises(SandboxError):
            future.result(20)
    assert _gone(worker)
    assert set(_children()) <= others  # one of them may have ended meanwhile
    with pytest.raises(SandboxError):
        sandbox.submit(("echo", 1))


def test_a_sandbox_that_nobody_holds_closes_itself() -> None:
    others = set(_children())
    sandbox = Sandbox(behave, seconds=20, memory_mb=256)
    assert sandbox(("echo", 1)) == 1
    del sandbox
    gc.collect()
    assert set(_children()) <= others  # one of them may have ended meanwhile


PARENT = """
import sys
from tests.support.sandbox_functions import behave
from newsbeam.transforms.runtime.sandbox.sandbox import Sandbox
sandbox = Sandbox(behave, workers=2, seconds=60, memory_mb=256)
idle = sandbox(("pid", None))
sandbox.submit(("loop in C", None))
sandbox.submit(("sleep", sys.argv[1]))
print(idle, flush=True)
input()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    path = os.pathsep.join([str(ROOT)])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "pids")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout is not None
    idle = int(parent.stdout.readline())
    (sleeper,) = _announced(tmp_path / "pids", 1)
    nursery = int(Path(f"/proc/{idle}/stat").read_text().rpartition(")")[2].split()[1])
    parent.send_signal(how)
    parent.wait(20)
    assert all(_gone(pid) for pid in (nursery, idle, sleeper))


def test_ctrl_c_is_the_parents_to_handle() -> None:
    others = set(_children())
    with Sandbox(behave, seconds=20, memory_mb=256) as sandbox:
        worker = sandbox(("pid", None))
        assert isinstance(worker, int)
        (nursery,) = set(_children()) - others
        for pid in (worker, nursery):
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGTERM)
        assert sandbox(("pid", None)) == worker


def test_submitting_waits_while_the_queue_is_full(tmp_path: Path) -> None:
    with Sandbox(behave, seconds=20, wall_seconds=60, memory_mb=256, queue=2) as sandbox:
        sandbox.submit(("sleep", tmp_path / "pids"))
        _announced(tmp_path / "pids", 1)
        for n in range(2):
            sandbox.submit(("echo", n))
        third = threading.Thread(target=lambda: sandbox.submit(("echo", 2)), daemon=True)
        third.start()
        third.join(0.2)
        assert third.is_alive()
        os.kill(_announced(tmp_path / "pids", 1)[0], signal.SIGKILL)
        os.kill(_announced(tmp_path / "pids", 2)[1], signal.SIGKILL)
        third.join(20)
        assert not third.is_alive()


def test_many_threads_share_a_sandbox() -> None:
    with Sandbox(behave, workers=2, seconds=20, memory_mb=256, queue=4) as sandbox:
        results: dict[int, object] = {}

        def work(number: int) -> None:
            results[number] = [sandbox(("echo", (number, n))) for n in range(50)]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert results == {number: [(number, n) for n in range(50)] for number in range(6)}


def test_a_cancelled_call_is_not_made(tmp_path: Path) -> None:
    with Sandbox(behave, seconds=20, wall_seconds=60, memory_mb=256) as sandbox:
        sandbox.submit(("sleep", tmp_path / "pids"))
        waiting = sandbox.submit(("sleep", tmp_path / "never"))
        assert waiting.cancel()
    assert not (tmp_path / "never").exists()


def test_what_is_warmed_up_is_there_for_every_worker() -> None:
    with Sandbox(behave, seconds=20, memory_mb=256, warm_up=("warm up", "model")) as sandbox:
        assert sandbox(("warmed up", None)) == ("model",)


def test_a_set_of_words_has_one_order_in_every_sandbox() -> None:
    orders = set()
    for _ in range(2):
        with Sandbox(behave, seconds=20, memory_mb=256) as sandbox:
            orders.add(sandbox(("set order", None)))
    assert len(orders) == 1


def test_a_function_that_no_worker_can_have_is_the_sandboxs_error() -> None:
    with (
        Sandbox(sandbox_functions.fail_to_warm_up, seconds=1, memory_mb=256, warm_up=("",)) as sandbox,
        pytest.raises(SandboxError, match="no model file"),
    ):
        sandbox(("echo",))


def test_a_function_of_main_is_refused_at_once() -> None:
    def local(_: object) -> None: ...

    local.__module__ = "__main__"
    with pytest.raises(ValueError, match="move it to a module"):
        Sandbox(local, seconds=1, memory_mb=256)


def test_what_a_function_prints_does_not_reach_the_pipelines_output(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox(behave, seconds=20, memory_mb=256) as sandbox:
        assert sandbox(("print", "noise")) == "noise"
    assert capfd.readouterr().out == ""


def test_a_prepared_sandbox_says_at_the_first_call_what_hinders_it() -> None:
    with Sandbox(fail_to_warm_up, seconds=5, memory_mb=300, warm_up=("warm",)) as sandbox:
        sandbox.prepare()
        with pytest.raises(SandboxError, match="no model file"):
            sandbox(("echo", 1))


def test_a_prepared_sandbox_has_loaded_before_the_first_call() -> None:
    with Sandbox(behave, seconds=5, memory_mb=300, warm_up=("import", None)) as sandbox:
        sandbox.prepare()
        while sandbox._nursery._control is None:
            threading.Event().wait(0.01)
        assert sandbox(("echo", 1)) == 1
