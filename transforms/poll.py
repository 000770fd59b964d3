"""One poll of one feed: ask, see whether anything changed, parse. Knows neither Beam nor the clock."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from transforms.dead_letters import Rejected
from transforms.http.client import Client, FetchFailed, Response
from transforms.records import Entry
from transforms.schedule import FeedState, Poll


@dataclass(frozen=True)
class Document:
    """What a polled document says.

    Attributes:
        entries: in the order of the document, each identity once.
        ttl_s: how long it may be kept, as it says itself; 0 if it does not.
        feeds: URLs of other feeds that it points to (a sitemap index, a home page).
    """

    entries: Sequence[Entry] = ()
    ttl_s: float = 0.0
    feeds: Sequence[str] = ()


@dataclass(frozen=True)
class Source:
    """A body to be parsed.

    Attributes:
        body: decoded, not empty.
        content_type: the whole header, with its parameters.
        url: where the body came from, to which its links are relative.
        feed_url: the feed's name: as the configuration has it.
    """

    body: bytes
    content_type: str
    url: str
    feed_url: str


Parse = Callable[[Source], Awaitable[Document]]
"""Raises `Rejected` for a body that is no feed."""


@dataclass(frozen=True)
class Ask:
    """A feed that is due.

    Attributes:
        feed_url: its name.
        state: as it is before the poll.
        headers: the validators to send; empty for an unconditional request.
        own_headers: what the user configured for this feed.
    """

    feed_url: str
    state: FeedState
    headers: Mapping[str, str] = field(default_factory=dict)
    own_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Polled:
    """How a poll ended, before it is known what of it is new.

    Attributes:
        poll: for the schedule; `brought` is not yet counted.
        document: what was parsed; None if nothing was.
        message: for a person, where `poll.reason` says that it failed.
    """

    poll: Poll
    document: Document | None = None
    message: str = ""


async def poll_feed(client: Client, ask: Ask, parse: Parse) -> Polled:
    """Polls one feed. Whatever the server or the body does becomes a `Polled` with a reason."""
    try:
        response = await client.get(ask.state.url, headers=ask.headers, own_headers=ask.own_headers)
    except FetchFailed as error:
        return Polled(Poll(0, reason=error.reason, conditional=bool(ask.headers)), message=error.message)
    conditional = bool(ask.headers) and not response.permanent_url
    poll = Poll(response.status, response.headers, conditional=conditional, permanent_url=response.permanent_url)
    if response.status != 200:
        return Polled(poll, message=f"{response.url} answered {response.status}")
    return await _read(ask, response, poll, parse)


async def _read(ask: Ask, response: Response, poll: Poll, parse: Parse) -> Polled:
    digest = hashlib.blake2b(response.body, digest_size=16).digest()
    read = Poll(
        poll.status,
        poll.headers,
        conditional=poll.conditional,
        body_hash=digest,
        permanent_url=poll.permanent_url,
    )
    if digest == ask.state.body_hash:
        return Polled(read)
    try:
        if not response.body.strip():
            raise Rejected("empty", f"{response.url} answered 200 with nothing in it")
        source = Source(response.body, response.headers.get("content-type", ""), response.url, ask.feed_url)
        document = await parse(source)
    except Rejected as error:
        failed = Poll(poll.status, poll.headers, reason=error.reason, conditional=poll.conditional, body_hash=digest)
        return Polled(failed, message=error.message)
    return Polled(
        Poll(
            read.status,
            read.headers,
            conditional=read.conditional,
            body_hash=digest,
            ttl_s=document.ttl_s,
            permanent_url=read.permanent_url,
        ),
        document,
    )
