"""The far side of `Sandbox`: a process that imports a function once and forks the workers that run it.

Two roles share this module. The *nursery* is started as a fresh interpreter, imports the function (and what that drags
in), then does nothing but fork workers, and reap them, when told. A *worker* is told of calls on a socket of its own,
runs the function for one after another and answers. Arguments and results lie in slots, files in memory that both
sides hold: the next call can lie ready while the worker is busy, and counts for nothing in its memory until it begins.

Limits are kept by the kernel, not by Python: a worker that is stuck in C code with the interpreter's lock held is still
killed on time. CPU time is `ITIMER_PROF`, wall time `ITIMER_REAL`, both left at their deadly default action; memory is
`RLIMIT_AS`. `PR_SET_PDEATHSIG` takes the workers down with their nursery, and the nursery ends when its control
socket does, so nothing outlives a parent that is killed with -9. (The signal is tied to the *thread* that forked, which
is why the many-threaded parent does not fork workers itself.)

Nothing here imports Beam, and standard output is never written.
"""

import ctypes
import gc
import importlib
import itertools
import logging
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

LENGTH = struct.Struct("!Q")
PID = struct.Struct("!i")
CALL = struct.Struct("!Qdd")
"""A call: the size of its argument, and the CPU and wall time that it may take."""
SLOTS = 2
"""Calls that a worker holds: one at work, one ready. They lie in its slots in turn."""
FORK, REAP = b"F", b"R"
NOT_MINE = 1 << 16
"""The nursery's answer for a process that it did not fork; no exit code is so large."""

_PR_SET_PDEATHSIG = 1
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a worker may use, beside the time that is given with each call. `result_mb` bounds the pickled result."""

    memory_mb: int
    result_mb: int


@dataclass(frozen=True)
class Order:
    """What the nursery is to become: where to import from, the pickled function, an argument to warm it up with."""

    path: tuple[str, ...]
    function: bytes
    warm_up: bytes | None
    limits: Limits


@dataclass(frozen=True)
class Reply:
    """What became of one call. `leaving` announces that the worker ends, because memory has been used up."""

    size: int = 0
    """Of the pickled result, which lies in the slot that the argument came in; 0 if there is none."""
    error: bytes | None = None
    """The exception, pickled, and known to unpickle."""
    trouble: str = ""
    """`memory` or `result`, where a limit was met; `raised` if the exception itself cannot travel."""
    message: str = ""
    place: str = ""
    """`file.py:123`, where an exception was raised."""
    leaving: bool = False


class Hangup(Exception):
    """The other end of a socket is gone."""


def send_frame(to: socket.socket, data: bytes) -> None:
    """Sends `data` after its length."""
    try:
        if len(data) < 1 << 14:
            to.sendall(LENGTH.pack(len(data)) + data)
        else:
            to.sendall(LENGTH.pack(len(data)))
            to.sendall(data)
    except (BrokenPipeError, ConnectionError) as error:
        raise Hangup from error


def receive_exactly(source: socket.socket, size: int) -> bytearray:
    """Reads `size` bytes; raises `Hangup` if they do not come, `TimeoutError` if the socket has a timeout."""
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        try:
            count = source.recv_into(view)
        except ConnectionError as error:
            raise Hangup from error
        if not count:
            raise Hangup
        view = view[count:]
    return buffer


def receive_frame(source: socket.socket) -> bytearray:
    """Reads what `send_frame` sent."""
    (size,) = LENGTH.unpack(receive_exactly(source, LENGTH.size))
    return receive_exactly(source, size)


def open_slot() -> int:
    """A file without a name, in memory where the system has such."""
    if sys.platform == "linux":
        return os.memfd_create("sandbox")
    with tempfile.TemporaryFile(buffering=0) as file:
        return os.dup(file.fileno())


def fill_slot(slot: int, data: bytes) -> None:
    """Makes `data` all that the slot holds."""
    os.ftruncate(slot, 0)
    rest, offset = memoryview(data), 0
    while rest:
        count = os.pwrite(slot, rest, offset)
        rest, offset = rest[count:], offset + count


def read_slot(slot: int, size: int) -> bytes:
    """The first `size` bytes of what the slot holds. Raises `Hangup` if there are fewer."""
    data = os.pread(slot, size, 0)
    if len(data) < size:  # of more than 2 GB, which no limit allows
        raise Hangup
    return data


def nurse(control_fd: int) -> None:
    """Runs the nursery on its end of the control socket until the parent hangs up."""
    for name in (signal.SIGINT, signal.SIGTERM):  # the parent drains first, then hangs up
        signal.signal(name, signal.SIG_IGN)
    logging.getLogger().addHandler(logging.NullHandler())  # what matters comes back as an exception
    control = socket.socket(fileno=control_fd)
    with suppress(Hangup):
        order: Order = pickle.loads(receive_frame(control))  # noqa: S301 - from our own parent
        sys.path[:] = order.path
        try:
            function = pickle.loads(order.function)  # noqa: S301 - the same
            if order.warm_up is not None:
                function(pickle.loads(order.warm_up))  # noqa: S301 - the same
        except BaseException:
            send_frame(control, traceback.format_exc().encode())
            return
        importlib.invalidate_caches()
        gc.collect()
        gc.freeze()  # keeps the collector from touching, and so copying, what workers share
        send_frame(control, b"")
        _serve_parent(control, function, order.limits)


def _serve_parent(control: socket.socket, function: Callable[[Any], Any], limits: Limits) -> None:
    children: set[int] = set()
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 1, 1 + SLOTS)
        if not request:
            raise Hangup
        if request == FORK:
            nursery = os.getpid()
            pid = os.fork()
            if pid == 0:
                control.close()
                _work_and_exit(nursery, descriptors, function, limits)
            children.add(pid)
            for descriptor in descriptors:  # so that the parent sees the end of the worker as the end of the stream
                os.close(descriptor)
            control.sendall(PID.pack(pid))
        else:
            (pid,) = PID.unpack(receive_exactly(control, PID.size))
            control.sendall(PID.pack(_reap(pid) if pid in children else NOT_MINE))
            children.discard(pid)


def _reap(pid: int) -> int:
    """Ends a child if it lives; its exit code."""
    os.kill(pid, signal.SIGKILL)  # without effect on the exit status of one that is already dying or dead
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _work_and_exit(nursery: int, descriptors: list[int], function: Callable[[Any], Any], limits: Limits) -> None:
    code = 1
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != nursery:  # it died before the call above
                os._exit(code)
            with suppress(OSError):  # under pressure the kernel should take a worker before the pipeline
                Path("/proc/self/oom_score_adj").write_text("500")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for name in (signal.SIGALRM, signal.SIGPROF):
            signal.signal(name, signal.SIG_DFL)
        task_fd, *slots = descriptors
        with suppress(Hangup):
            _work(socket.socket(fileno=task_fd), slots, function, limits)
        code = 0
    finally:
        os._exit(code)  # no clean-up that belongs to the nursery


def _work(tasks: socket.socket, slots: list[int], function: Callable[[Any], Any], limits: Limits) -> None:
    ceiling, worn_out = _limit_memory(limits)
    for slot in itertools.cycle(slots):
        size, cpu_seconds, wall_seconds = CALL.unpack(receive_exactly(tasks, CALL.size))
        signal.setitimer(signal.ITIMER_REAL, wall_seconds)
        signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
        try:
            reply = _call(function, slot, size, limits, ceiling)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        # A heap that has grown large is not given back, and would leave the next page less room than this one had.
        if not reply.leaving and _peak_memory() > worn_out:
            reply = replace(reply, leaving=True)
        send_frame(tasks, pickle.dumps(reply, pickle.HIGHEST_PROTOCOL))
        if reply.leaving:
            return


def _call(function: Callable[[Any], Any], slot: int, size: int, limits: Limits, ceiling: int) -> Reply:
    try:
        return _outcome(function, slot, size, limits)
    except MemoryError:
        pass  # until here its traceback holds on to all that the call had: there is no room to say so yet
    _raise_memory(ceiling)
    return Reply(trouble="memory", leaving=True)


def _outcome(function: Callable[[Any], Any], slot: int, size: int, limits: Limits) -> Reply:
    try:
        argument = pickle.loads(read_slot(slot, size))  # noqa: S301 - from our own parent
        result = pickle.dumps(function(argument), pickle.HIGHEST_PROTOCOL)
        if len(result) > limits.result_mb * _MEGABYTE:
            what = f"the result is {len(result) / _MEGABYTE:.0f} MB, {limits.result_mb} MB are allowed"
            return Reply(trouble="result", message=what)
        fill_slot(slot, result)
    except MemoryError:
        raise
    except BaseException as error:
        return _failure(error)
    return Reply(len(result))


def _failure(error: BaseException) -> Reply:
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f"{Path(where[0].filename).name}:{where[0].lineno}" if where else ""
    try:
        message = f"{type(error).__name__}: {error}"
    except Exception:
        message = type(error).__name__
    if isinstance(error, Exception):
        # Some exceptions cannot be pickled, and some only seem so: their __init__ fails when they are read.
        with suppress(Exception):
            pickled = pickle.dumps(error.with_traceback(None))
            pickle.loads(pickled)  # noqa: S301 - made in the line above
            return Reply(error=pickled, message=message, place=place)
    return Reply(trouble="raised", message=message[:1000], place=place)


def _limit_memory(limits: Limits) -> tuple[int, int]:
    """Sets the limit on address space; returns (hard ceiling, resident size above which a worker is worn out), bytes.

    The address space may grow by what is left of `memory_mb` after the resident size at the start, so resident memory
    can never be more than `memory_mb`, however much is mapped without being used.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform != "linux":
        return hard, limits.memory_mb * _MEGABYTE // 2
    page = resource.getpagesize()
    mapped, resident = (int(field) * page for field in Path("/proc/self/statm").read_text().split()[:2])
    room = max(limits.memory_mb * _MEGABYTE - resident, 16 * _MEGABYTE)
    wanted = mapped + room
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return hard, _peak_memory() + room // 2


def _raise_memory(ceiling: int) -> None:
    """Gives the worker room to say that it had none."""
    gc.collect()
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))


def _peak_memory() -> int:
    """Most resident memory so far, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
