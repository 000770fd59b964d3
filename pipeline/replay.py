"""`newsbeam replay`: recorded files through the whole pipeline, once, with an account of every input."""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import apache_beam as beam
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.runners.runner import PipelineResult

from pipeline import build
from pipeline.beam_options import pipeline_options
from pipeline.config import Config
from pipeline.inputs import InputFile
from pipeline.progress import progress
from transforms.ledger import Account, Ledger
from transforms.reading.plan import write_plan
from transforms.reading.read import Plan
from transforms.reading.scan import scan, spool_stream
from transforms.reading.times import utc_text
from transforms.reading.units import Unit
from transforms.sinks.sink import WriteCounts
from transforms.sinks.uri import finalize_sink, parse_sink
from transforms.sinks.write import METRICS


GRAIN_SECONDS = 100_000_000.0


@dataclass(frozen=True)
class Report:
    """What a replay did."""

    account: Account
    dead_letter_reasons: dict[str, int]
    sinks: dict[str, WriteCounts]
    seconds: float


def replay(files: Sequence[InputFile], stdin: bool, config: Config, beam_arguments: Sequence[str]) -> Report:
    """Replays `files` (and standard input) into the sinks of `config`."""
    begun = time.monotonic()
    ledger = Ledger(config.ledger)
    ledger.create()
    run = datetime.now(timezone.utc).strftime("replay-%Y%m%dT%H%M%S.%fZ")
    ledger.begin(run, "replay", utc_text(datetime.now(timezone.utc)))
    runner, options = pipeline_options(beam_arguments)
    config = _in_long_grains(config)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsbeam-")))
        plan = Plan(str(work / "plan.db"), write_plan(_units(files, stdin, work), work / "plan.db"))
        stack.enter_context(progress("replay", plan.units, lambda: sum(ledger.account(run).outcomes.values())))
        pipeline = beam.Pipeline(runner=runner, options=options)
        build.replay(pipeline, plan, config, run)
        result = pipeline.run()
        result.wait_until_finish()
    counts = {uri: _counted(uri, result) + finalize_sink(uri) for uri in config.sinks}
    ledger.end(run, utc_text(datetime.now(timezone.utc)))
    return Report(ledger.account(run), ledger.dead_letter_reasons(run), counts, time.monotonic() - begun)


def _in_long_grains(config: Config) -> Config:
    """Stages with memory work through as much at a go as the plan gives them: its order is right already, and a go for
    each second of event time would cost 20 ms each."""
    return replace(
        config,
        duplicates=replace(config.duplicates, grain_seconds=GRAIN_SECONDS),
        stories=replace(config.stories, grain_seconds=GRAIN_SECONDS),
    )


def _units(files: Sequence[InputFile], stdin: bool, work: Path) -> Iterator[Unit]:
    for file in files:
        yield from scan(file.path, file.name, work)
    if stdin:
        for unit in scan(spool_stream(sys.stdin.buffer, work), "stdin", work):
            yield replace(unit, source="-")


def _counted(uri: str, result: PipelineResult) -> WriteCounts:
    """What the sinks of this scheme counted while they wrote; two sinks of one scheme share their counters."""
    scheme = parse_sink(uri).scheme
    found = {
        counter.key.metric.name.removeprefix(f"{scheme}_"): counter.committed or counter.attempted or 0
        for counter in result.metrics().query(MetricsFilter().with_namespace(METRICS))["counters"]
        if counter.key.metric.name.startswith(f"{scheme}_")
    }
    return WriteCounts(found.get("inserted", 0), found.get("updated", 0), found.get("unchanged", 0))


def as_table(report: Report, config: Config) -> str:
    """The closing table, for a person."""
    account = report.account
    named = {
        "inputs": account.inputs,
        "stories": account.outcomes.get("story", 0),
        "duplicates": account.outcomes.get("duplicate", 0),
        "revisions": account.outcomes.get("revision", 0),
        "unchanged": account.outcomes.get("unchanged", 0),
        "dead letters": account.outcomes.get("dead_letter", 0),
        "lines removed": account.lines_removed,
    }
    always = {"inputs", "stories", "duplicates", "dead letters", "lines removed"}
    lines = [f"{name:<14}{count:>8}" for name, count in named.items() if count or name in always]
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.dead_letter_reasons.items())
    lines = [f"{line}   {reasons}" if reasons and line.startswith("dead letters") else line for line in lines]
    lines.append(f"{'seconds':<14}{report.seconds:>8.1f}")
    for uri, counts in report.sinks.items():
        did = [f"{n} {word}" for word, n in vars(counts).items() if n]
        lines.append(f"{'output':<14}{uri}   {', '.join(did) or 'nothing new'}")
    lines.append(f"{'ledger':<14}{config.ledger}")
    if not account.adds_up:
        lines.append(
            f"The counts do not add up: {account.pending} inputs have no outcome, {account.unknown} outcomes no input."
        )
    return "\n".join(lines)
