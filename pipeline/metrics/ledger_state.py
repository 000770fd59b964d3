"""What a ledger says of feeds and inputs, for `newsbeam status` and for metrics."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone

from newsbeam.transforms.ledger.database import read_ledger_file
from newsbeam.transforms.ledger.units import Account, Ledger
from newsbeam.transforms.sources.polling.schedule import FeedState, unpack

_QUIET_S = 30 * 86400.0


@dataclass(frozen=True)
class LedgerState:
    """A ledger at one moment.

    Attributes:
        account: of all runs.
        lags: seconds from publication to the sinks, sorted, of the last stories.
        feeds: that were ever polled.
        now: seconds since 1970.
    """

    account: Account
    lags: Sequence[float]
    feeds: Sequence[FeedState]
    now: float

    def feeds_by_state(self) -> Counter[str]:
        """Number of feeds that are `healthy`, `quiet`, `failing`, `gone`."""
        return Counter(kind_of(feed, self.now) for feed in self.feeds)


def read_ledger(file: str) -> LedgerState:
    """Reads a ledger, also while a run writes it."""
    account, lags = Ledger(file).account(), Ledger(file).lags()
    with closing(read_ledger_file(file)) as database:
        has_feeds = database.execute("SELECT 1 FROM sqlite_master WHERE name = 'feeds'").fetchone()
        feeds = [unpack(row[0]) for row in database.execute("SELECT state FROM feeds")] if has_feeds else []
    return LedgerState(account, lags, feeds, datetime.now(timezone.utc).timestamp())


def kind_of(feed: FeedState, now: float) -> str:
    """What a feed is like: `gone` (410), `failing`, `quiet` (nothing new in 30 days), else `healthy`."""
    if feed.gone:
        return "gone"
    if feed.failures:
        return "failing"
    return "quiet" if feed.last_new_at and now - feed.last_new_at > _QUIET_S else "healthy"


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted numbers lie."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
