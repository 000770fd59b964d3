"""The closing table of a run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from apache_beam.metrics.metric import MetricsFilter
from apache_beam.runners.runner import PipelineResult

from newsbeam.transforms.ledger.units import Account, Ledger, counted
from newsbeam.transforms.model.address import Address
from newsbeam.transforms.runtime.measures import DEAD_LETTERS, OUTCOMES, RECORDS
from newsbeam.transforms.sinks.sink import WriteCounts
from newsbeam.transforms.sinks.spool import drain_spool, waiting
from newsbeam.transforms.sinks.uri import finalize_sink
from newsbeam.transforms.sinks.write import METRICS, counter_names


@dataclass(frozen=True)
class SinkReport:
    """What a sink was given and did: `counts` where it can tell, of all that it `accepted`."""

    accepted: int
    counts: WriteCounts

    def __str__(self) -> str:
        told = {word: number for word, number in vars(self.counts).items() if number}
        untold = self.accepted - sum(told.values())
        if untold > 0:  # one that only appends does not know what it had before
            told["accepted"] = untold
        return ", ".join(f"{number} {word}" for word, number in told.items()) or "nothing new"


@dataclass(frozen=True)
class Report:
    """What a run did."""

    account: Account
    dead_letter_reasons: dict[str, int]
    sinks: dict[str, SinkReport]
    seconds: float
    ledger: str
    waiting: dict[str, int] = field(default_factory=dict)
    """Records in the spool, by sink: the next run writes them first."""
    ongoing: bool = False
    """Whether what is pending waits for the next start, as after a live run, and is not lost."""
    settled: dict[str, int] = field(default_factory=dict)
    """Outcomes that this run settled, where `account` is of earlier runs too."""

    @property
    def adds_up(self) -> bool:
        """Whether every input has exactly one outcome, or waits in the ledger for the next start."""
        account = self.account
        if self.ongoing:
            return account.unknown == 0 and account.inputs == account.pending + sum(account.outcomes.values())
        return account.adds_up


def begin_run(ledger: str, run: str) -> None:
    """Makes the ledger's file where it is missing; nothing if none is kept."""
    if ledger:
        Ledger(ledger).create()


def sink_counts(sinks: Sequence[Address], result: PipelineResult, spool: str, live: bool) -> dict[str, SinkReport]:
    """Ends what the sinks have left to do, and tells what each did."""
    counters, names = _counters(result, METRICS), counter_names(sinks)
    reports = {}
    for uri in sinks:
        did = {word: counters.get(f"{names[uri]}_{word}", 0) for word in ("inserted", "updated", "unchanged")}
        accepted = counters.get(f"{names[uri]}_accepted", 0)
        drained = drain_spool(uri, Path(spool), live) if spool else WriteCounts()
        reports[str(uri)] = SinkReport(accepted, WriteCounts(**did) + drained + finalize_sink(uri))
    return reports


def waiting_in(spool: str) -> dict[str, int]:
    """Records that wait for sinks, by sink."""
    return waiting(Path(spool)) if spool else {}


def account_of(run: str, ledger: str, result: Optional[PipelineResult]) -> tuple[Account, dict[str, int]]:
    """The account of a run, or of the whole ledger if `run` is empty, and the run's dead letters by reason.

    `result` matters where no ledger is kept.
    """
    if not ledger:
        reasons = _counters(result, DEAD_LETTERS)
        account = counted(_counters(result, OUTCOMES), _counters(result, RECORDS)["lines_removed"])
        return account, dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    return Ledger(ledger).account(run), Ledger(ledger).dead_letter_reasons(run)


def _counters(result: Optional[PipelineResult], namespace: str) -> Counter[str]:
    total: Counter[str] = Counter()
    if result is None or not getattr(
        result, "has_job", True
    ):  # Dataflow only made a template: there is nothing to count yet
        return total
    for counter in result.metrics().query(MetricsFilter().with_namespace(namespace))["counters"]:
        total[counter.key.metric.name] += counter.committed or counter.attempted or 0
    return total


def as_table(report: Report) -> str:
    """The closing table, for a person."""
    account = report.account
    named = {
        "inputs": account.inputs,
        "stories": account.outcomes.get("story", 0),
        "duplicates": account.outcomes.get("duplicate", 0),
        "revisions": account.outcomes.get("revision", 0),
        "unchanged": account.outcomes.get("unchanged", 0),
        "dead letters": account.outcomes.get("dead_letter", 0),
        "pending": account.pending,
        "lines removed": account.lines_removed,
    }
    always = {"inputs", "stories", "duplicates", "dead letters", "lines removed"}
    lines = [f"{name:<14}{count:>8}" for name, count in named.items() if count or name in always]
    if report.ongoing:
        now = ", ".join(f"{outcome.replace('_', ' ')} {count}" for outcome, count in report.settled.items())
        lines.append(f"{'in this run':<14}{sum(report.settled.values()):>8}   {now}".rstrip())
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.dead_letter_reasons.items())
    lines = [f"{line}   {reasons}" if reasons and line.startswith("dead letters") else line for line in lines]
    lines.append(f"{'seconds':<14}{report.seconds:>8.1f}")
    for uri, did in report.sinks.items():
        lines.append(f"{'output':<14}{uri}   {did}")
    for sink, count in report.waiting.items():
        lines.append(f"{'waiting':<14}{count:>8}   for {sink}, which is away: they go first in the next run")
    lines.append(f"{'ledger':<14}{report.ledger or 'none'}")
    if not report.adds_up:
        lines.append(
            f"The counts do not add up: {account.pending} inputs have no outcome, {account.unknown} outcomes no input."
        )
    return "\n".join(lines)
