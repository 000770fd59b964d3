"""The one way a failure leaves a stage: pure functions raise, the stage routes.

A stage is built with the pipeline's `DeadLetters`. What its function raises becomes a typed `DeadLetter` that names the
stage, the reason and the input, and joins those of all the other stages.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Optional, TypeVar

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.window import GlobalWindows

import newsbeam.transforms.runtime.record_coder  # noqa: F401 - so that every stage knows how its records travel
from newsbeam.transforms.model.errors import as_rejected
from newsbeam.transforms.model.records import DeadLetter, Origin

In = TypeVar("In")
Out = TypeVar("Out")

DEAD = "dead_letters"


def dead_letter(stage: str, element: object, error: Exception) -> DeadLetter:
    """Describes `error`, raised in `stage` for `element` (any record or unit that has an `origin` or a `unit`)."""
    rejected = as_rejected(error, stage)
    origin: Origin = getattr(element, "origin", None) or Origin()
    return DeadLetter(
        stage=rejected.stage,
        reason=rejected.reason,
        message=rejected.message,
        unit=origin.unit or getattr(element, "unit", ""),
        url=getattr(element, "url", ""),
        feed_url=origin.feed_url or getattr(element, "feed_url", ""),
        payload_ref=origin.raw_ref,
    )


class DeadLetters:
    """Takes the dead letters of every stage while a pipeline is built.

    Those of each stage are buried by themselves: the direct runner holds back what goes through a Flatten until its
    source has ended, and a live source never ends.

    Args:
        bury: makes the transform that a stage's dead letters go to; without one they wait for `gather`.
    """

    def __init__(self, bury: Optional[Callable[[], beam.PTransform[Any, Any]]] = None) -> None:
        self._bury = bury
        self._collections: list[PCollection[DeadLetter]] = []

    def add(self, stage: str, letters: PCollection[DeadLetter]) -> None:
        """Takes the dead letters of one stage, put in the global window as all of them are."""
        in_global_window = letters | f"Dead letters of {stage}" >> beam.WindowInto(GlobalWindows()).with_output_types(
            DeadLetter
        )
        if self._bury is None:
            self._collections.append(in_global_window)
        else:
            in_global_window | f"Bury dead letters of {stage}" >> self._bury()

    def gather(self, label: str = "Gather dead letters") -> PCollection[DeadLetter]:
        """All dead letters added so far, as one collection: for bounded pipelines and tests."""
        return tuple(self._collections) | label >> beam.Flatten()


class _Each(beam.DoFn, Generic[In, Out]):
    def __init__(self, stage: str, function: Callable[[In], Iterable[Out]]) -> None:
        self._stage = stage
        self._function = function

    def process(self, element: In) -> Iterator[Any]:
        try:
            results = list(self._function(element))
        except Exception as error:
            yield TaggedOutput(DEAD, dead_letter(self._stage, element, error))
        else:
            yield from results


class _One(Generic[In, Out]):
    def __init__(self, function: Callable[[In], Out]) -> None:
        self._function = function

    def __call__(self, element: In) -> Iterable[Out]:
        return (self._function(element),)


class FlatMapOrDeadLetter(beam.PTransform[PCollection[Any], PCollection[Any]]):
    """Applies a function that gives any number of results; what it raises goes to the dead letters.

    Args:
        stage: name of the stage, as dead letters and counters show it.
        function: picklable, pure; raises `Rejected` for input it refuses.
        output_type: the type of one result.
        dead_letters: the pipeline's.
    """

    def __init__(
        self, stage: str, function: Callable[[Any], Iterable[Any]], output_type: Any, dead_letters: DeadLetters
    ) -> None:
        super().__init__()
        self._stage = stage
        self._function = function
        self._output_type = output_type
        self._dead_letters = dead_letters

    def expand(self, elements: PCollection[Any]) -> PCollection[Any]:
        outputs = elements | "Apply" >> beam.ParDo(_Each(self._stage, self._function)).with_outputs(DEAD, main="main")
        outputs.main.element_type = self._output_type
        outputs[DEAD].element_type = DeadLetter
        self._dead_letters.add(self._stage, outputs[DEAD])
        return outputs.main


class MapOrDeadLetter(FlatMapOrDeadLetter):
    """Like `FlatMapOrDeadLetter`, for a function that gives exactly one result."""

    def __init__(self, stage: str, function: Callable[[Any], Any], output_type: Any, dead_letters: DeadLetters) -> None:
        super().__init__(stage, _One(function), output_type, dead_letters)
