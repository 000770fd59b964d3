"""`newsbeam replay`: recorded files through the whole pipeline, once, with an account of every input."""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import apache_beam as beam

from newsbeam.pipeline import build
from newsbeam.pipeline.cli.inputs import InputFile
from newsbeam.pipeline.cli.progress import progress
from newsbeam.pipeline.config.beam_options import pipeline_options
from newsbeam.pipeline.config.config import Config
from newsbeam.pipeline.metrics.metrics_server import run_measured
from newsbeam.pipeline.report import Report, account_of, begin_run, sink_counts, waiting_in
from newsbeam.pipeline.runners.flowing_runner import FlowingRunner
from newsbeam.transforms.ledger.units import Ledger
from newsbeam.transforms.model.units import Unit
from newsbeam.transforms.sources.files.documents import copy_stream
from newsbeam.transforms.sources.files.plan import write_plan
from newsbeam.transforms.sources.files.read import Plan
from newsbeam.transforms.sources.files.scan import printable_name, scan, whole_file

GRAIN_SECONDS = 100_000_000.0


def replay(files: Sequence[InputFile], stdin: bool, config: Config, beam_arguments: Sequence[str]) -> Report:
    """Replays `files` (and standard input) into the sinks of `config`."""
    begun = time.monotonic()
    run = datetime.now(timezone.utc).strftime("replay-%Y%m%dT%H%M%S.%fZ")
    begin_run(config.ledger, run)
    runner, options = pipeline_options(beam_arguments)
    config = _in_long_grains(config)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsbeam-")))
        file = work / "plan.db"
        here = isinstance(runner, FlowingRunner)
        cleans = build.cleaner_of(config, str(file) if here else "")  # elsewhere chunks may go to any worker
        if here:
            stack.enter_context(cleans.open()).prepare()  # it loads what it needs while the input is scanned
        plan = Plan(str(file), write_plan(_units(files, stdin, work), file))
        stack.enter_context(progress("replay", plan.units, lambda: _done(config.ledger, run)))
        pipeline = beam.Pipeline(runner=runner, options=options)
        build.replay(pipeline, plan, config, run, cleans)
        result = run_measured(pipeline, runner, config)
    counts = sink_counts(config.sinks, result, config.spool, live=False)
    account, reasons = account_of(run, config.ledger, result)
    return Report(account, reasons, counts, time.monotonic() - begun, config.ledger, waiting_in(config.spool))


def _done(ledger: str, run: str) -> int:
    """Units that have ended; without a ledger nobody knows before the end."""
    return sum(Ledger(ledger).account(run).outcomes.values()) if ledger else 0


def _in_long_grains(config: Config) -> Config:
    """Stages with memory work through as much at a go as the plan gives them: its order is right already, and a go for
    each second of event time would cost 20 ms each."""
    return replace(
        config,
        duplicates=replace(config.duplicates, grain_seconds=GRAIN_SECONDS),
        sites=replace(config.sites, grain_seconds=GRAIN_SECONDS),
        stories=replace(config.stories, grain_seconds=GRAIN_SECONDS),
    )


def _units(files: Sequence[InputFile], stdin: bool, work: Path) -> Iterator[Unit]:
    for file in files:
        if file.reason:
            yield whole_file(file.path, file.name).broken(file.reason, printable_name(file.message))
        elif file.is_stream:
            with file.path.open("rb") as stream:
                copy = copy_stream(stream, work, file.name)
            yield from (replace(unit, source=file.name) for unit in scan(copy, file.name, work))
        else:
            yield from scan(file.path, file.name, work)
    if stdin:
        for unit in scan(copy_stream(sys.stdin.buffer, work, "stdin"), "stdin", work):
            yield replace(unit, source="-")
