"""`newsbeam live`: polls feeds until it is told to stop, and takes up where it stopped."""

import logging
import sqlite3
import time
from datetime import datetime, timezone

import apache_beam as beam

from newsbeam.pipeline import build
from newsbeam.pipeline.config.beam_options import is_elsewhere, pipeline_options
from newsbeam.pipeline.config.config import Config
from newsbeam.pipeline.metrics.metrics_server import run_measured
from newsbeam.pipeline.report import Report, account_of, begin_run, sink_counts, waiting_in
from newsbeam.transforms.model.errors import SinkAway
from newsbeam.transforms.runtime.stopping import end_on_signals, stop_on_signals, stop_requested
from newsbeam.transforms.sources.live import end_live_run
from newsbeam.transforms.sources.ticks import TickPlan

_AWAY = (SinkAway, sqlite3.OperationalError)
_log = logging.getLogger(__name__)


def live(config: Config, seconds: float, beam_arguments: list[str]) -> Report:
    """Polls the feeds of `config` for `seconds` (0: until SIGINT or SIGTERM), and tells what the ledger holds then.

    On a signal nothing new begins, what is under way ends or is left to the next start.
    """
    begun = time.monotonic()
    stop_on_signals()
    run = datetime.now(timezone.utc).strftime("live-%Y%m%dT%H%M%S.%fZ")
    begin_run(config.ledger, run)
    runner, options = pipeline_options(beam_arguments)
    pipeline = beam.Pipeline(runner=runner, options=options)
    build.live(pipeline, TickPlan(config.tick_s, seconds), config, run)
    if is_elsewhere(runner):
        end_on_signals()
    result = None
    try:
        result = run_measured(pipeline, runner, config)
    except (*_AWAY, RuntimeError) as error:  # some runners raise what a stage raised, others make text of it
        away = isinstance(error, _AWAY) or any(kind.__name__ in str(error) for kind in _AWAY)
        if not (away and stop_requested() and config.ledger):
            raise
        _log.warning("stopped while a sink or the disk was away: what was under way waits for the next start")
    finally:
        end_live_run()
    counts = sink_counts(config.sinks, result, config.spool, live=True) if result else {}
    account, _ = account_of("", config.ledger, result)
    now, reasons = account_of(run, config.ledger, result)
    return Report(
        account,
        reasons,
        counts,
        time.monotonic() - begun,
        config.ledger,
        waiting_in(config.spool),
        ongoing=True,
        settled=now.outcomes,
    )
