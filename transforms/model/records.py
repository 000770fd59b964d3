"""The records that cross stage boundaries: frozen rows, enriched with `dataclasses.replace`.

Every time in a record is an ISO 8601 string. A time whose zone is known is in UTC and ends in `Z`; a time whose zone is
not known has no suffix, and a date without a time of day has none invented for it (`2024-03-25`,
`2024-03-25T19:08`, `2024-03-25T19:08:00Z`). What is not known is None, or empty for text and lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Origin:
    """Where a page comes from, and what was known of it before it was parsed. No sink writes it."""

    unit: str = ""
    """The ledger's name for the input: every unit ends in exactly one outcome."""
    seen_at: str = ""
    """When newsbeam first saw it (UTC, `...Z`); in replay the recorded fetch time, empty where there is none."""
    rank: str = ""
    """Sort key of the total order in which stages with memory work: (`seen_at`, content digest, name) as text. It is
    fixed before the pipeline runs (replay) or when the entry is first seen (live), never by arrival."""
    raw_ref: str = ""
    """The raw input, relative to the path that the user named: `file.warc.gz#17`."""
    discovered_via: str = ""
    """`file`, `warc`, `jsonl`, `feed`, `sitemap`, `queue`."""
    feed_url: str = ""
    publisher: str = ""
    language_hint: str = ""
    topic_hints: Sequence[str] = ()
    canonical_elsewhere: str = ""
    """The address on another host that the page declares as its canonical one: a copy that names its original."""
    part: str = ""
    """What tells the article apart from others at the same canonical URL (`Entry.part`); a part of its identity."""
    from_feed: bool = False
    """The text is a feed's: it never replaces the text of the page itself."""


@dataclass(frozen=True)
class Entry:
    """One item of a feed or news sitemap. Markup is gone from titles, not from `content`."""

    feed_url: str
    url: str
    identity: str
    """guid, canonical link, or a hash of the content: recognizes the same entry at the next poll."""
    guid: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    """Full text as HTML where the feed carries it, else empty."""
    published_at: Optional[str] = None
    published_precision: Optional[str] = None
    updated_at: Optional[str] = None
    authors: Sequence[str] = ()
    categories: Sequence[str] = ()
    image_url: Optional[str] = None
    language: str = ""
    content_hash: str = ""
    """Hash of what a reader sees of the entry: an edited entry has another one."""
    publisher: str = ""
    """Who published it, where the feed says so (`source` of RSS, `news:publication` of sitemaps)."""
    warnings: Sequence[str] = ()
    """Faults of the item that were corrected or left out: `published_unbelievable: ...`."""
    part: str = ""
    """What tells it apart from other entries of its feed with the same canonical URL: a fragment (`#v4`), or the kind
    and value of what does (`guid:ADV-3`). Empty where the URL is its own."""
    own_text: bool = False
    """The page behind the link holds several articles: the text of this one is what the feed has of it."""


@dataclass(frozen=True)
class Page:
    """One fetched or replayed document, before extraction."""

    url: str
    """The address that was requested; empty for a text without one."""
    body: bytes
    url_final: str = ""
    """The address after redirects; empty if there were none."""
    content_type: str = "text/html"
    """Media type without parameters, lower case."""
    charset: str = ""
    """The charset that the HTTP header states; empty if it states none."""
    robots: str = ""
    """The `X-Robots-Tag` header."""
    fetched_at: Optional[str] = None
    entry: Optional[Entry] = None
    """The feed's entry, if the page was found in a feed."""
    origin: Origin = field(default_factory=Origin)

    @property
    def length(self) -> int:
        """Length of the body in bytes."""
        return len(self.body)


@dataclass(frozen=True)
class Topic:
    """One topic of an article. `uri` is an IPTC Media Topic (`medtop:11000000`) or a user's own (`user:climate`)."""

    uri: str
    name: str
    confidence: float
    source: str
    """The evidence, joined by `+`: `model`, `section`, `keywords`, `feed`, `terms`."""


@dataclass(frozen=True)
class RemovedBlock:
    """A line that was taken out of the text, and the rule that took it."""

    rule: str
    text: str
    line: Optional[int] = None
    """Index of the line among those that extraction returned, from 0."""


@dataclass(frozen=True)
class Article:
    """The clean record. Fields are only ever added; this order is the order of keys in JSON."""

    schema_version: int = SCHEMA_VERSION
    id: str = ""
    """Hash of the identity URL, or of the content where there is none: never random, never the clock."""
    revision: int = 1
    url: str = ""
    url_canonical: str = ""
    guid: str = ""
    domain: str = ""
    publisher: str = ""
    feed_url: str = ""
    discovered_via: str = ""
    title: str = ""
    title_feed: str = ""
    description: str = ""
    text: str = ""
    """Paragraphs, one a line, separated by `\\n`."""
    word_count: int = 0
    authors: Sequence[str] = ()
    published_at: Optional[str] = None
    published_precision: Optional[str] = None
    """`year`, `month`, `day`, `minute` or `second`."""
    published_source: Optional[str] = None
    """Where the date was found: `jsonld`, `meta`, `html`, `feed`, `text`, `url`; `updated` if only a date of update is
    known, which then stands here too."""
    published_day: Optional[str] = None
    """The day at the publisher's place (`2023-12-21`): `published_at` is in UTC, where it may be the day before or
    after."""
    updated_at: Optional[str] = None
    updated_precision: Optional[str] = None
    first_seen_at: Optional[str] = None
    fetched_at: Optional[str] = None
    language: str = "und"
    """BCP 47 tag; `und` if the text is too short to tell."""
    language_confidence: Optional[float] = None
    language_method: Optional[str] = None
    image_url: Optional[str] = None
    section: Optional[str] = None
    keywords: Sequence[str] = ()
    topics: Sequence[Topic] = ()
    is_accessible_for_free: Optional[bool] = None
    access_evidence: Optional[str] = None
    removed_blocks: Sequence[RemovedBlock] = ()
    duplicate_kind: str = "unique"
    """`unique`, `exact`, `near`, `syndicated`, `excerpt`, `revision`; `unchanged` is not written."""
    duplicate_of: Optional[str] = None
    duplicate_score: Optional[float] = None
    wire_agency: Optional[str] = None
    story_id: Optional[str] = None
    story_score: Optional[float] = None
    content_hash: str = ""
    extractor: str = ""
    """`blocks`, `blocks+opinions`, `jsonld`, `script` (the data of the page's scripts) or `plain`, and the versions of
    what took part (`model.versions`)."""
    warnings: Sequence[str] = ()
    raw_ref: str = ""
    language_declared: str = ""
    """The language that the page declares (`html lang`, JSON-LD, `og:locale`)."""
    robots: Sequence[str] = ()
    """The site's directives on the use of its pages: `noindex`, `noarchive`, `noai`, ..."""
    origin: Origin = field(default_factory=Origin)
    """For the pipeline only: no sink writes it."""
    story_terms: bytes = b""
    """For the pipeline only: the weighted words of the clean text, by `stories.terms`; empty before they are computed.
    """


FOR_THE_PIPELINE = ("origin", "story_terms")
"""Fields of an article that no sink writes."""


@dataclass(frozen=True)
class DeadLetter:
    """An input that could not become a record, and why. Nothing fails without one."""

    stage: str
    reason: str
    """A short code a dashboard can group by: `empty`, `truncated`, `timeout`, `http_404`, ..."""
    message: str
    """For a person: what was wrong, where, and what would be right."""
    unit: str = ""
    url: str = ""
    feed_url: str = ""
    attempts: int = 1
    first_failed_at: Optional[str] = None
    payload_ref: str = ""


@dataclass(frozen=True)
class Outcome:
    """How one input ended. Written only after the sinks have accepted its record."""

    unit: str
    outcome: str
    """`story`, `duplicate`, `revision`, `unchanged` or `dead_letter`."""
    url: str = ""
    article_id: str = ""
    of: str = ""
    """The article it duplicates or revises."""
    reason: str = ""
    lines_removed: int = 0
    published_at: Optional[str] = None


RECORDS = (Origin, Entry, Page, Topic, RemovedBlock, Article, DeadLetter, Outcome)
"""All record types, each after those that it contains. `runtime.record_coder` registers them with Beam; this module
does not import Beam, which would cost every process of the sandbox 160 MB."""
