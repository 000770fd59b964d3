"""`MapOrDeadLetter` for functions that must not run in the pipeline's own process: see `Sandbox`."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.utils.shared import Shared
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import DeadLetter
from newsbeam.transforms.runtime.dead_letters import DEAD, DeadLetters, dead_letter
from newsbeam.transforms.runtime.sandbox.sandbox import RemoteError, Sandbox, SandboxError

_SWITCH_S = 0.0005


@dataclass(frozen=True)
class SandboxOptions:
    """How a stage uses its sandbox; limits as in `Sandbox`.

    `seconds` is a number, or an importable function that gives the number for an element (by its size, say).
    `in_flight` is how many elements of a bundle are worked on, or wait, at a time.

    `ahead` guesses from the last element of a bundle what comes in the next one, in its order: the sandbox works on
    `most_ahead` of them while other stages work on this bundle. What was guessed and does not come is dropped.
    """

    seconds: float | Callable[[Any], float]
    memory_mb: int
    workers: int = 1
    in_flight: int = 32
    ahead: Callable[[Any], Iterator[Any]] | None = None
    most_ahead: int = 0
    warm_up: object = None


class SharedSandbox:
    """One sandbox for all threads of a process, and for all copies of this object that Beam makes there.

    Args:
        function: importable and pure; raises `Rejected` for input it refuses.
        options: limits, and how many processes.
    """

    def __init__(self, function: Callable[[Any], Any], options: SandboxOptions) -> None:
        self.options = options
        self._function = function
        self._shared = Shared()

    def open(self) -> Sandbox[Any, Any]:
        """The sandbox, made when it is first asked for."""
        opened: Sandbox[Any, Any] = self._shared.acquire(self._open)
        return opened

    def _open(self) -> Sandbox[Any, Any]:
        options = self.options
        return Sandbox(
            self._function,
            workers=options.workers,
            seconds=1.0 if callable(options.seconds) else options.seconds,
            memory_mb=options.memory_mb,
            queue=options.in_flight + options.most_ahead,
            warm_up=options.warm_up,
        )


class SandboxMapOrDeadLetter(beam.PTransform[PCollection[Any], PCollection[Any]]):
    """Applies a function of one result in the sandbox; what it raises, or dies of, goes to the dead letters.

    Results keep the order, timestamp and window of their elements.

    Args:
        stage: name of the stage, as dead letters and counters show it.
        sandbox: of the function.
        output_type: the type of one result.
        dead_letters: the pipeline's.
    """

    def __init__(self, stage: str, sandbox: SharedSandbox, output_type: Any, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._stage = stage
        self._sandbox = sandbox
        self._output_type = output_type
        self._dead_letters = dead_letters

    def expand(self, elements: PCollection[Any]) -> PCollection[Any]:
        outputs = elements | "Apply" >> beam.ParDo(_InSandbox(self._stage, self._sandbox)).with_outputs(
            DEAD, main="main"
        )
        outputs.main.element_type = self._output_type
        outputs[DEAD].element_type = DeadLetter
        self._dead_letters.add(self._stage, outputs[DEAD])
        return outputs.main


@dataclass
class _InFlight:
    element: Any
    timestamp: Timestamp
    window: Any
    future: "Future[Any]"


class _InSandbox(beam.DoFn):
    def __init__(self, stage: str, sandbox: SharedSandbox) -> None:
        self._stage = stage
        self._shared = sandbox
        self._options = sandbox.options

    def setup(self) -> None:
        # The threads that hand calls to the workers wait for the interpreter's lock while this one computes, and with
        # Python's 5 ms at a time they keep two workers waiting for a tenth of a replay.
        sys.setswitchinterval(_SWITCH_S)
        self._sandbox = self._shared.open()
        self._begun: deque[tuple[Any, Future[Any]]] = deque()

    def start_bundle(self) -> None:
        self._in_flight: deque[_InFlight] = deque()
        self._last: Any = None

    def process(
        self, element: Any, timestamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam
    ) -> Iterator[Any]:
        begun = bool(self._begun) and self._begun[0][0] == element
        future = self._begun.popleft()[1] if begun else self._submit(element)
        self._in_flight.append(_InFlight(element, timestamp, window, future))
        self._last = element
        while self._in_flight and (len(self._in_flight) > self._options.in_flight or self._in_flight[0].future.done()):
            yield self._finished(self._in_flight.popleft())

    def _submit(self, element: Any) -> "Future[Any]":
        given = self._options.seconds
        return self._sandbox.submit(element, given(element) if callable(given) else given)

    def finish_bundle(self) -> Iterator[Any]:
        self._work_ahead()
        while self._in_flight:
            yield self._finished(self._in_flight.popleft())

    def _work_ahead(self) -> None:
        if self._last is None:  # a bundle of timers, between two of elements
            return
        for _, future in self._begun:
            future.cancel()
        ahead = self._options.ahead
        coming = islice(ahead(self._last), self._options.most_ahead) if ahead else ()
        self._begun = deque((element, self._submit(element)) for element in coming)

    def _finished(self, call: _InFlight) -> Any:
        try:
            result = call.future.result()
        except SandboxError:
            raise  # no element's fault: the bundle is tried again
        except Exception as error:
            letter = dead_letter(self._stage, call.element, _placed(error))
            return TaggedOutput(DEAD, WindowedValue(letter, call.timestamp, (call.window,)))
        return WindowedValue(result, call.timestamp, (call.window,))


def _placed(error: Exception) -> Exception:
    """`error` with the place in the worker that raised it, which its own traceback does not show."""
    cause = error.__cause__
    if isinstance(error, Rejected) or not isinstance(cause, RemoteError):
        return error
    return Rejected("error", str(cause))
