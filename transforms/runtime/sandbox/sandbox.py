"""Runs a function on hostile input in processes that can be killed, so that one bad page costs only itself.

`Sandbox` is a small pool of workers for one importable function. Each call has hard limits of CPU time, wall time and
memory, kept by the kernel. A call that breaks one becomes `Rejected` in its future; the calls behind it are unharmed.

Why not a library: `concurrent.futures` and `loky` cannot kill one call; `pebble` can, but its workers share one pipe,
so that (5.2.3) an exception that does not unpickle, or an idle worker that is killed, ends the whole pool, and each new
worker imports everything again. `multiprocessing` starts by importing the parent's `__main__`, which may be anything on
a Beam worker. Here each worker has a socket of its own, and is forked (a few ms) from a clean, single-threaded
interpreter that has imported the function already.

A worker is handed its next call while it works on one, so that it never waits for this process, whose threads may wait
long for the interpreter's lock (measured: 4 to 5 ms a call beside a busy pipeline).
"""

import os
import pickle
import signal
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from newsbeam.transforms.model.errors import NewsbeamError, Rejected
from newsbeam.transforms.runtime.sandbox.nursery import Answer, Nursery, SandboxError, Worker
from newsbeam.transforms.runtime.sandbox.worker import SLOTS, Hangup, Limits, Order

__all__ = ["RemoteError", "Sandbox", "SandboxError"]

A = TypeVar("A")
R = TypeVar("R")

_GRACE_SECONDS = 5.0
"""After the wall limit, for a worker that the kernel should have killed by then."""


class RemoteError(NewsbeamError):
    """The cause of an exception raised in a worker: `place` says where (`file.py:123`)."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(f"{message} ({place})" if place else message)
        self.message = message
        self.place = place


MOST_TRIES = 20
"""After so many workers that were killed over one call it is taken for the cause."""


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
        self._nursery = Nursery(order)
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

    def prepare(self) -> None:
        """Loads what calls need, in the background; what hinders it shows at the first call."""
        threading.Thread(target=self._nursery.prepare, name="sandbox", daemon=True).start()

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


def _close(calls: "_Calls", nursery: "Nursery") -> None:
    calls.close()
    nursery.close()


@dataclass
class _Call:
    argument: bytes
    cpu_seconds: float
    wall_seconds: float
    future: "Future[Any]"
    tries: int = 0


class _Calls:
    """The bounded queue of calls."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[_Call] = deque()
        self._idle = 0
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
        """The next call, begun, once there is one; None when the sandbox is closed."""
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self.closed or self._waiting)
                self._idle -= 1
                if self.closed:
                    return None
                call = self._next()
            if call.future.set_running_or_notify_cancel():
                return call

    def take_ahead(self) -> _Call | None:
        """The next call, begun, for a worker that is busy still; None if there is none but for those who idle."""
        while True:
            with self._changed:
                if len(self._waiting) <= self._idle:
                    return None
                call = self._next()
            if call.future.set_running_or_notify_cancel():
                return call

    def _next(self) -> _Call:
        call = self._waiting.popleft()
        self._changed.notify_all()
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


def _attend(calls: _Calls, nursery: Nursery, limits: Limits) -> None:
    """One thread a worker: hands it one call after another, and replaces it when it has died."""
    _Attendant(calls, nursery, limits).run()


class _Attendant:
    """Keeps one worker busy, and says what became of its calls.

    Only the oldest call that a dead worker had can be the cause; the one that lay ready goes to the next worker.
    """

    def __init__(self, calls: _Calls, nursery: Nursery, limits: Limits) -> None:
        self._calls = calls
        self._nursery = nursery
        self._limits = limits
        self._worker: Worker | None = None
        self._handed: deque[_Call] = deque()

    def run(self) -> None:
        while self._take():
            call = self._handed[0]
            call.tries += 1
            try:
                answer = self._answer(call)
                if answer in (None, -signal.SIGKILL) and call.tries < MOST_TRIES:
                    # Nothing a call does to itself: the kernel was out of memory, or someone killed the worker, or
                    # the nursery and with it all workers.
                    continue
                result = self._read(answer, call)
            except BaseException as error:
                call.future.set_exception(error)
            else:
                call.future.set_result(result)
                del result
            self._handed.popleft()
            del call
        self._dismiss()

    def _take(self) -> bool:
        """Sees to it that there is a call, and one to lie ready behind it. False when the sandbox is closed."""
        if not self._handed:
            call = self._calls.take()
            if call is None:
                return False
            self._handed.append(call)
        if len(self._handed) < SLOTS and (ahead := self._calls.take_ahead()):
            self._handed.append(ahead)
        return True

    def _answer(self, call: _Call) -> Answer | int | None:
        """The answer, or the exit code of the worker that gave none; a worker that was dead before counts as killed."""
        if self._worker is None:
            self._worker = self._nursery.fork()
        worker = self._worker
        try:
            with suppress(ConnectionError):  # it has left, and its last answer, which says why, lies ready
                for unsent in list(self._handed)[worker.unanswered :]:
                    worker.send(unsent.argument, unsent.cpu_seconds, unsent.wall_seconds)
            answer = worker.receive(call.wall_seconds + _GRACE_SECONDS)
        except TimeoutError:
            self._dismiss()
            return -signal.SIGALRM
        except (OSError, Hangup):
            return self._dismiss()
        if answer.head.leaving:
            self._dismiss()
        return answer

    def _dismiss(self) -> int | None:
        worker, self._worker = self._worker, None
        return self._nursery.reap(worker) if worker is not None else None

    def _read(self, answer: Answer | int | None, call: _Call) -> Any:
        if not isinstance(answer, Answer):
            raise _rejected(answer, call)
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
