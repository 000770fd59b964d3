"""The near side of `Sandbox`: the processes that work, and the one that they are forked from."""

import importlib.util
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass

from newsbeam.transforms.model.errors import NewsbeamError
from newsbeam.transforms.runtime.sandbox import worker as sandbox_worker
from newsbeam.transforms.runtime.sandbox.worker import CALL, FORK, NOT_MINE, PID, REAP, SLOTS, Hangup, Order, Reply

MMAP_THRESHOLD, TRIM_THRESHOLD = 1 << 20, 4 << 20
"""Bytes from which glibc maps what is asked for, and gives back what is free at the end of its heap."""
_START_SECONDS = 120.0
"""For the imports of the function; generous, for a laptop that is busy with something else."""


class SandboxError(NewsbeamError):
    """The sandbox itself cannot work (the function cannot be imported, no process can be started).

    Not the fault of any one argument: a bundle should fail with it, and be tried again, not make dead letters.
    """


@dataclass(frozen=True)
class Answer:
    head: Reply
    body: bytes


class Worker:
    """A worker, the socket to talk to it, and a slot for each call that it may hold: a file that lies in memory only.

    Arguments and results go through the slots, so that nobody waits for the other to read.

    Attributes:
        pid: known once it is forked.
        generation: of the nursery that forked it; it died with that.
    """

    def __init__(self, generation: int, tasks: socket.socket, slots: tuple[int, ...]) -> None:
        self.pid = 0
        self.generation = generation
        self._tasks = tasks
        self._slots = slots
        self._sent = 0
        self._received = 0

    @property
    def unanswered(self) -> int:
        """How many calls it holds."""
        return self._sent - self._received

    def send(self, argument: bytes, cpu_seconds: float, wall_seconds: float) -> None:
        """Lays the next call ready; `SLOTS` of them at most are unanswered."""
        sandbox_worker.fill_slot(self._slots[self._sent % SLOTS], argument)
        self._tasks.sendall(CALL.pack(len(argument), cpu_seconds, wall_seconds))
        self._sent += 1

    def receive(self, wall_seconds: float) -> Answer:
        """The answer to the oldest call that has none. Raises `Hangup`, `OSError` or `TimeoutError`."""
        self._tasks.settimeout(wall_seconds)
        head: Reply = pickle.loads(sandbox_worker.receive_frame(self._tasks))  # noqa: S301 - from our own worker
        body = sandbox_worker.read_slot(self._slots[self._received % SLOTS], head.size)
        self._received += 1
        return Answer(head, body)

    def close(self) -> None:
        self._tasks.close()
        for slot in self._slots:
            os.close(slot)


class Nursery:
    """The parent's hold on the interpreter that forks workers; started again if it dies."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._closed = False
        self._generation = 0

    def fork(self) -> Worker:
        """A new worker. Raises `SandboxError` if none can be had."""
        with self._lock:
            for last in (False, True):
                control = self._running()
                ours, theirs = socket.socketpair()
                worker = Worker(
                    self._generation, ours, slots := tuple(sandbox_worker.open_slot() for _ in range(SLOTS))
                )
                try:
                    socket.send_fds(control, [FORK], [theirs.fileno(), *slots])
                    (worker.pid,) = PID.unpack(sandbox_worker.receive_exactly(control, PID.size))
                    return worker
                except (OSError, Hangup) as error:
                    worker.close()
                    self._stop()
                    if last:
                        raise SandboxError("the process that forks the sandbox's workers dies at once") from error
                finally:
                    theirs.close()
        raise AssertionError("unreachable")

    def prepare(self) -> None:
        """Starts the process that forks, which takes a while; what hinders it shows at the first `fork`."""
        with suppress(SandboxError), self._lock:
            self._running()

    def reap(self, worker: Worker) -> int | None:
        """Kills `worker` if it lives; its exit code (negative: the signal), None if nobody knows it.

        The process id of a worker of an earlier nursery means nothing to this one: somebody else may have it by now.
        """
        worker.close()
        with self._lock:
            if self._control is None or worker.generation != self._generation:
                return None
            try:
                self._control.sendall(REAP + PID.pack(worker.pid))
                (code,) = PID.unpack(sandbox_worker.receive_exactly(self._control, PID.size))
            except (OSError, Hangup):
                self._stop()
                return None
        return None if code == NOT_MINE else int(code)

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
        specification = importlib.util.find_spec("newsbeam.transforms.runtime.sandbox.worker")
        assert specification is not None  # noqa: S101 - for mypy
        program = (
            f"import sys; sys.path[:] = {json.dumps(self._order.path)}; "
            f"from newsbeam.transforms.runtime.sandbox.worker import nurse; nurse({theirs.fileno()})"
        )
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "0",  # a set of words has the same order in every worker
            "OMP_NUM_THREADS": "1",  # threads do not survive a fork
            "OPENBLAS_NUM_THREADS": "1",
            # What one large page took is given back at once: glibc would keep up to 64 MB of it for the next.
            "MALLOC_MMAP_THRESHOLD_": str(MMAP_THRESHOLD),
            "MALLOC_TRIM_THRESHOLD_": str(TRIM_THRESHOLD),
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
        self._generation += 1

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
