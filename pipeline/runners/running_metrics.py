"""Beam's metrics of a job while it runs.

The result of Beam's local engine tells them at the end only, so the local engine adds up here what each bundle reports.
A job server (Prism, Flink) answers at any time.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from apache_beam.metrics import monitoring_infos
from apache_beam.runners.runner import PipelineResult

Name = tuple[str, str]
"""Namespace and name of a metric."""


@dataclass
class Distribution:
    """Numbers, summed up."""

    count: int = 0
    sum: int = 0
    least: int = 0
    most: int = 0

    def add(self, count: int, total: int, least: int, most: int) -> None:
        """Takes in another part of the same distribution."""
        if count:
            self.least = min(self.least, least) if self.count else least
            self.most = max(self.most, most) if self.count else most
            self.count, self.sum = self.count + count, self.sum + total


@dataclass
class Totals:
    """All that was counted so far, over all steps and workers.

    Attributes:
        stage_seconds: time spent in each stage of `pipeline/build.py`, as Beam samples it; the local engine's only.
    """

    counters: defaultdict[Name, int] = field(default_factory=lambda: defaultdict(int))
    distributions: defaultdict[Name, Distribution] = field(default_factory=lambda: defaultdict(Distribution))
    stage_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


class RunningTotals:
    """Adds up the bundles of the local engine; safe between threads."""

    def __init__(self) -> None:
        self._totals = Totals()
        self._lock = threading.Lock()

    def add(self, infos: Iterable[Any]) -> None:
        """Takes in what one bundle reports (protobufs `MonitoringInfo`)."""
        with self._lock:
            for info in infos:
                self._add(info)

    def _add(self, info: Any) -> None:
        if info.urn == monitoring_infos.TOTAL_MSECS_URN:
            stage = info.labels[monitoring_infos.PTRANSFORM_LABEL].partition("/")[0]
            self._totals.stage_seconds[stage] += monitoring_infos.extract_counter_value(info) / 1000
        elif info.urn == monitoring_infos.USER_COUNTER_URN:
            name = monitoring_infos.parse_namespace_and_name(info)
            self._totals.counters[name] += monitoring_infos.extract_counter_value(info)
        elif info.urn == monitoring_infos.USER_DISTRIBUTION_URN:
            name = monitoring_infos.parse_namespace_and_name(info)
            self._totals.distributions[name].add(*monitoring_infos.extract_distribution(info))

    def read(self) -> Totals:
        """The totals of this moment."""
        with self._lock:
            totals = Totals()
            totals.counters.update(self._totals.counters)
            totals.stage_seconds.update(self._totals.stage_seconds)
            for name, one in self._totals.distributions.items():
                totals.distributions[name].add(one.count, one.sum, one.least, one.most)
            return totals


def totals_of(result: PipelineResult) -> Totals:
    """What a job server says now."""
    totals = Totals()
    found = result.metrics().query()
    result._metrics = None  # a job server's result would keep its first answer for ever
    for counter in found["counters"]:
        totals.counters[counter.key.metric.namespace, counter.key.metric.name] += counter.result or 0
    for one in found["distributions"]:
        data = one.result
        totals.distributions[one.key.metric.namespace, one.key.metric.name].add(
            data.count, data.sum, data.min or 0, data.max or 0
        )
    return totals
