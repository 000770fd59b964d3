"""The sandbox as a stage: order, timestamps and windows are kept, failures become dead letters."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.pvalue import TaggedOutput
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import FixedWindows, TimestampedValue

from newsbeam.transforms.model.records import DeadLetter
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.runtime.sandbox.sandboxed_map import (
    SandboxMapOrDeadLetter,
    SandboxOptions,
    SharedSandbox,
    _InFlight,
    _InSandbox,
)
from tests.support.sandbox_functions import behave, fail_to_warm_up

OPTIONS = SandboxOptions(seconds=0.3, memory_mb=300, in_flight=4, warm_up=("import", None))


def _pipeline() -> TestPipeline:
    return TestPipeline(runner="FnApiRunner", options=PipelineOptions([]))


class _Stamp(beam.DoFn):
    def process(self, value, timestamp=beam.DoFn.TimestampParam, window=beam.DoFn.WindowParam):  # type: ignore[no-untyped-def]
        yield value, int(timestamp), int(window.start)


def _reason(letter: DeadLetter) -> tuple[str, str, str]:
    return letter.stage, letter.reason, letter.message


def test_results_keep_their_timestamps_and_windows_and_failures_become_dead_letters() -> None:
    commands = [("echo", n) for n in range(20)]
    commands[5:5] = [("loop", None), ("reject", "a page"), ("raise", "no such section"), ("exit", None)]
    with _pipeline() as p:
        dead_letters = DeadLetters()
        results = (
            p
            | "Commands" >> beam.Create([TimestampedValue(command, n) for n, command in enumerate(commands)])
            | "Windows" >> beam.WindowInto(FixedWindows(10))
            | "Behave" >> SandboxMapOrDeadLetter("behave", SharedSandbox(behave, OPTIONS), int, dead_letters)
        )
        expected = [(value, n, n // 10 * 10) for n, (action, value) in enumerate(commands) if action == "echo"]
        assert_that(results | "Stamp" >> beam.ParDo(_Stamp()), equal_to(expected), label="results")
        letters = dead_letters.gather() | "Reason" >> beam.Map(_reason)
        line = _line("raise LookupError")
        assert_that(
            letters,
            equal_to(
                [
                    ("behave", "timeout", "took more than the 0.3 s of CPU allowed for one document"),
                    ("behave", "not_a_feed", "a page"),
                    ("behave", "error", f"LookupError: no such section (sandbox_functions.py:{line})"),
                    ("behave", "crashed", "the process that worked on it died (exit code 0)"),
                ]
            ),
            label="letters",
        )


def _line(text: str) -> int:
    """The line of `sandbox_functions.py` that has `text`."""
    lines = Path(behave.__code__.co_filename).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def _stage(options: SandboxOptions) -> _InSandbox:
    stage = _InSandbox("behave", SharedSandbox(behave, options))
    stage.setup()
    return stage


def _bundle(stage: _InSandbox, commands: Iterable[tuple[str, object]]) -> list[object]:
    """The results of a bundle; reasons where there was none."""
    stage.start_bundle()
    outputs = [output for one in commands for output in stage.process(one, beam.utils.timestamp.Timestamp(0), None)]
    outputs += stage.finish_bundle()
    return [one.value.value.reason if isinstance(one, TaggedOutput) else one.value for one in outputs]


def five_more(last: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """A guess that is right as long as every element is an echo of the next number."""
    yield from (("echo", last[1] + n) for n in range(1, 6))


def test_what_comes_next_is_worked_on_before_it_comes() -> None:
    stage = _stage(SandboxOptions(seconds=5, memory_mb=300, in_flight=3, ahead=five_more, most_ahead=4))
    assert _bundle(stage, [("echo", 1), ("echo", 2)]) == [1, 2]
    begun = [future for _, future in stage._begun]
    assert [future.result() for future in begun] == [3, 4, 5, 6]
    assert _bundle(stage, []) == []
    assert [future for _, future in stage._begun] == begun
    assert _bundle(stage, [("echo", 3), ("echo", 4)]) == [3, 4]


def test_a_wrong_guess_changes_nothing() -> None:
    stage = _stage(SandboxOptions(seconds=5, memory_mb=300, in_flight=3, ahead=five_more, most_ahead=4))
    for commands, results in [
        ([("echo", 1)], [1]),
        ([("echo", 3), ("reject", 9), ("echo", 2)], [3, "not_a_feed", 2]),
        ([("echo", 3), ("echo", 3), ("reject", 1), ("echo", 4)], [3, 3, "not_a_feed", 4]),
        ([("echo", 70)], [70]),
    ]:
        assert _bundle(stage, commands) == results


def test_results_come_in_the_order_of_their_elements() -> None:
    stage = _stage(SandboxOptions(seconds=5, memory_mb=300, workers=2, in_flight=3))
    stage.start_bundle()
    came: list[object] = []
    most = 0
    for n in range(30):
        came += [output.value for output in stage.process(("echo", n), beam.utils.timestamp.Timestamp(n), None)]
        most = max(most, len(stage._in_flight))
    came += [output.value for output in stage.finish_bundle()]
    assert came == list(range(30))
    assert most <= 3


def seconds_for(command: tuple[str, object]) -> float:
    """Little for loops, enough for anything else."""
    return 0.1 if command[0] == "loop" else 5.0


def test_time_may_depend_on_the_element() -> None:
    stage = _stage(SandboxOptions(seconds=seconds_for, memory_mb=300))
    stage.start_bundle()
    outputs = [*stage.process(("loop", None), beam.utils.timestamp.Timestamp(0), None), *stage.finish_bundle()]
    assert [output.value.value.message for output in outputs] == [
        "took more than the 0.1 s of CPU allowed for one document"
    ]


def test_a_sandbox_that_cannot_work_fails_the_bundle_and_makes_no_dead_letters() -> None:
    options = SandboxOptions(seconds=5, memory_mb=300, warm_up=("warm",))
    stage = _InSandbox("behave", SharedSandbox(fail_to_warm_up, options))
    stage.setup()
    stage.start_bundle()
    with pytest.raises(Exception, match="no model file"):
        list(stage.process(("echo", 1), beam.utils.timestamp.Timestamp(0), None)) + list(stage.finish_bundle())
    assert not any(isinstance(call, _InFlight) and call.future.cancelled() for call in stage._in_flight)
