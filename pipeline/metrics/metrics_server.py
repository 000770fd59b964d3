"""`--metrics-port`: what a run does, as Prometheus text at `http://127.0.0.1:PORT/metrics`.

Counters and distributions are Beam's own (`runtime/measures.py`), from the start of this process; gauges are of the
moment: feeds, pending inputs and quantiles of the lag from the ledger, what waits for a sink from the spool.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import apache_beam as beam
from apache_beam.runners.runner import PipelineResult, PipelineRunner
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from newsbeam.pipeline.config.config import Config
from newsbeam.pipeline.metrics.ledger_state import LedgerState, quantile, read_ledger
from newsbeam.pipeline.runners.flowing_runner import FlowingRunner
from newsbeam.pipeline.runners.running_metrics import Distribution, Totals, totals_of
from newsbeam.transforms.runtime.measures import DEAD_LETTERS, INPUTS, OUTCOMES, PAGES, RECORDS
from newsbeam.transforms.sinks.spool import waiting
from newsbeam.transforms.sinks.write import METRICS as SINKS

QUANTILES = (0.5, 0.95)


class RunCollector(Collector):
    """What there is to know of a run, asked anew at each scrape.

    Args:
        totals: Beam's metrics of this moment.
        ledger: the ledger's file; empty if none is kept.
        spool: the spool's file; empty if there is none.
    """

    def __init__(self, totals: Callable[[], Totals], ledger: str, spool: str) -> None:
        self._totals = totals
        self._ledger = ledger
        self._spool = spool

    def collect(self) -> Iterator[Metric]:
        """All metrics, those of Beam first."""
        state = None
        if self._ledger:
            try:
                state = read_ledger(self._ledger)
            except sqlite3.OperationalError:  # locked for long; the next scrape will do
                state = None
        yield from _counted(self._totals(), state)
        if state is not None:
            yield from _of_ledger(state)
        if self._spool:
            held = _gauge("spool_waiting_records", "Records that wait on disk for a sink that is away.", "sink")
            for sink, count in sorted(waiting(Path(self._spool)).items()):
                held.add_metric([sink], count)
            yield held


def _counted(totals: Totals, state: LedgerState | None) -> Iterator[Metric]:
    counters = totals.counters
    yield _counter("inputs", "Entries, messages and files that were found.", counters[OUTCOMES, INPUTS])
    yield _counter("polls", "Polls of feeds that came back.", counters["discover", "polls"])
    yield _counter("pages", "Pages that were fetched, pushed or read.", counters[PAGES, "pages"])
    yield _summary("page_bytes", "Size of pages.", totals.distributions[PAGES, "bytes"])
    ended = CounterMetricFamily("newsbeam_outcomes", "Inputs that ended, by how.", labels=["outcome"])
    dead = CounterMetricFamily("newsbeam_dead_letters", "Dead letters.", labels=["stage", "reason"])
    sinks = CounterMetricFamily("newsbeam_sink_records", "What sinks did with records.", labels=["sink", "did"])
    waited = CounterMetricFamily("newsbeam_sink_waited_seconds", "Time spent waiting for sinks.", labels=["sink"])
    for (namespace, name), count in sorted(counters.items()):
        if namespace == OUTCOMES and name != INPUTS:
            ended.add_metric([name], count)
        elif namespace == DEAD_LETTERS:
            dead.add_metric(list(name.partition(":")[::2]), count)
        elif namespace == SINKS:
            sink, _, did = name.partition("_")
            if did == "waited_ms":
                waited.add_metric([sink], count / 1000)
            else:
                sinks.add_metric([sink, did], count)
    yield from (ended, dead, sinks, waited)
    yield _counter("lines_removed", "Lines taken out of texts.", counters[RECORDS, "lines_removed"])
    lag = _summary("publication_lag_seconds", "From publication to the sinks.", totals.distributions[RECORDS, "lag_s"])
    if state is not None and state.lags:  # of the last 10,000 stories in the ledger
        for share in QUANTILES:
            lag.add_sample(lag.name, {"quantile": str(share)}, quantile(state.lags, share))
    yield lag
    stages = CounterMetricFamily("newsbeam_stage_seconds", "Time spent in each stage (sampled).", labels=["stage"])
    for stage, seconds in sorted(totals.stage_seconds.items()):
        stages.add_metric([stage], seconds)
    yield stages


def _of_ledger(state: LedgerState) -> Iterator[Metric]:
    feeds = _gauge("feeds", "Feeds by state.", "state")
    for kind, count in sorted(state.feeds_by_state().items()):
        feeds.add_metric([kind], count)
    yield feeds
    yield GaugeMetricFamily("newsbeam_pending", "Inputs without an outcome.", state.account.pending)
    units = _gauge("ledger_units", "Inputs of all runs in the ledger, by outcome.", "outcome")
    for outcome, count in sorted(state.account.outcomes.items()):
        units.add_metric([outcome], count)
    yield units
    unknown = "Outcomes of inputs that were never noted; more than 0 is a fault."
    yield GaugeMetricFamily("newsbeam_ledger_unknown_outcomes", unknown, state.account.unknown)


def _counter(name: str, says: str, count: float) -> Metric:
    return CounterMetricFamily(f"newsbeam_{name}", says, count)


def _gauge(name: str, says: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"newsbeam_{name}", says, labels=[label])


def _summary(name: str, says: str, of: Distribution) -> SummaryMetricFamily:
    return SummaryMetricFamily(f"newsbeam_{name}", says, count_value=of.count, sum_value=of.sum)


@contextmanager
def serve_metrics(totals: Callable[[], Totals], host: str, port: int, ledger: str, spool: str) -> Iterator[None]:
    """Serves them until the block ends; port 0 serves nothing."""
    if not port:
        yield
        return
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(RunCollector(totals, ledger, spool))
    server, thread = start_http_server(port, host, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run_measured(pipeline: beam.Pipeline, runner: PipelineRunner | str, config: Config) -> PipelineResult:
    """Runs a pipeline to its end; meanwhile its metrics are served, if the configuration says where."""
    result: PipelineResult | None = None

    def totals() -> Totals:
        if isinstance(runner, FlowingRunner):
            return runner.totals.read()
        return totals_of(result) if result is not None else Totals()

    with serve_metrics(totals, config.metrics_host, config.metrics_port, config.ledger, config.spool):
        result = pipeline.run()
        result.wait_until_finish()
    return result
