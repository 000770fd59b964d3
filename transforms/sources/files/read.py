"""The source of a replay: streams the units of a plan in chunks, in its order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.pvalue import PBegin, PCollection, TaggedOutput
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Duration, Timestamp

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import DeadLetter
from newsbeam.transforms.model.units import Form, Unit
from newsbeam.transforms.runtime.dead_letters import DEAD, DeadLetters, dead_letter
from newsbeam.transforms.sources.files.plan import read_plan

CHUNK_UNITS = 256
CHUNK_BYTES = 256 * 1024 * 1024
MOST_TOGETHER = 2_000
"""Units of one moment, or of no known time, stay together, so that stages with memory put them in order by what they
find in them; beyond so many, memory matters more, and the order of the plan stands."""


@dataclass(frozen=True)
class Plan:
    """Where the plan of a replay lies and how many units it has."""

    file: str
    units: int


class _Positions(RestrictionProvider):
    def initial_restriction(self, plan: Plan) -> OffsetRange:
        return OffsetRange(0, plan.units)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, plan: Plan, restriction: OffsetRange) -> int:
        return int(restriction.size())


def event_timestamp(seen_at: str, position: int) -> Timestamp:
    """The Beam timestamp of the unit at `position` of the plan; what has no time comes before all that has one."""
    if seen_at:
        return Timestamp.of(datetime.fromisoformat(seen_at.replace("Z", "+00:00")).timestamp())
    return MIN_TIMESTAMP + Duration(position // MOST_TOGETHER)


class _ReadChunks(beam.DoFn):
    """Gives a chunk of units, then hands the rest back to the runner, so that each chunk flows through the whole graph
    before the next is read: memory stays flat, and stages with memory see the plan's order.

    Units of one moment are not parted, up to a limit: which of them is the first is for those stages to say.
    """

    def process(
        self,
        plan: Plan,
        tracker: Any = beam.DoFn.RestrictionParam(_Positions()),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider()),
    ) -> Iterator[Any]:
        todo = tracker.current_restriction()
        units = read = 0
        last: Timestamp | None = None
        for position, unit in enumerate(read_plan(plan.file, todo.start, todo.stop), todo.start):
            timestamp = event_timestamp(unit.seen_at, position)
            full = units >= CHUNK_UNITS or read >= CHUNK_BYTES
            if full and (timestamp != last or units >= MOST_TOGETHER):
                tracker.defer_remainder()
                return
            if not tracker.try_claim(position):
                return
            watermark.set_watermark(timestamp)
            if unit.form is Form.BROKEN:
                letter = dead_letter("read", unit, Rejected(unit.reason, unit.message))
                yield TaggedOutput(DEAD, TimestampedValue(letter, timestamp))
            else:
                yield TimestampedValue(unit, timestamp)
            units, read, last = units + 1, read + unit.length, timestamp


@dataclass(frozen=True)
class Upcoming:
    """What comes after a unit of a plan; units that are broken, or may be feeds, go other ways."""

    file: str

    def __call__(self, last: Any) -> Iterator[Unit]:
        if isinstance(last, Unit):
            for unit in read_plan(self.file, last.position + 1):
                if unit.form is not Form.BROKEN and not unit.may_be_feed:
                    yield unit


class ReadPlan(beam.PTransform[PBegin, PCollection[Unit]]):
    """Every unit of a plan; those that the scan found broken are dead letters."""

    def __init__(self, plan: Plan, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._plan = plan
        self._dead_letters = dead_letters

    def expand(self, root: PBegin) -> PCollection[Unit]:
        outputs = (
            root
            | "Plan" >> beam.Create([self._plan])
            | "Read" >> beam.ParDo(_ReadChunks()).with_outputs(DEAD, main="units")
        )
        outputs.units.element_type = Unit
        outputs[DEAD].element_type = DeadLetter
        self._dead_letters.add("read", outputs[DEAD])
        return outputs.units
