"""The closing table of a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from apache_beam.metrics.metric import MetricsFilter
from apache_beam.runners.runner import PipelineResult

from transforms.ledger import Account
from transforms.sinks.sink import WriteCounts
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
    ongoing: bool = False
    """Whether what is pending waits for the next start, as after a live run, and is not lost."""

    @property
    def adds_up(self) -> bool:
        """Whether every input has exactly one outcome, or waits in the ledger for the next start."""
        account = self.account
        if self.ongoing:
            return account.unknown == 0 and account.inputs == account.pending + sum(account.outcomes.values())
        return account.adds_up


def sink_counts(sinks: Sequence[str], result: PipelineResult) -> dict[str, WriteCounts]:
    """Ends what the sinks have left to do, and tells what each did."""
    return {uri: _counted(uri, result) + finalize_sink(uri) for uri in sinks}


def _counted(uri: str, result: PipelineResult) -> WriteCounts:
    """What the sinks of this scheme counted while they wrote; two sinks of one scheme share their counters."""
    scheme = parse_sink(uri).scheme
    found = {
        counter.key.metric.name.removeprefix(f"{scheme}_"): counter.committed or counter.attempted or 0
        for counter in result.metrics().query(MetricsFilter().with_namespace(METRICS))["counters"]
        if counter.key.metric.name.startswith(f"{scheme}_")
    }
    return WriteCounts(found.get("inserted", 0), found.get("updated", 0), found.get("unchanged", 0))


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
    lines.append(f"{'ledger':<14}{report.ledger}")
    if not report.adds_up:
        lines.append(
            f"The counts do not add up: {account.pending} inputs have no outcome, {account.unknown} outcomes no input."
        )
    return "\n".join(lines)
