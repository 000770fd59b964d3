"""The feeds of one shard: which are due, and what a poll of them brought. Beam-free; the clock is an argument.

A feed's validators and its next poll change only together with the entries that they stand for: `settle` answers with
both, and whoever calls it writes both down before anything else happens (`Settled`).
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from newsbeam.transforms.feeds.document import FurtherDocument, RejectedEntry
from newsbeam.transforms.feeds.identity import fingerprint, new_and_updated
from newsbeam.transforms.http.addresses import host_of
from newsbeam.transforms.http.policy import SchedulePolicy
from newsbeam.transforms.model.records import DeadLetter, Entry
from newsbeam.transforms.runtime.record_coder import register_records
from newsbeam.transforms.sources.feed_source import FeedSource
from newsbeam.transforms.sources.polling.known_entries import merged_known, unpack_known
from newsbeam.transforms.sources.polling.poll import Ask, Polled
from newsbeam.transforms.sources.polling.schedule import (
    FeedState,
    after_poll,
    fraction,
    pack,
    resumed,
    shifted,
    unpack,
    validators,
)
from newsbeam.transforms.sources.polling.wishes import outside_skipped
from newsbeam.transforms.text.times import utc_text

STAGE = "discover"
_LEASE_S = 300.0
"""A poll that has not come back after this long is lost (its worker died), and its feed is due again."""
_LEAP_S = 120.0
_MAX_ENTRIES = 5_000
"""Entries of one poll; a news sitemap has 1,000 at most."""
_MAX_SITEMAPS = 10
"""Children of a sitemap index, newest first: the others are archives."""
_MAX_ADOPTED = 10_000


@dataclass(frozen=True)
class Discovery:
    """An entry that is new, or was edited.

    Attributes:
        unit: the ledger's name for it: the same entry with the same content always has the same.
        entry: as the feed has it.
        seen_at: when it was first seen (UTC, `...Z`).
        edited: another content of this entry was seen before.
    """

    unit: str
    entry: Entry
    seen_at: str
    edited: bool = False


register_records(Discovery)


@dataclass(frozen=True)
class Settled:
    """What one poll came to: to be made durable as one.

    Attributes:
        feed_url: its name.
        state: packed.
        known: what the feed has brought so far, packed; None if that has not changed.
        discoveries: in the order of the feed.
        letters: of the feed, if it has just begun to fail or fails in a new way; of its entries that can be none.
        further: documents that this one points to.
    """

    feed_url: str
    state: bytes
    known: bytes | None = None
    discoveries: Sequence[Discovery] = ()
    letters: Sequence[DeadLetter] = ()
    further: Sequence[FurtherDocument] = ()


Known = Callable[[str], bytes]
"""What a feed has brought before (`sources.polling.known_entries`), by its name."""


def unit_of(entry: Entry) -> str:
    """The ledger's name of an entry with this content."""
    return _unit("entry", entry.feed_url, entry.identity, entry.content_hash)


def _unit(kind: str, *parts: str) -> str:
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"{kind}:{hashlib.blake2b(text, digest_size=16).hexdigest()}"


def _feed_letter(feed_url: str, url: str, state: FeedState, message: str) -> DeadLetter:
    return DeadLetter(
        stage=STAGE,
        reason=state.reason,
        message=message or f"{url}: {state.reason}",
        unit=_unit("feed", feed_url, state.reason, utc(state.failing_since)),
        url=url,
        feed_url=feed_url,
        attempts=state.failures,
        first_failed_at=utc(state.failing_since),
    )


def _entry_letter(feed_url: str, refused: RejectedEntry) -> DeadLetter:
    return DeadLetter(
        stage=STAGE,
        reason=refused.reason,
        message=refused.message,
        unit=_unit("entry", feed_url, refused.identity, refused.reason),
        url=refused.url,
        feed_url=feed_url,
    )


def utc(time: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the second."""
    return utc_text(datetime.fromtimestamp(time, timezone.utc))


@dataclass
class _Hosts:
    held: dict[str, float] = field(default_factory=dict)
    busy: Counter[str] = field(default_factory=Counter)


class FeedShard:
    """The schedule of some feeds.

    Args:
        policy: the numbers.
        per_host: polls of one host that may be under way.
        known: what was discovered before.
        sources: what the configuration says of feeds, by URL.
    """

    def __init__(
        self,
        policy: SchedulePolicy,
        per_host: int,
        known: Known,
        sources: Mapping[str, FeedSource] | None = None,
    ) -> None:
        self._policy = policy
        self._per_host = per_host
        self._known = known
        self._sources = sources or {}
        self._states: dict[str, bytes] = {}
        self._due: list[tuple[float, str]] = []
        self._under_way: dict[str, tuple[float, str]] = {}
        self._hosts = _Hosts()
        self._now = 0.0

    def __len__(self) -> int:
        return len(self._states)

    def load(self, feed_urls: Iterable[str], states: Mapping[str, bytes], now: float) -> None:
        """Takes on feeds: with the state they were left in, or as new ones. Overdue ones are spread."""
        self._now = max(self._now, now)
        fresh = {url: unpack(states[url]) if url in states else FeedState(url) for url in feed_urls}
        fresh = {url: state for url, state in fresh.items() if url not in self._states}
        waiting = sum(state.next_poll_at <= now for state in fresh.values())
        for state in fresh.values():
            if state.reason == "http_429":  # what held the host before the restart holds it still
                self.hold(host_of(state.url), state.next_poll_at)
        for url, state in fresh.items():
            self._put(url, resumed(url, state, now, waiting, self._policy))

    def _put(self, feed_url: str, state: FeedState) -> bytes:
        packed = self._states[feed_url] = pack(state)
        if not state.gone:
            heapq.heappush(self._due, (state.next_poll_at, feed_url))
        return packed

    def state(self, feed_url: str) -> FeedState:
        """The state of one feed."""
        return unpack(self._states[feed_url])

    def enable(self, feed_url: str, now: float) -> None:
        """Takes a feed up again that had ended (410), at the user's wish."""
        state = replace(self.state(feed_url), gone=False, next_poll_at=now, failures=0, failing_since=0.0, reason="")
        self._put(feed_url, state)

    def due(self, now: float, room: int) -> list[Ask]:
        """Feeds to poll now, longest due first; they count as under way until `settle`.

        Args:
            now: the clock. If it leapt, the schedule goes along instead of storming or starving.
            room: how many more polls may be started.
        """
        if self._now and not -1.0 <= now - self._now <= _LEAP_S:
            self._leap(now)
        self._now = now
        self._give_up_lost(now)
        asks: list[Ask] = []
        crowded: list[tuple[float, str]] = []
        while self._due and self._due[0][0] <= now and len(asks) < room:
            at, feed_url = heapq.heappop(self._due)
            state = unpack(self._states[feed_url])
            if at != state.next_poll_at or state.gone or feed_url in self._under_way:
                continue  # an older appointment of a feed that has a newer one
            host = host_of(state.url)
            held = max(
                self._hosts.held.get(host, 0.0), outside_skipped(now, state.wishes, fraction(feed_url, state.polls))
            )
            if held > now:
                self._put(feed_url, replace(state, next_poll_at=held))
            elif self._hosts.busy[host] >= self._per_host:
                crowded.append((at, feed_url))
            else:
                self._hosts.busy[host] += 1
                self._under_way[feed_url] = (now, host)
                headers = validators(state, now, self._policy)
                source = self._sources.get(feed_url)
                own, page = (source.headers, source.accept_page) if source else ({}, False)
                may_move = now >= state.move_tried_at + self._policy.unconditional_every_s
                asks.append(Ask(feed_url, state, headers, own, page, may_move))
        for appointment in crowded:
            heapq.heappush(self._due, appointment)
        return asks

    def next_due(self) -> float | None:
        """When the next feed is due, if any is; of use to a simulation."""
        while self._due:
            at, feed_url = self._due[0]
            if feed_url not in self._under_way and unpack(self._states[feed_url]).next_poll_at == at:
                return at
            heapq.heappop(self._due)
        return None

    def settle(self, feed_url: str, polled: Polled, now: float) -> Settled:
        """What a poll came to. The shard's own schedule is moved on; making it durable is the caller's."""
        started = self._under_way.pop(feed_url, None)
        if started is not None:
            self._release(started[1])
        before = self.state(feed_url)
        brought = self._brought(feed_url, polled, now)
        poll = replace(polled.poll, brought=len(brought.discoveries))
        step = after_poll(feed_url, before, poll, now, self._policy_of(feed_url))
        if step.hold_host_until:
            host = host_of(before.url)
            self._hosts.held[host] = max(step.hold_host_until, self._hosts.held.get(host, 0.0))
        packed = self._put(feed_url, step.state)
        letters = list(brought.letters)
        if step.state.reason and step.state.reason != before.reason:
            letters.append(_feed_letter(feed_url, before.url, step.state, polled.message))
        return replace(brought, state=packed, letters=letters)

    def _brought(self, feed_url: str, polled: Polled, now: float) -> Settled:
        document = polled.document
        if document is None or polled.poll.reason:
            return Settled(feed_url, b"")
        known = unpack_known(self._known(feed_url))
        changes = new_and_updated(document.entries[:_MAX_ENTRIES], known)
        seen_at = utc(now)
        found = {unit_of(entry): Discovery(unit_of(entry), entry, seen_at) for entry in changes.new}
        found |= {unit_of(entry): Discovery(unit_of(entry), entry, seen_at, edited=True) for entry in changes.updated}
        remember, letters = dict(changes.remember), []
        for refused in document.rejected[:_MAX_ENTRIES]:
            key = fingerprint("rejected", refused.identity, refused.reason)
            if key not in known and key not in remember:
                remember[key] = key
                letters.append(_entry_letter(feed_url, refused))
        if remember:
            packed = merged_known(known, remember, changes.present)
            return Settled(feed_url, b"", packed, list(found.values()), letters, document.further)
        return Settled(feed_url, b"", further=document.further)

    def adopt(self, parent: str, further: Sequence[FurtherDocument], now: float) -> list[Settled]:
        """Takes on what a document points to (children of a sitemap index, feeds of a list or a home page)."""
        adopted: list[Settled] = []
        newest = sorted(further, key=lambda one: (one.updated_at or "", one.url), reverse=True)
        children = [one.url for one in newest if one.kind == "sitemap"][:_MAX_SITEMAPS]
        for url in (*children, *(one.url for one in further if one.kind != "sitemap")):
            if url not in self._states and url != parent and len(adopted) < _MAX_ADOPTED:
                adopted.append(Settled(url, self._put(url, FeedState(url, next_poll_at=now, parent=parent))))
        return adopted

    def _policy_of(self, feed_url: str) -> SchedulePolicy:
        source = self._sources.get(feed_url)
        if source is None or not source.interval_s:
            return self._policy
        interval = min(max(source.interval_s, self._policy.min_interval_s), self._policy.max_interval_s)
        return replace(self._policy, min_interval_s=interval, default_interval_s=interval)

    def hold(self, host: str, until: float) -> None:
        """Leaves a host alone until then."""
        self._hosts.held[host] = max(until, self._hosts.held.get(host, 0.0))

    def _release(self, host: str) -> None:
        self._hosts.busy[host] -= 1
        if self._hosts.busy[host] <= 0:
            del self._hosts.busy[host]

    def _give_up_lost(self, now: float) -> None:
        for feed_url, (since, host) in list(self._under_way.items()):
            if now - since > _LEASE_S:
                del self._under_way[feed_url]
                self._release(host)
                heapq.heappush(self._due, (self.state(feed_url).next_poll_at, feed_url))
        if len(self._hosts.held) > 1_000:
            self._hosts.held = {host: until for host, until in self._hosts.held.items() if until > now}

    def _leap(self, now: float) -> None:
        """The clock was set, or the machine slept."""
        back = self._now - now
        self._due.clear()
        states = {url: unpack(packed) for url, packed in self._states.items()}
        if back > 0:
            states = {url: shifted(state, -back) for url, state in states.items()}
            self._hosts.held = {host: until - back for host, until in self._hosts.held.items()}
            self._under_way = {url: (since - back, host) for url, (since, host) in self._under_way.items()}
        waiting = sum(not state.gone and state.next_poll_at <= now for state in states.values())
        for url, state in states.items():
            self._put(url, resumed(url, state, now, waiting, self._policy))
