"""Time as data: a tick every few seconds, on which every shard does what is due.

Engines disagree about timers, and about how long a deferred source stays away (Beam's FnApiRunner does not wait at
all), but they agree about elements. So the source sleeps itself, a second at a time at most, and answers in between.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from transforms.http.loop import requests_under_way
from transforms.record_coder import register_records

_LAST = 1 << 40
_NAP_S = 1.0
_stop = threading.Event()


@dataclass(frozen=True)
class Tick:
    """A moment at which work is done.

    Attributes:
        number: from 0, without gaps.
        at: the wall clock, in seconds since 1970; it may leap when the clock is set.
        draining: nothing new is to be begun: the run is about to end.
    """

    number: int
    at: float
    draining: bool = False


register_records(Tick)


@dataclass(frozen=True)
class TickPlan:
    """When there are ticks.

    Attributes:
        every_s: between two of them.
        seconds: the run ends after so long; 0: when it is told to.
        drain_s: at the end, what is under way has so long to come back.
    """

    every_s: float = 5.0
    seconds: float = 0.0
    drain_s: float = 20.0


def request_stop() -> None:
    """Lets the ticks of this process come to their end: what is under way ends, nothing new begins."""
    _stop.set()


def stop_requested() -> bool:
    """Whether this process has been asked to stop."""
    return _stop.is_set()


def clear_stop() -> None:
    """Forgets a request to stop; before a run."""
    _stop.clear()


class _Ticks(RestrictionProvider):
    def initial_restriction(self, plan: TickPlan) -> OffsetRange:
        return OffsetRange(0, _LAST)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, plan: TickPlan, restriction: OffsetRange) -> int:
        return 1

    def truncate(self, plan: TickPlan, restriction: OffsetRange) -> None:
        return None  # a drained job gets no more ticks


class _EmitTicks(beam.DoFn):
    def __init__(self) -> None:
        self._began = 0.0
        self._next = 0.0
        self._ending = 0.0
        self._latest = 0.0

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        plan: TickPlan,
        tracker: OffsetRestrictionTracker = beam.DoFn.RestrictionParam(_Ticks()),
        watermark: ManualWatermarkEstimator = beam.DoFn.WatermarkEstimatorParam(
            ManualWatermarkEstimator.default_provider()
        ),
    ) -> Iterator[TimestampedValue]:
        clock = time.monotonic  # the wall clock may be set; how long to sleep must not depend on it
        self._began = self._began or clock()
        number = tracker.current_restriction().start
        due = self._next
        if plan.seconds and not self._ending:
            due = min(due, self._began + plan.seconds)
        wait = due - clock()
        if wait > 0 and not (_stop.is_set() and not self._ending):
            nap = min(wait, _NAP_S)
            if self._ending:
                time.sleep(nap)
            else:
                _stop.wait(nap)
            wait -= nap
        if wait > 0.001 and not _stop.is_set():
            tracker.defer_remainder(Duration(wait))
            return
        if not self._ending and (_stop.is_set() or 0 < plan.seconds <= clock() - self._began):
            self._ending = clock()
        drained = self._ending and (not requests_under_way() or clock() - self._ending > plan.drain_s)
        every = min(plan.every_s, _NAP_S) if self._ending else plan.every_s
        self._next = max(self._next + every, clock()) if self._next else clock() + every
        if not tracker.try_claim(number):
            return
        # Event time never goes back, whatever the wall clock does.
        self._latest = max(self._latest, time.time())
        yield TimestampedValue(Tick(number, time.time(), bool(self._ending)), Timestamp(self._latest))
        watermark.set_watermark(Timestamp(self._latest))
        if drained:
            tracker.try_claim(_LAST - 1)  # the end
        else:
            tracker.defer_remainder(Duration(0))


class EmitTicks(beam.PTransform[PBegin, PCollection[Tick]]):
    """The source of a live run: a tick every `plan.every_s` seconds, until the plan or `request_stop` ends it."""

    def __init__(self, plan: TickPlan) -> None:
        super().__init__()
        self._plan = plan

    def expand(self, root: PBegin) -> PCollection[Tick]:
        ticks = (
            root
            | "Begin" >> beam.Impulse()
            | "Plan" >> beam.Map(lambda _, plan: plan, self._plan)
            | "Tick" >> beam.ParDo(_EmitTicks())
        )
        ticks.element_type = Tick
        return ticks
