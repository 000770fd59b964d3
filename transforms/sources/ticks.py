"""Time as data: a tick every few seconds, on which every shard does what is due.

Engines disagree about timers, and about how long a deferred source stays away (Beam's FnApiRunner does not wait at
all), but they agree about elements. So the source sleeps itself, a second at a time at most, and answers in between.
"""

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

from newsbeam.transforms.runtime.record_coder import register_records
from newsbeam.transforms.runtime.stopping import forget_stop, pause, stop_requested
from newsbeam.transforms.sources.event_loop import mail_is_urgent, requests_under_way

_LAST = 1 << 40
_NAP_S = 1.0


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
        every_s: between two of them at most. There is one sooner, a second after the last, if something new has come
            back: it need not wait.
        seconds: the run ends after so long; 0: when it is told to.
        drain_s: at the end, what is under way has so long to come back; half of the 30 s that a stop may take.
    """

    every_s: float = 5.0
    seconds: float = 0.0
    drain_s: float = 15.0


def clear_stop() -> None:
    """Forgets a request to stop, and earlier runs; before a run."""
    forget_stop()
    _courses.clear()


class _Ticks(RestrictionProvider):
    def initial_restriction(self, plan: TickPlan) -> OffsetRange:
        return OffsetRange(0, _LAST)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, plan: TickPlan, restriction: OffsetRange) -> int:
        return 1

    def truncate(self, plan: TickPlan, restriction: OffsetRange) -> None:
        return None  # a drained job gets no more ticks


@dataclass
class _Course:
    """Where the ticks of a plan are, by the monotonic clock of this process: the wall clock may be set."""

    began: float
    next: float
    ending: float = 0.0
    latest: float = 0.0


_courses: dict[TickPlan, _Course] = {}
"""By plan and not in the DoFn: a runner may use one instance now, and another for the remainder."""


class _EmitTicks(beam.DoFn):
    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        plan: TickPlan,
        tracker: OffsetRestrictionTracker = beam.DoFn.RestrictionParam(_Ticks()),
        watermark: ManualWatermarkEstimator = beam.DoFn.WatermarkEstimatorParam(
            ManualWatermarkEstimator.default_provider()
        ),
    ) -> Iterator[TimestampedValue]:
        clock = time.monotonic
        course = _courses.setdefault(plan, _Course(clock(), clock()))
        wait = _sleep(plan, course)
        if wait > 0.001:
            tracker.defer_remainder(Duration(wait))
            return
        if not course.ending and (stop_requested() or 0 < plan.seconds <= clock() - course.began):
            course.ending = clock()
        drained = course.ending and (not requests_under_way() or clock() - course.ending > plan.drain_s)
        every = min(plan.every_s, _NAP_S) if course.ending else plan.every_s
        course.next = max(min(course.next, clock()) + every, clock())  # a tick that came early puts nothing off
        number = tracker.current_restriction().start
        if not tracker.try_claim(number):
            return
        # Event time never goes back, whatever the wall clock does.
        course.latest = max(course.latest, time.time())
        yield TimestampedValue(Tick(number, time.time(), bool(course.ending)), Timestamp(course.latest))
        watermark.set_watermark(Timestamp(course.latest))
        if drained:
            tracker.try_claim(_LAST - 1)  # the end
        else:
            tracker.defer_remainder(Duration(0))


def _sleep(plan: TickPlan, course: _Course) -> float:
    """Sleeps until the next tick, but not long; answers with how long there is still to wait."""
    due = course.next
    if plan.seconds and not course.ending:
        due = min(due, course.began + plan.seconds)
    wait = due - time.monotonic()
    if wait <= 0:
        return 0.0
    nap = min(wait, _NAP_S)
    if course.ending:
        time.sleep(nap)
        return wait - nap
    pause(nap)
    return 0.0 if stop_requested() or mail_is_urgent() else wait - nap


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
