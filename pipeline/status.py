"""`newsbeam status`: what a ledger says, also while a live run writes it."""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

from transforms.ledger import Ledger
from transforms.schedule import FeedState, unpack
from transforms.sinks.sink import SinkError

_QUIET_S = 30 * 86400.0


def status(file: str) -> str:
    """Feeds by state, polls, entries and outcomes, as a table for a person.

    Raises:
        SinkError: there is no such ledger.
    """
    if not Path(file).is_file():
        raise SinkError(f"{file}: there is no such ledger; name it with --ledger FILE")
    account, lags = Ledger(file).account(), Ledger(file).lags()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        has_feeds = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'feeds'").fetchone()
        states = [unpack(row[0]) for row in database.execute("SELECT state FROM feeds")] if has_feeds else []
    lines = [*_feeds(states), f"{'entries':<16}{account.inputs:>8}"]
    lines += [f"  {outcome.replace('_', ' '):<14}{count:>8}" for outcome, count in sorted(account.outcomes.items())]
    lines.append(f"  {'pending':<14}{account.pending:>8}")
    if lags:
        middle, late = lags[len(lags) // 2], lags[int(len(lags) * 0.95)]
        lines.append(f"{'lag':<16}{middle:>7.0f} s from publication to sink, {late:.0f} s at p95")
    lines.append(
        "all entries are accounted for" if account.unknown == 0 else f"{account.unknown} outcomes without an entry"
    )
    return "\n".join(lines)


def _feeds(states: list[FeedState]) -> list[str]:
    now = datetime.now(timezone.utc).timestamp()
    kinds = Counter(_kind(state, now) for state in states)
    lines = [f"{'feeds':<16}{len(states):>8}"]
    lines += [f"  {kind:<14}{kinds[kind]:>8}" for kind in ("healthy", "quiet", "failing", "gone") if kinds[kind]]
    for state in sorted((s for s in states if _kind(s, now) == "failing"), key=lambda s: s.failing_since)[:10]:
        since = datetime.fromtimestamp(state.failing_since, timezone.utc).strftime("%Y-%m-%d %H:%M")
        lines.append(f"    since {since}Z  {state.reason:<16} {state.url}")
    polls = sum(state.polls for state in states)
    unchanged = sum(state.unchanged for state in states)
    share = f"   {unchanged / polls:.0%} unchanged (304, or the same bytes)" if polls else ""
    lines.append(f"{'polls':<16}{polls:>8}{share}")
    return lines


def _kind(state: FeedState, now: float) -> str:
    """What a feed is like: `gone` (410), `failing`, `quiet` (nothing new in 30 days), else `healthy`."""
    if state.gone:
        return "gone"
    if state.failures:
        return "failing"
    return "quiet" if state.last_new_at and now - state.last_new_at > _QUIET_S else "healthy"
