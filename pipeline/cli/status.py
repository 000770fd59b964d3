"""`newsbeam status`: what a ledger says, also while a live run writes it, and what waits for sinks that are away."""

from datetime import datetime, timezone
from pathlib import Path

from newsbeam.pipeline.metrics.ledger_state import LedgerState, kind_of, quantile, read_ledger
from newsbeam.transforms.model.errors import UsageError
from newsbeam.transforms.sinks.spool import waiting


def status(file: str, spool: Path | None = None) -> str:
    """Feeds by state, polls, entries and outcomes, as a table for a person; and the records in the spool, by sink.

    Args:
        spool: where records wait for a sink that is away; None: `spool.db` beside the ledger, if it is there.

    Raises:
        UsageError: there is no such ledger, or no such spool.
    """
    if not Path(file).is_file():
        raise UsageError(f"{file}: there is no such ledger; name it with --ledger FILE")
    if spool is not None and not spool.is_file():
        raise UsageError(f"{spool}: there is no such spool; it is the file that `spool:` of the configuration names")
    state = read_ledger(file)
    account, lags = state.account, state.lags
    lines = [*_feeds(state), f"{'entries':<16}{account.inputs:>8}"]
    lines += [f"  {outcome.replace('_', ' '):<14}{count:>8}" for outcome, count in sorted(account.outcomes.items())]
    lines.append(f"  {'pending':<14}{account.pending:>8}")
    if lags:
        middle, late = quantile(lags, 0.5), quantile(lags, 0.95)
        lines.append(f"{'lag':<16}{middle:>7.0f} s from publication to sink, {late:.0f} s at p95")
    lines += _waiting(spool or Path(file).with_name("spool.db"))
    lines.append(
        "all entries are accounted for" if account.unknown == 0 else f"{account.unknown} outcomes without an entry"
    )
    return "\n".join(lines)


def _feeds(state: LedgerState) -> list[str]:
    states, kinds = state.feeds, state.feeds_by_state()
    lines = [f"{'feeds':<16}{len(states):>8}"]
    lines += [f"  {kind:<14}{kinds[kind]:>8}" for kind in ("healthy", "quiet", "failing", "gone") if kinds[kind]]
    for feed in sorted((f for f in states if kind_of(f, state.now) == "failing"), key=lambda f: f.failing_since)[:10]:
        since = datetime.fromtimestamp(feed.failing_since, timezone.utc).strftime("%Y-%m-%d %H:%M")
        lines.append(f"    since {since}Z  {feed.reason:<16} {feed.url}")
    polls = sum(feed.polls for feed in states)
    unchanged = sum(feed.unchanged for feed in states)
    share = f"   {unchanged / polls:.0%} unchanged (304, or the same bytes)" if polls else ""
    lines.append(f"{'polls':<16}{polls:>8}{share}")
    return lines


def _waiting(spool: Path) -> list[str]:
    held = waiting(spool)
    lines = [f"{'spool':<16}{sum(held.values()):>8} records wait for sinks that are away"] if spool.is_file() else []
    return lines + [f"  {count:>22} for {sink}" for sink, count in held.items()]
