"""The closing table of a run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apache_beam.metrics.metric import MetricsFilter
from apache_beam.runners.runner import PipelineResult

from transforms.ledger import Account, Ledger, counted
from transforms.measures import DEAD_LETTERS, OUTCOMES, RECORDS
from transforms.sinks.sink import WriteCounts
from transforms.sinks.spool import drain_spool, waiting
from transforms.sinks.uri import finalize_sink, parse_sink
from transforms.sinks.write import METRICS


@dataclass(frozen=True)
class Report:
    """What a run did."""

    account: Account
    dead_letter_reasons: dict[str, int]
    sinks: dict[str, WriteCounts]
    seconds: float
    ledger: str
    waiting: dict[str, int] = field(default_factory=dict)
    """Records in the spool, by sink: the next run writes them first."""
    ongoing: bool = False
    """Whether what is pending waits for the next start, as after a live run, and is not lost."""

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


def sink_counts(sinks: Sequence[str], result: PipelineResult, spool: str, live: bool) -> dict[str, WriteCounts]:
    """Ends what the sinks have left to do, and tells what each did."""
    counts = {}
    for uri in sinks:
        drained = drain_spool(uri, Path(spool), live) if spool else WriteCounts()
        counts[uri] = _counted(uri, result) + drained + finalize_sink(uri)
    return counts


def waiting_in(spool: str) -> dict[str, int]:
    """Records that wait for sinks, by sink."""
    return waiting(Path(spool)) if spool else {}


def account_of(run: str, ledger: str, result: PipelineResult) -> tuple[Account, dict[str, int]]:
    """The account of a run, or of the whole ledger if `run` is empty, and the run's dead letters by reason."""
    if not ledger:
        reasons = _counters(result, DEAD_LETTERS)
        account = counted(_counters(result, OUTCOMES), _counters(result, RECORDS)["lines_removed"])
        return account, dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
    return Ledger(ledger).account(run), Ledger(ledger).dead_letter_reasons(run)


def _counted(uri: str, result: PipelineResult) -> WriteCounts:
    """What the sinks of this scheme counted while they wrote; two sinks of one scheme share their counters."""
    scheme, counters = parse_sink(uri).scheme, _counters(result, METRICS)
    return WriteCounts(*(counters.get(f"{scheme}_{did}", 0) for did in ("inserted", "updated", "unchanged")))


def _counters(result: PipelineResult, namespace: str) -> Counter[str]:
    total: Counter[str] = Counter()
    if not getattr(result, "has_job", True):  # Dataflow only made a template: there is nothing to count yet
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
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.dead_letter_reasons.items())
    lines = [f"{line}   {reasons}" if reasons and line.startswith("dead letters") else line for line in lines]
    lines.append(f"{'seconds':<14}{report.seconds:>8.1f}")
    for uri, counts in report.sinks.items():
        did = [f"{n} {word}" for word, n in vars(counts).items() if n]
        lines.append(f"{'output':<14}{uri}   {', '.join(did) or 'nothing new'}")
    for sink, count in report.waiting.items():
        lines.append(f"{'waiting':<14}{count:>8}   for {sink}, which is away: they go first in the next run")
    lines.append(f"{'ledger':<14}{report.ledger or 'none'}")
    if not report.adds_up:
        lines.append(
            f"The counts do not add up: {account.pending} inputs have no outcome, {account.unknown} outcomes no input."
        )
    return "\n".join(lines)
