"""`newsbeam live`: polls feeds until it is told to stop, and takes up where it stopped."""

import signal
import time
from contextlib import suppress
from datetime import datetime, timezone
from types import FrameType

import apache_beam as beam

from pipeline import build
from pipeline.beam_options import pipeline_options
from pipeline.config import Config
from pipeline.report import Report, sink_counts
from transforms.ledger import Ledger
from transforms.live import end_live_run
from transforms.reading.times import utc_text
from transforms.ticks import TickPlan, clear_stop, request_stop


def live(config: Config, seconds: float, beam_arguments: list[str]) -> Report:
    """Polls the feeds of `config` for `seconds` (0: until SIGINT or SIGTERM), and tells what the ledger holds then.

    On a signal nothing new begins, what is under way ends or is left to the next start.
    """
    begun = time.monotonic()
    clear_stop()
    ledger = Ledger(config.ledger)
    ledger.create()
    run = datetime.now(timezone.utc).strftime("live-%Y%m%dT%H%M%S.%fZ")
    ledger.begin(run, "live", utc_text(datetime.now(timezone.utc)))
    runner, options = pipeline_options(beam_arguments)
    pipeline = beam.Pipeline(runner=runner, options=options)
    build.live(pipeline, TickPlan(config.tick_s, seconds), config, run)
    with suppress(ValueError):  # not the main thread: somebody else handles signals
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
    try:
        result = pipeline.run()
        result.wait_until_finish()
    finally:
        end_live_run()
    counts = sink_counts(config.sinks, result)
    ledger.end(run, utc_text(datetime.now(timezone.utc)))
    reasons = ledger.dead_letter_reasons(run)
    return Report(ledger.account(), reasons, counts, time.monotonic() - begun, config.ledger, ongoing=True)


def _stop(signum: int, frame: FrameType | None) -> None:
    request_stop()
