"""`newsbeam live`: polls feeds until it is told to stop, and takes up where it stopped."""

import signal
import time
from contextlib import suppress
from datetime import datetime, timezone
from types import FrameType

import apache_beam as beam

from pipeline import build
from pipeline.beam_options import is_elsewhere, pipeline_options
from pipeline.config import Config
from pipeline.metrics_server import run_measured
from pipeline.report import Report, account_of, begin_run, sink_counts, waiting_in
from transforms.live import end_live_run
from transforms.ticks import TickPlan, clear_stop, request_stop


def live(config: Config, seconds: float, beam_arguments: list[str]) -> Report:
    """Polls the feeds of `config` for `seconds` (0: until SIGINT or SIGTERM), and tells what the ledger holds then.

    On a signal nothing new begins, what is under way ends or is left to the next start.
    """
    begun = time.monotonic()
    clear_stop()
    run = datetime.now(timezone.utc).strftime("live-%Y%m%dT%H%M%S.%fZ")
    begin_run(config.ledger, run)
    runner, options = pipeline_options(beam_arguments)
    pipeline = beam.Pipeline(runner=runner, options=options)
    build.live(pipeline, TickPlan(config.tick_s, seconds), config, run)
    if not is_elsewhere(runner):
        with suppress(ValueError):  # not the main thread: somebody else handles signals
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, _stop)
    try:
        result = run_measured(pipeline, runner, config)
    finally:
        end_live_run()
    counts = sink_counts(config.sinks, result, config.spool, live=True)
    account, reasons = account_of("", config.ledger, result)
    return Report(
        account, reasons, counts, time.monotonic() - begun, config.ledger, waiting_in(config.spool), ongoing=True
    )


def _stop(signum: int, frame: FrameType | None) -> None:
    request_stop()
