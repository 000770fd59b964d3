"""How the feeds of a run are doing, from the states that the ledger keeps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from transforms.feed_shard import utc
from transforms.schedule import unpack

_QUIET_S = 7 * 86_400.0


@dataclass(frozen=True)
class FailingFeed:
    """A feed that cannot be read at the moment."""

    feed_url: str
    reason: str
    since: str
    """UTC."""
    failures: int


@dataclass(frozen=True)
class FeedStatus:
    """Feeds by state, and what was asked of them.

    Attributes:
        healthy: brought something within a week, or are younger than that.
        quiet: are well, and have brought nothing for a week.
        failing: the last poll failed.
        gone: the server said that they are (410).
        waiting: not polled yet.
        polls, unchanged: since each feed was first polled.
        overdue: should have been polled a minute ago.
        examples: the feeds that have failed longest.
    """

    healthy: int = 0
    quiet: int = 0
    failing: int = 0
    gone: int = 0
    waiting: int = 0
    polls: int = 0
    unchanged: int = 0
    overdue: int = 0
    examples: tuple[FailingFeed, ...] = field(default=())

    @property
    def unchanged_share(self) -> float:
        """Of all polls."""
        return self.unchanged / self.polls if self.polls else 0.0


def feed_status(states: Mapping[str, bytes], feed_urls: Iterable[str], now: float) -> FeedStatus:
    """Counts feeds.

    Args:
        states: packed, by feed URL.
        feed_urls: of the configuration; those without a state have not been polled.
        now: seconds since 1970.
    """
    healthy = quiet = gone = polls = unchanged = overdue = 0
    failing: list[tuple[float, FailingFeed]] = []
    for feed_url, packed in states.items():
        state = unpack(packed)
        polls += state.polls
        unchanged += state.unchanged
        overdue += not state.gone and state.next_poll_at < now - 60
        if state.gone:
            gone += 1
        elif state.reason:
            one = FailingFeed(feed_url, state.reason, utc(state.failing_since), state.failures)
            failing.append((state.failing_since, one))
        elif state.last_new_at and now - state.last_new_at > _QUIET_S:
            quiet += 1
        else:
            healthy += 1
    failing.sort(key=lambda item: (item[0], item[1].feed_url))
    return FeedStatus(
        healthy=healthy,
        quiet=quiet,
        failing=len(failing),
        gone=gone,
        waiting=sum(url not in states for url in feed_urls),
        polls=polls,
        unchanged=unchanged,
        overdue=overdue,
        examples=tuple(one for _, one in failing[:10]),
    )
