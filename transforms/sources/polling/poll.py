"""One poll of one feed: ask, see whether anything changed, parse. Knows neither Beam nor the clock."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.http.client import Client, Response
from newsbeam.transforms.http.failures import FetchFailed
from newsbeam.transforms.http.robots import origin_of
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.sources.polling.schedule import FeedState, Poll
from newsbeam.transforms.sources.polling.wishes import wishes_of

Parse = Callable[[FeedDocument], Awaitable[ParsedFeed]]
"""Raises `Rejected` for a body that is no feed."""


@dataclass(frozen=True)
class Ask:
    """A feed that is due.

    Attributes:
        feed_url: its name.
        state: as it is before the poll.
        headers: the validators to send; empty for an unconditional request.
        own_headers: what the user configured for this feed.
        accept_page: a home page that names its feeds will do.
        may_move: if the document says that the feed has moved, the new address is tried.
    """

    feed_url: str
    state: FeedState
    headers: Mapping[str, str] = field(default_factory=dict)
    own_headers: Mapping[str, str] = field(default_factory=dict)
    accept_page: bool = False
    may_move: bool = False


@dataclass(frozen=True)
class Polled:
    """How a poll ended, before it is known what of it is new.

    Attributes:
        poll: for the schedule; `brought` is not yet counted.
        document: what was parsed; None if nothing was.
        message: for a person, where `poll.reason` says that it failed.
    """

    poll: Poll
    document: ParsedFeed | None = None
    message: str = ""


async def poll_feed(client: Client, ask: Ask, parse: Parse, fetched_at: str = "") -> Polled:
    """Polls one feed. Whatever the server or the body does becomes a `Polled` with a reason.

    Args:
        fetched_at: UTC, `...Z`; what dates of entries are measured against.
    """
    url = ask.state.url
    try:
        response = await client.get(url, headers=ask.headers, own_headers=_own_headers(ask, url))
    except FetchFailed as error:
        return Polled(Poll(0, reason=error.reason, conditional=bool(ask.headers)), message=error.message)
    conditional = bool(ask.headers) and not response.permanent_url
    poll = Poll(response.status, response.headers, conditional=conditional, permanent_url=response.permanent_url)
    if response.status != 200:
        return Polled(poll, message=f"{response.url} answered {response.status}")
    read = await _read(ask, response, poll, parse, fetched_at)
    moved_to = read.document.hints.moved_to if read.document else ""
    if not ask.may_move or moved_to in ("", ask.feed_url, url, response.url, response.permanent_url):
        return read
    return await _moved(client, ask, read, moved_to, parse, fetched_at)


def _own_headers(ask: Ask, url: str) -> Mapping[str, str]:
    """What the user gave for this feed goes to the origin it was given for, wherever the feed has moved."""
    return ask.own_headers if origin_of(url) == origin_of(ask.feed_url) else {}


async def _moved(client: Client, ask: Ask, here: Polled, moved_to: str, parse: Parse, fetched_at: str) -> Polled:
    """The feed says of itself that it has gone elsewhere (`itunes:new-feed-url`, `newLocation`). As with a 301, that
    is believed once there is a feed there that does not send on in its turn; until then, here is where it is polled.

    What only the old document has is not lost: both are read as one.
    """
    # Not known by its hash: it is to be read again, and the address tried again, though it may never change any more.
    stays = replace(here, poll=replace(here.poll, body_hash=b"", move_tried=True))
    try:
        response = await client.get(moved_to, own_headers=_own_headers(ask, moved_to))
    except FetchFailed:
        return stays
    if response.status != 200 or not response.body.strip():
        return stays
    poll = Poll(200, response.headers, permanent_url=response.permanent_url or moved_to, move_tried=True)
    there = await _read(replace(ask, accept_page=False), response, poll, parse, fetched_at)
    old, new = here.document, there.document
    if old is None or new is None or new.hints.moved_to not in ("", moved_to, response.url):
        return stays
    known = {entry.identity for entry in new.entries}
    left = tuple(entry for entry in old.entries if entry.identity not in known)
    return replace(there, document=replace(new, entries=(*new.entries, *left), rejected=(*new.rejected, *old.rejected)))


async def _read(ask: Ask, response: Response, poll: Poll, parse: Parse, fetched_at: str) -> Polled:
    read = replace(poll, body_hash=hashlib.blake2b(response.body, digest_size=16).digest())
    if read.body_hash == ask.state.body_hash:
        return Polled(read)
    document = FeedDocument(
        url=response.url,
        body=response.body,
        content_type=response.headers.get("content-type", ""),
        fetched_at=fetched_at,
        feed_url=ask.feed_url,
        accept_page=ask.accept_page,
    )
    try:
        if not response.body.strip():
            raise Rejected("empty", f"{response.url} answered 200 with nothing in it")
        parsed = await parse(document)
    except Rejected as error:
        return Polled(replace(read, reason=error.reason), message=f"{response.url}: {error.message}")
    if not parsed.complete:  # what it lacks must come at the next poll: nothing may say that this body is known
        headers = {name: value for name, value in read.headers.items() if name not in ("etag", "last-modified")}
        read = replace(read, headers=headers, body_hash=b"")
    hints = parsed.hints
    wishes = wishes_of(float(hints.min_interval_seconds or 0), hints.skip_hours, hints.skip_days)
    return Polled(replace(read, wishes=wishes), parsed)
