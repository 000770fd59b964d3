"""One poll of one feed: ask, see whether anything changed, parse. Knows neither Beam nor the clock."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from transforms.feeds.document import FeedDocument, ParsedFeed
from transforms.http.client import Client, Response
from transforms.http.failures import FetchFailed
from transforms.rejected import Rejected
from transforms.schedule import FeedState, Poll

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
    """

    feed_url: str
    state: FeedState
    headers: Mapping[str, str] = field(default_factory=dict)
    own_headers: Mapping[str, str] = field(default_factory=dict)
    accept_page: bool = False


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
    try:
        response = await client.get(ask.state.url, headers=ask.headers, own_headers=ask.own_headers)
    except FetchFailed as error:
        return Polled(Poll(0, reason=error.reason, conditional=bool(ask.headers)), message=error.message)
    conditional = bool(ask.headers) and not response.permanent_url
    poll = Poll(response.status, response.headers, conditional=conditional, permanent_url=response.permanent_url)
    if response.status != 200:
        return Polled(poll, message=f"{response.url} answered {response.status}")
    return await _read(ask, response, poll, parse, fetched_at)


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
    return Polled(replace(read, ttl_s=float(parsed.hints.min_interval_seconds or 0)), parsed)
