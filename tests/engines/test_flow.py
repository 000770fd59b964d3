"""What is behind a Flatten flows while the source still runs; what needs all of its input still gets it."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import pytest
from apache_beam import coders
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import BagStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

from newsbeam.pipeline.runners.flowing_runner import FlowingRunner

CHUNKS = 12
events: list[str] = []


class OneAtATime(RestrictionProvider):
    def initial_restriction(self, element: int) -> OffsetRange:
        return OffsetRange(0, element)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, element: int, restriction: OffsetRange) -> int:
        return int(restriction.size())


class Chunks(beam.DoFn):
    """A source that hands itself back to the runner after every number."""

    def process(self, _: int, tracker=beam.DoFn.RestrictionParam(OneAtATime())) -> Iterator[int]:  # type: ignore[no-untyped-def]
        number = tracker.current_restriction().start
        if tracker.try_claim(number):
            events.append(f"read {number}")
            yield number
            tracker.defer_remainder()


class Gather(beam.DoFn):
    """Buffers in state; a timer works it off, in order."""

    HELD = BagStateSpec("held", coders.VarIntCoder())
    DUE = TimerSpec("due", TimeDomain.WATERMARK)

    def process(  # type: ignore[no-untyped-def]
        self, keyed: tuple[int, int], held=beam.DoFn.StateParam(HELD), due=beam.DoFn.TimerParam(DUE)
    ) -> Iterable[tuple[int, int]]:
        held.add(keyed[1])
        due.set(Timestamp(5))
        return ()

    @on_timer(DUE)
    def work_off(self, key=beam.DoFn.KeyParam, held=beam.DoFn.StateParam(HELD)) -> Iterator[tuple[int, int]]:  # type: ignore[no-untyped-def]
        for number in sorted(held.read()):
            yield key, number
        held.clear()


def note(keyed: tuple[int, int]) -> tuple[int, int]:
    events.append(f"wrote {keyed[1]}")
    return keyed


def note_count(count: int) -> None:
    events.append(f"counted {count}")


def build(root: beam.Pipeline) -> beam.PCollection:
    numbers = root | beam.Impulse() | beam.Map(lambda _: CHUNKS) | beam.ParDo(Chunks()).with_output_types(int)
    keyed = numbers | "Key" >> beam.Map(lambda n: (n % 2, n)).with_output_types(tuple[int, int])
    first = keyed | "First" >> beam.ParDo(Gather()).with_output_types(tuple[int, int])
    negative = numbers | "Negative" >> beam.Map(lambda n: (n % 2, -n - 1)).with_output_types(tuple[int, int])
    both = (first, negative) | beam.Flatten()
    return both | "Second" >> beam.ParDo(Gather()).with_output_types(tuple[int, int]) | beam.Map(note)


def ran(runner: FnApiRunner) -> list[str]:
    events.clear()
    pipeline = beam.Pipeline(runner=runner, options=PipelineOptions([]))
    build(pipeline)
    pipeline.run().wait_until_finish()
    return list(events)


def test_what_is_behind_a_flatten_and_a_timer_is_written_while_the_source_still_reads() -> None:
    seen = ran(FlowingRunner())
    wrote = [event for event in seen if event.startswith("wrote")]
    assert sorted(int(event.split()[1]) for event in wrote) == list(range(-CHUNKS, CHUNKS))
    for number in range(CHUNKS - 2):
        assert seen.index(f"wrote {number}") < seen.index(f"read {number + 2}"), seen


def test_beam_still_needs_this() -> None:
    """Fails when FnApiRunner itself lets results flow: then `FlowingRunner` can go."""
    seen = ran(FnApiRunner())
    assert seen[:CHUNKS] == [f"read {number}" for number in range(CHUNKS)]


def test_a_group_by_key_still_gets_all_of_its_input(caplog: pytest.LogCaptureFixture) -> None:
    with beam.Pipeline(runner=FlowingRunner(), options=PipelineOptions([])) as pipeline:
        grouped = build(pipeline) | beam.GroupByKey() | beam.MapTuple(lambda key, values: (key, len(list(values))))
        assert_that(grouped, equal_to([(0, CHUNKS), (1, CHUNKS)]))
    assert "wait for the end of their input" in caplog.text


def test_a_side_input_is_complete() -> None:
    with beam.Pipeline(runner=FlowingRunner(), options=PipelineOptions([])) as pipeline:
        everything = beam.pvalue.AsList(build(pipeline))
        one = pipeline | "Once" >> beam.Impulse()
        counted = one | "Count" >> beam.Map(lambda _, everything: len(everything), everything)
        counted | "Say" >> beam.Map(note_count)
    assert f"counted {2 * CHUNKS}" in events
