"""Runs a function on hostile input in processes that can be killed, so that one bad page costs only itself.

`Sandbox` is a small pool of workers for one importable function. Each call has hard limits of CPU time, wall time and
memory, kept by the kernel. A call that breaks one becomes `Rejected` in its future; the calls behind it are unharmed.

Why not a library: `concurrent.futures` and `loky` cannot kill one call; `pebble` can, but its workers share one pipe,
so that (5.2.3) an exception that does not unpickle, or an idle worker that is killed, ends the whole pool, and each new
worker imports everything again. `multiprocessing` starts by importing the parent's `__main__`, which may be anything on
a Beam worker. Here each worker has a socket of its own, and is forked (a few ms) from a clean, single-threaded
interpreter that has imported the function already.
"""

import importlib.util
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from transforms import sandbox_worker
from transforms.rejected import Rejected
from transforms.sandbox_worker import FORK, PID, REAP, SECONDS, Hangup, Limits, Order, Reply

A = TypeVar("A")
R = TypeVar("R")

_START_SECONDS = 120.0
"""For the imports of the function; generous, for a laptop that is busy with something else."""
_GRACE_SECONDS = 5.0
"""After the wall limit, for a worker that the kernel should have killed by then."""


class SandboxError(RuntimeError):
    """The sandbox itself cannot work (the function cannot be imported, no process can be started).

    Not the fault of any one argument: a bundle should fail with it, and be tried again, not make dead letters.
    """


class RemoteError(Exception):
    """The cause of an exception raised in a worker: `place` says where (`file.py:123`)."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(f"{message} ({place})" if place else message)
        self.message = message
        self.place = place


class Sandbox(Generic[A, R]):
    """Reusable processes for calls of `function`, each under hard limits.

    Args:
        function: importable (not of `__main__`, no lambda), or a picklable callable made of such; of one argument.
        workers: processes at most; they start when first needed.
        seconds: CPU time of one call. The limit that decides, since it does not depend on what else the machine does.
        wall_seconds: wall time of one call, for one that waits instead of working. Unless given it is ten times
            `seconds` and half a minute: a busy machine must not decide what becomes of a document.
        memory_mb: resident memory of a worker at most, imports included.
        result_mb: size of a pickled result at most.
        queue: calls that may wait; `submit` blocks while there are more.
        warm_up: an argument to call the function with once, before workers are forked, so that what it loads at its
            first call is loaded once, and outside any limit. It must be harmless.
    """

    def __init__(
        self,
        function: Callable[[A], R],
        *,
        workers: int = 1,
        seconds: float,
        wall_seconds: float | None = None,
        memory_mb: int,
        result_mb: int = 64,
        queue: int = 64,
        warm_up: A | None = None,
    ) -> None:
        if getattr(function, "__module__", None) == "__main__":
            raise ValueError(f"{function!r} is defined in __main__, where no worker can import it: move it to a module")
        limits = Limits(memory_mb, result_mb)
        self._seconds = seconds, wall_seconds or _wall(seconds)
        order = Order(
            path=tuple(os.path.abspath(place) for place in sys.path),  # noqa: PTH100 - "" is the working directory
            function=pickle.dumps(function),
            warm_up=None if warm_up is None else pickle.dumps(warm_up),
            limits=limits,
        )
        self._nursery = _Nursery(order)
        self._calls = _Calls(queue)
        self._close = weakref.finalize(self, _close, self._calls, self._nursery)
        self._threads = [
            threading.Thread(target=_attend, args=(self._calls, self._nursery, limits), name="sandbox", daemon=True)
            for _ in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, argument: A, seconds: float | None = None) -> "Future[R]":
        """Queues a call, and blocks while the queue is full.

        `seconds` of CPU time for this call instead of the sandbox's own; its wall time follows from them.

        The future raises what the function raised (with a `RemoteError` as its cause), or `Rejected` with the reason
        `timeout`, `memory`, `crashed`, `result_too_large` or `error` (what was raised cannot be pickled), or
        `SandboxError`. Cancelling it works until the call has begun.
        """
        cpu, wall = (seconds, _wall(seconds)) if seconds is not None else self._seconds
        return self._calls.put(pickle.dumps(argument, pickle.HIGHEST_PROTOCOL), cpu, wall)

    def __call__(self, argument: A) -> R:
        """One call, waited for."""
        return self.submit(argument).result()

    def close(self) -> None:
        """Kills the workers, and cancels what waits. Happens by itself when the sandbox is no longer referenced."""
        self._close()
        for thread in self._threads:
            thread.join(_GRACE_SECONDS)

    def __enter__(self) -> "Sandbox[A, R]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _wall(cpu_seconds: float) -> float:
    return 10 * cpu_seconds + 30


def _close(calls: "_Calls", nursery: "_Nursery") -> None:
    calls.close()
    nursery.close()


@dataclass(frozen=True)
class _Call:
    argument: bytes
    cpu_seconds: float
    wall_seconds: float
    future: "Future[Any]"


class _Calls:
    """The bounded queue of calls."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[_Call] = deque()
        self._changed = threading.Condition()
        self.closed = False

    def put(self, argument: bytes, cpu_seconds: float, wall_seconds: float) -> "Future[Any]":
        future: Future[Any] = Future()
        with self._changed:
            self._changed.wait_for(lambda: self.closed or len(self._waiting) < self._limit)
            if self.closed:
                raise SandboxError("the sandbox is closed")
            self._waiting.append(_Call(argument, cpu_seconds, wall_seconds, future))
            self._changed.notify_all()
        return future

    def take(self) -> _Call | None:
        """The next call, begun; None when the sandbox is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self.closed or self._waiting)
                if self.closed:
                    return None
                call = self._waiting.popleft()
                self._changed.notify_all()
            if call.future.set_running_or_notify_cancel():
                return call

    def close(self) -> None:
        with self._changed:
            self.closed = True
            left = list(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        for call in left:
            if call.future.set_running_or_notify_cancel():
                call.future.set_exception(SandboxError("the sandbox was closed before the call began"))


@dataclass(frozen=True)
class _Worker:
    pid: int
    tasks: socket.socket


class _Nursery:
    """The parent's hold on the interpreter that forks workers; started again if it dies."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._closed = False

    def fork(self) -> _Worker:
        """A new worker. Raises `SandboxError` if none can be had."""
        with self._lock:
            for last in (False, True):
                control = self._running()
                ours, theirs = socket.socketpair()
                try:
                    socket.send_fds(control, [FORK], [theirs.fileno()])
                    (pid,) = PID.unpack(sandbox_worker.receive_exactly(control, PID.size))
                    return _Worker(pid, ours)
                except (OSError, Hangup) as error:
                    ours.close()
                    self._stop()
                    if last:
                        raise SandboxError("the process that forks the sandbox's workers dies at once") from error
                finally:
                    theirs.close()
        raise AssertionError("unreachable")

    def reap(self, worker: _Worker) -> int | None:
        """Kills `worker` if it lives; its exit code (negative: the signal), None if it is not to be known."""
        worker.tasks.close()
        with self._lock:
            if self._control is None:
                return None
            try:
                self._control.sendall(REAP + PID.pack(worker.pid))
                (code,) = PID.unpack(sandbox_worker.receive_exactly(self._control, PID.size))
            except (OSError, Hangup):
                self._stop()
                return None
        return int(code)

    def close(self) -> None:
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()  # takes the workers along, and so wakes whoever waits for one, even with the lock held
        with self._lock:
            self._stop()

    def _running(self) -> socket.socket:
        if self._closed:
            raise SandboxError("the sandbox is closed")
        if self._control is None:
            self._start()
        assert self._control is not None  # noqa: S101 - for mypy
        return self._control

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        specification = importlib.util.find_spec("transforms.sandbox_worker")
        assert specification is not None  # noqa: S101 - for mypy
        program = (
            f"import sys; sys.path[:] = {json.dumps(self._order.path)}; "
            f"from transforms.sandbox_worker import nurse; nurse({theirs.fileno()})"
        )
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "0",  # a set of words has the same order in every worker
            "OMP_NUM_THREADS": "1",  # threads do not survive a fork
            "OPENBLAS_NUM_THREADS": "1",
        }
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=environment,
            )
        ours.settimeout(_START_SECONDS)
        try:
            sandbox_worker.send_frame(ours, pickle.dumps(self._order))
            trouble = bytes(sandbox_worker.receive_frame(ours)).decode()
        except (OSError, Hangup) as error:
            ours.close()
            self._stop()
            raise SandboxError("the process that forks the sandbox's workers does not start") from error
        if trouble:
            ours.close()
            self._stop()
            raise SandboxError(f"the function cannot be imported, or fails to warm up, in a fresh process:\n{trouble}")
        self._control = ours

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _attend(calls: _Calls, nursery: _Nursery, limits: Limits) -> None:
    """One thread a worker: hands it one call after another, and replaces it when it has died."""
    attendant = _Attendant(nursery, limits)
    while (call := calls.take()) is not None:
        try:
            result = attendant.run(call)
        except BaseException as error:
            call.future.set_exception(error)
        else:
            call.future.set_result(result)
        del call
    attendant.dismiss()


class _Attendant:
    def __init__(self, nursery: _Nursery, limits: Limits) -> None:
        self._nursery = nursery
        self._limits = limits
        self._worker: _Worker | None = None

    def run(self, call: _Call) -> Any:
        code = self._try(call)
        if isinstance(code, _Answer):
            return self._read(code)
        if code in (None, -signal.SIGKILL):
            # Nothing a call does to itself: the kernel was out of memory, or someone killed the worker. Once more.
            code = self._try(call)
            if isinstance(code, _Answer):
                return self._read(code)
        raise _rejected(code, call)

    def dismiss(self) -> int | None:
        worker, self._worker = self._worker, None
        return self._nursery.reap(worker) if worker is not None else None

    def _try(self, call: _Call) -> "_Answer | int | None":
        """The answer, or the exit code of the worker that gave none; a worker that was dead before counts as killed."""
        if self._worker is None:
            self._worker = self._nursery.fork()
        tasks = self._worker.tasks
        tasks.settimeout(call.wall_seconds + _GRACE_SECONDS)
        try:
            tasks.sendall(SECONDS.pack(call.cpu_seconds, call.wall_seconds))
            sandbox_worker.send_frame(tasks, call.argument)
            head: Reply = pickle.loads(sandbox_worker.receive_frame(tasks))  # noqa: S301 - from our own worker
            answer = _Answer(head, sandbox_worker.receive_frame(tasks))
        except TimeoutError:
            self.dismiss()
            return -signal.SIGALRM
        except (OSError, Hangup):
            return self.dismiss()
        if head.leaving:
            self.dismiss()
        return answer

    def _read(self, answer: "_Answer") -> Any:
        head = answer.head
        if head.error is not None:
            error: Exception = pickle.loads(head.error)  # noqa: S301 - from our own worker
            raise error from RemoteError(head.message, head.place)
        if head.trouble == "memory":
            raise Rejected("memory", f"needs more than the {self._limits.memory_mb} MB allowed for one document")
        if head.trouble == "result":
            raise Rejected("result_too_large", head.message)
        if head.trouble:
            raise Rejected("error", f"{head.message} ({head.place})" if head.place else head.message)
        return pickle.loads(answer.body)  # noqa: S301 - from our own worker


@dataclass(frozen=True)
class _Answer:
    head: Reply
    body: bytearray


def _rejected(code: int | None, call: _Call) -> Rejected:
    if code == -signal.SIGPROF:
        return Rejected("timeout", f"took more than the {call.cpu_seconds:g} s of CPU allowed for one document")
    if code == -signal.SIGALRM:
        return Rejected("timeout", f"took longer than the {call.wall_seconds:g} s allowed for one document")
    how = "its exit code is not known" if code is None else f"exit code {code}"
    if code is not None and code < 0:
        with suppress(ValueError):
            how = f"killed by {signal.Signals(-code).name}"
    return Rejected("crashed", f"the process that worked on it died ({how})")
