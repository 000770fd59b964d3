"""When a feed is polled next, and with which validators: a pure state machine, one state a feed.

The clock is always an argument. The numbers are those of `SchedulePolicy`; RFC 9110 and 9111 are followed for
validators, freshness and `Retry-After`.
"""

import hashlib
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from newsbeam.transforms.http.freshness import fresh_for, retry_after
from newsbeam.transforms.http.policy import SchedulePolicy
from newsbeam.transforms.sources.polling.wishes import Wishes, outside_skipped, wishes_from

NEVER = math.inf

_REFUSED = (401, 402, 403, 451)
_NUMBERS = struct.Struct("<dddddddIIIB16s")
_LATEST_SHARE = 1.1


@dataclass(frozen=True)
class FeedState:
    """What is remembered of a feed between two polls. Times are seconds since 1970, 0 for never.

    Attributes:
        url: where it is asked: where permanent redirects have led.
        etag, last_modified: the validators of the newest body whose entries are safe, byte for byte as they came.
        body_hash: of that body; the same bytes are not parsed again.
        interval_s: how often it is worth asking.
        polls, unchanged: since it was first polled: all, and those that a 304 or the same bytes answered.
        failures: in a row.
        reason: of the last failure; empty while healthy.
        gone: the server said 410: it is not asked again.
        parent: the document that named this feed; empty if the configuration did.
        wishes: what its newest document says about polling it.
        move_tried_at: when an address was last tried that the document itself gives as its new one.
    """

    url: str
    etag: str = ""
    last_modified: str = ""
    body_hash: bytes = b""
    next_poll_at: float = 0.0
    last_poll_at: float = 0.0
    last_success_at: float = 0.0
    last_unconditional_at: float = 0.0
    last_new_at: float = 0.0
    failing_since: float = 0.0
    interval_s: float = 0.0
    polls: int = 0
    unchanged: int = 0
    failures: int = 0
    reason: str = ""
    gone: bool = False
    parent: str = ""
    wishes: Wishes = field(default_factory=Wishes)
    move_tried_at: float = 0.0


@dataclass(frozen=True)
class Poll:
    """How one poll of a feed ended.

    Attributes:
        status: of the last response; 0 if there was none.
        headers: of that response, names in lower case.
        reason: why there is nothing to use, as a dead letter's reason; empty if all went well.
        conditional: validators were sent.
        body_hash: of the body, if there was one.
        brought: entries that are new or edited.
        wishes: what the document says about polling it (`ttl`, `sy:updatePeriod`, `skipHours`, `skipDays`); None if no
            document was read.
        permanent_url: where permanent redirects led, if the first answer was one, or the feed itself, if it has moved.
        move_tried: the address that the document gives as its new one was tried.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    conditional: bool = False
    body_hash: bytes = b""
    brought: int = 0
    wishes: Wishes | None = None
    permanent_url: str = ""
    move_tried: bool = False


@dataclass(frozen=True)
class Step:
    """The state after a poll, and until when the whole host must be left alone (0 if it need not)."""

    state: FeedState
    hold_host_until: float = 0.0


def fraction(key: str, number: int) -> float:
    """A number in [0, 1) that only depends on its arguments: jitter without a random generator."""
    digest = hashlib.blake2b(f"{number}:{key}".encode("utf-8", "replace"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / (1 << 56)


def validators(state: FeedState, now: float, policy: SchedulePolicy) -> Mapping[str, str]:
    """The headers that make the next request conditional; none if it is time for an unconditional one.

    Both validators are sent where both are known (RFC 9110 13.1.3: the server decides).
    """
    if now >= state.last_unconditional_at + policy.unconditional_every_s:
        return {}
    sent = {"If-None-Match": state.etag, "If-Modified-Since": state.last_modified}
    return {name: value for name, value in sent.items() if value}


def after_poll(key: str, state: FeedState, poll: Poll, now: float, policy: SchedulePolicy) -> Step:
    """The state that follows.

    Args:
        key: of the feed, for its jitter: the same key and history give the same times.
        now: when the poll ended.
    """
    state = replace(
        state,
        polls=state.polls + 1,
        last_poll_at=now,
        last_unconditional_at=state.last_unconditional_at if poll.conditional else now,
        interval_s=state.interval_s or policy.default_interval_s,
        move_tried_at=now if poll.move_tried else state.move_tried_at,
    )
    if poll.status == 410:
        return Step(
            replace(
                state,
                gone=True,
                next_poll_at=NEVER,
                reason="http_410",
                failures=state.failures + 1,
                failing_since=state.failing_since or now,
            )
        )
    reason = poll.reason or _soft_error(poll)
    if reason:
        return _after_failure(key, state, poll, reason, now, policy)
    return Step(_after_success(key, state, poll, now, policy))


def _soft_error(poll: Poll) -> str:
    if poll.status == 304:
        return "" if poll.conditional else "unexpected_304"
    return "" if poll.status == 200 else f"http_{poll.status}"


def _after_success(key: str, state: FeedState, poll: Poll, now: float, policy: SchedulePolicy) -> FeedState:
    etag, modified = poll.headers.get("etag", ""), poll.headers.get("last-modified", "")
    if poll.status == 304 or (poll.body_hash and poll.body_hash == state.body_hash):
        state = replace(state, unchanged=state.unchanged + 1)
    if poll.status == 304:  # RFC 9111 4.3.4: it may refresh what is stored, and what it leaves out stays
        state = replace(state, etag=etag or state.etag, last_modified=modified or state.last_modified)
    else:
        state = replace(
            state,
            etag=etag,
            last_modified=modified,
            body_hash=poll.body_hash,
            url=poll.permanent_url or state.url,
        )
    state = replace(
        state,
        interval_s=_interval(state, poll, now, policy),
        last_success_at=now,
        last_new_at=now if poll.brought else state.last_new_at,
        failures=0,
        failing_since=0.0,
        reason="",
        wishes=state.wishes if poll.wishes is None else poll.wishes,
    )
    bound = min(max(fresh_for(poll.headers, now), state.wishes.least_s), policy.max_interval_s)
    least = max(bound, policy.min_interval_s)
    spread = fraction(key, state.polls)
    if bound >= state.interval_s:
        latest = max(bound, policy.max_interval_s) * _LATEST_SHARE
        wait = min(bound * (1 + policy.bound_jitter * spread), latest)
    else:
        wait = max(least, state.interval_s) * (1 + policy.jitter * spread)
    next_poll_at = now + wait
    if state.etag or state.last_modified:
        # Never later than the daily request without validators, if the server's own bound allows it.
        next_poll_at = max(now + least, min(next_poll_at, state.last_unconditional_at + policy.unconditional_every_s))
    return replace(state, next_poll_at=outside_skipped(next_poll_at, state.wishes, spread))


def _interval(state: FeedState, poll: Poll, now: float, policy: SchedulePolicy) -> float:
    """Shorter after a poll that brought something, longer after one that did not; the first one tells nothing."""
    if not state.last_success_at:
        return state.interval_s
    if not poll.brought:
        interval = state.interval_s * policy.grow
    elif poll.brought == 1:
        interval = state.interval_s * policy.shrink
    else:
        interval = min(state.interval_s * policy.shrink, (now - state.last_success_at) / poll.brought)
    return min(max(interval, policy.min_interval_s), policy.max_interval_s)


def _after_failure(key: str, state: FeedState, poll: Poll, reason: str, now: float, policy: SchedulePolicy) -> Step:
    failures = min(state.failures + 1, 1000)
    # A feed that is polled often is tried again as soon as it would have been polled: most failures are over by then.
    first = min(policy.backoff_first_s, max(state.interval_s, policy.min_interval_s))
    wait = first * policy.backoff_factor ** min(failures - 1, 60)
    wait = min(max(wait, policy.min_interval_s), policy.max_interval_s)
    if poll.status in _REFUSED:
        wait = max(wait, policy.refused_s)
    asked = retry_after(poll.headers, now) if poll.status in (429, 503) else None
    if poll.status == 429 and asked is None:
        asked = policy.throttled_s
    if asked:
        asked = min(asked, policy.retry_after_cap_s)
        wait = max(wait, asked)
    spread = fraction(key, state.polls)
    next_poll_at = outside_skipped(now + wait * (1 + policy.jitter * spread), state.wishes, spread)
    return Step(
        replace(
            state,
            failures=failures,
            failing_since=state.failing_since or now,
            reason=reason,
            next_poll_at=next_poll_at,
        ),
        hold_host_until=now + (asked or wait) if poll.status == 429 else now + asked if asked else 0.0,
    )


def resumed(key: str, state: FeedState, now: float, waiting: int, policy: SchedulePolicy) -> FeedState:
    """The state after a start or a leap of the clock: what is overdue is spread, what lies in the future stays.

    Args:
        now: the clock.
        waiting: how many feeds are overdue together.
    """
    back = state.last_poll_at - now
    if back > 0:  # the clock was set back: all times go with it, or the feed would starve
        state = shifted(state, -back)
    if not state.gone and state.next_poll_at <= now:
        window = min(waiting / policy.catch_up_per_s, max(state.interval_s or policy.default_interval_s, 1.0))
        return replace(state, next_poll_at=now + window * fraction(key, -1 - state.polls))
    return state


def shifted(state: FeedState, by_s: float) -> FeedState:
    """The state with all its times moved, never before 1970."""

    def moved(time: float) -> float:
        return max(time + by_s, 0.001) if time else 0.0

    return replace(
        state,
        next_poll_at=moved(state.next_poll_at),
        last_poll_at=moved(state.last_poll_at),
        last_success_at=moved(state.last_success_at),
        last_unconditional_at=moved(state.last_unconditional_at),
        last_new_at=moved(state.last_new_at),
        failing_since=moved(state.failing_since),
        move_tried_at=moved(state.move_tried_at),
    )


def pack(state: FeedState) -> bytes:
    """The state as bytes: about 100 and its URL."""
    numbers = _NUMBERS.pack(
        state.next_poll_at,
        state.last_poll_at,
        state.last_success_at,
        state.last_unconditional_at,
        state.last_new_at,
        state.failing_since,
        state.interval_s,
        state.polls,
        state.unchanged,
        state.failures,
        state.gone | (2 if state.body_hash else 0),
        state.body_hash,
    )
    tried = repr(state.move_tried_at) if state.move_tried_at else ""
    texts = (state.url, state.etag, state.last_modified, state.reason, state.parent, state.wishes.as_text(), tried)
    return numbers + "\0".join(text.replace("\0", "") for text in texts).encode("utf-8", "surrogatepass")


def unpack(packed: bytes) -> FeedState:
    """The state that `pack` made these bytes from."""
    numbers = _NUMBERS.unpack_from(packed)
    next_poll, last_poll, last_success, last_unconditional, last_new, failing, interval = numbers[:7]
    polls, unchanged, failures, flags, body_hash = numbers[7:]
    texts = packed[_NUMBERS.size :].decode("utf-8", "surrogatepass").split("\0")
    url, etag, modified, reason, parent, wishes, tried = (*texts, "", "")[:7]  # the first ledgers had five
    return FeedState(
        url,
        etag,
        modified,
        body_hash if flags & 2 else b"",
        next_poll,
        last_poll,
        last_success,
        last_unconditional,
        last_new,
        failing,
        interval,
        polls=polls,
        unchanged=unchanged,
        failures=failures,
        reason=reason,
        gone=bool(flags & 1),
        parent=parent,
        wishes=wishes_from(wishes),
        move_tried_at=float(tried or 0),
    )
