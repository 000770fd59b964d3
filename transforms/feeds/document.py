"""What goes into the reading of a feed, and what comes out."""

from dataclasses import dataclass, field

from newsbeam.transforms.model.records import Entry


@dataclass(frozen=True)
class FeedDocument:
    """One answer of a server, its content encodings undone."""

    url: str
    """The address it was reached at: relative links are resolved against it."""
    body: bytes
    content_type: str = ""
    """The `Content-Type` header as sent."""
    charset: str = ""
    """As the transport claimed it; empty if it did not."""
    fetched_at: str = ""
    """UTC, `...Z`: dates later than a day after it are not believed."""
    feed_url: str = ""
    """The source's address in the configuration; `url` unless given."""
    accept_page: bool = False
    """Whether this may be a home page that names its feeds. False for what is known to be a feed: a page in its place
    is an error page, and a dead letter."""


@dataclass(frozen=True)
class FurtherDocument:
    """Another document to read: a child of a sitemap index, a feed of a list or a home page."""

    url: str
    kind: str
    """`feed` or `sitemap`."""
    title: str = ""
    updated_at: str | None = None


@dataclass(frozen=True)
class PollHints:
    """What a feed says about polling it. Lower bounds and wishes, never orders: the poller clamps them."""

    min_interval_seconds: int | None = None
    """From `ttl` or `sy:updatePeriod` and `sy:updateFrequency`, whichever is longer."""
    skip_hours: tuple[int, ...] = ()
    """Hours of the day, UTC, in which nothing will be new; never all of them."""
    skip_days: tuple[str, ...] = ()
    """English names of weekdays; never all of them."""
    hub: str = ""
    """WebSub hub (https://www.w3.org/TR/websub/). Not subscribed to: a hub calls back at a public address, which a
    laptop does not have. Nothing is lost by it, only time: WebSub asks publishers to keep the feed itself current."""
    self_url: str = ""
    """Where the feed says it lives. No move: a mirror or a filtered feed carries the original's."""
    moved_to: str = ""
    """Where the feed says it has gone: believed only once that address gives a feed (`sources.polling.poll`)."""


@dataclass(frozen=True)
class RejectedEntry:
    """An entry that cannot become an article, for a dead letter of its own; the rest of the feed is unharmed."""

    reason: str
    message: str
    identity: str
    title: str = ""
    url: str = ""


@dataclass(frozen=True)
class ParsedFeed:
    """A feed as read."""

    url: str
    format: str
    """`rss`, `atom`, `rdf`, `cdf`, `json`, `sitemap`, `sitemap-news`, `sitemap-index`, `opml` or `page`."""
    title: str = ""
    language: str = ""
    entries: tuple[Entry, ...] = ()
    """In the order of the document, each once."""
    rejected: tuple[RejectedEntry, ...] = ()
    further: tuple[FurtherDocument, ...] = ()
    hints: PollHints = field(default_factory=PollHints)
    complete: bool = True
    """False if the document was cut short: its validators must not be stored."""
    warnings: tuple[str, ...] = ()
    """What was wrong and has been put right."""
