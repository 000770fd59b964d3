"""The source of a replay: streams a plan in chunks, in its order."""

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

from transforms.dead_letters import DEAD, DeadLetters
from transforms.reading.payload import origin, read_unit
from transforms.reading.plan import read_plan
from transforms.reading.units import Unit
from transforms.records import DeadLetter, Page
from transforms.rejected import Rejected

CHUNK_UNITS = 256
CHUNK_BYTES = 256 * 1024 * 1024
UNDATED_TOGETHER = 20_000
"""Units of no known time share one moment, so that stages with memory put them in order by what they find in them;
beyond so many, memory matters more and the rest have the next moment."""


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
    return MIN_TIMESTAMP + Duration(position // UNDATED_TOGETHER)


def read_or_reject(unit: Unit) -> Page | DeadLetter:
    """The page of a unit, or the dead letter that says why there is none."""
    try:
        return read_unit(unit)
    except Rejected as rejected:
        reason, message = rejected.reason, rejected.message
    except (
        Exception
    ) as error:  # a hostile archive may break its library anywhere; the unit is named and the rest goes on
        reason, message = "unreadable", f"{unit.name}: {type(error).__name__}: {error}"
    where = origin(unit, "")
    return DeadLetter(stage="read", reason=reason, message=message, unit=where.unit, payload_ref=where.raw_ref)


class _ReadChunks(beam.DoFn):
    """Gives a chunk of units, then hands the rest back to the runner, so that each chunk flows through the whole graph
    before the next is read: memory stays flat, and stages with memory see the plan's order.

    Units of one moment are never parted: which of them is the first is for those stages to say.
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
            if (units >= CHUNK_UNITS or read >= CHUNK_BYTES) and timestamp != last:
                tracker.defer_remainder()
                return
            if not tracker.try_claim(position):
                return
            watermark.set_watermark(timestamp)
            result = read_or_reject(unit)
            if isinstance(result, DeadLetter):
                yield TaggedOutput(DEAD, TimestampedValue(result, timestamp))
            else:
                read += len(result.body)
                yield TimestampedValue(result, timestamp)
            units, last = units + 1, timestamp


class ReadPlan(beam.PTransform[PBegin, PCollection[Page]]):
    """Reads every unit of a plan: a page each, or a dead letter."""

    def __init__(self, plan: Plan, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._plan = plan
        self._dead_letters = dead_letters

    def expand(self, root: PBegin) -> PCollection[Page]:
        outputs = (
            root
            | "Plan" >> beam.Create([self._plan])
            | "Read" >> beam.ParDo(_ReadChunks()).with_outputs(DEAD, main="pages")
        )
        outputs.pages.element_type = Page
        outputs[DEAD].element_type = DeadLetter
        self._dead_letters.add("read", outputs[DEAD])
        return outputs.pages
