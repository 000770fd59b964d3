"""From an item as its format has it to an `Entry`: one address, plain titles, dates that are believed, an identity."""

import html
import re
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from newsbeam.transforms.feeds.document import FeedDocument, RejectedEntry
from newsbeam.transforms.feeds.draft import Draft, DraftEntry
from newsbeam.transforms.feeds.identity import fingerprint, identities_of, link_key, with_parts
from newsbeam.transforms.feeds.links import article_url, is_opaque
from newsbeam.transforms.feeds.text import clean_spaces, plain_text
from newsbeam.transforms.feeds.xml_text import without_impossible_characters
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Entry
from newsbeam.transforms.text.machine_dates import machine_date
from newsbeam.transforms.text.moment import Moment, doubt

LONGEST_CONTENT = 2_000_000
"""Characters of HTML. More is no article; the page is fetched instead."""
LONGEST_TITLE = 2_000
LONGEST_GUID = 500
FULL_TEXT = 1_000
"""Characters of plain text, from which on the content of an entry is taken for the article itself."""

_TAIL = 500
_ANCHOR = re.compile(
    r"""<a\s[^<>]{0,400}?href\s?=\s?["']([^"'<>]{1,400})["'][^<>]{0,400}>(.{0,200}?)</a>""", re.IGNORECASE
)
_CUT = ("…", "...", "[…]", "[...]", "…]", "...]", "»", ">>", "→")


@dataclass(frozen=True)
class Built:
    """What became of the items of a document."""

    entries: tuple[Entry, ...]
    """Each once, in the order of the document."""
    rejected: tuple[RejectedEntry, ...]
    repeated: int
    """Items that were in the document before, word for word."""


def build_entries(draft: Draft, document: FeedDocument) -> Built:
    """The entries of a document, and the items that can be none."""
    built: list[Entry] = []
    refused: list[tuple[DraftEntry, Rejected]] = []
    base = _base(draft.link_base, document.url)
    for item in draft.entries:
        try:
            built.append(_entry(item, base, draft, document))
        except Rejected as error:
            refused.append((item, error))
    built = with_parts(built)
    names = identities_of(built)
    once = {(identity.name, *identity.keys): position for position, identity in reversed(list(enumerate(names)))}
    kept = sorted(once.values())
    entries = tuple(_with_identity(built[position], names[position].name) for position in kept)
    return Built(entries, tuple(_refusal(item, error) for item, error in refused), len(built) - len(kept))


def has_full_text(entry: Entry) -> bool:
    """Whether the feed carries the article itself, so that its page need not be fetched: long, and not cut short."""
    text = plain_text(entry.content)
    long = len(text) >= FULL_TEXT and len(text) > 1.5 * len(entry.summary)
    return long and not text.endswith(_CUT) and not _leads_on(entry)


def _leads_on(entry: Entry) -> bool:
    """Whether the content ends in a link to its own page ("Read more"), other than by the article's title, which is
    how WordPress signs full texts."""
    return any(
        link_key(html.unescape(address)) == link_key(entry.url) and plain_text(words) not in ("", entry.title)
        for address, words in _ANCHOR.findall(entry.content[-_TAIL:])
    )


def _entry(item: DraftEntry, base: str, draft: Draft, document: FeedDocument) -> Entry:
    if not (item.title or item.summary or item.content or item.guid or any(item.links)):
        raise Rejected("empty_entry", "the entry has neither link nor text; an article needs one of them")
    warnings: list[str] = []
    url = _address(item, base, document.url)
    if url and is_opaque(url):
        warnings.append("url_unresolved: the address is a service's that hides the publisher's")
    title = clean_spaces(item.title) if item.title_is_plain else plain_text(item.title)
    if len(title) > LONGEST_TITLE:
        title = title[:LONGEST_TITLE]
        warnings.append(f"title_cut: it is longer than {LONGEST_TITLE} characters")
    content = without_impossible_characters(item.content)
    if len(content) > LONGEST_CONTENT:
        warnings.append(f"content_left_out: it is longer than {LONGEST_CONTENT} characters")
        content = ""
    summary_markup = "" if item.summary == item.content or len(item.summary) > LONGEST_CONTENT else item.summary
    summary = clean_spaces(summary_markup) if item.summary_is_plain else plain_text(summary_markup)
    if not content and len(summary) >= FULL_TEXT and not item.summary_is_plain:
        content, summary = summary_markup, ""  # RSS 2.0: "the item synopsis", and often all of it
    guid = clean_spaces(item.guid)
    published = _date(item.published, "published", document, warnings)
    updated = _date(item.updated, "updated", document, warnings)
    return Entry(
        feed_url=document.feed_url or document.url,
        url=url,
        identity="",
        guid=guid if len(guid) <= LONGEST_GUID else f"{guid[:LONGEST_GUID]}…{fingerprint(guid)}",
        title=title,
        summary=summary,
        content=content,
        published_at=published.iso if published else None,
        published_precision=published.precision if published else None,
        updated_at=updated.iso if updated else None,
        authors=tuple(dict.fromkeys(name[:200] for name in item.authors if name)),
        categories=tuple(dict.fromkeys(plain_text(name)[:200] for name in item.categories if name)),
        image_url=_image(item, url or base),
        language=clean_spaces(item.language or draft.language)[:35],
        content_hash=fingerprint(title, summary, plain_text(content)),
        publisher=clean_spaces(item.publisher)[:200],
        warnings=tuple(warnings),
    )


def _address(item: DraftEntry, base: str, document_url: str) -> str:
    candidates = [link for link in item.links if link]
    if item.guid_is_link and item.guid.startswith(("http://", "https://", "/")):
        candidates.append(item.guid)
    if not candidates and item.guid.startswith(("http://", "https://")):
        candidates.append(item.guid)  # `isPermaLink="false"`, but better than nothing
    trouble: Rejected | None = None
    home = ""
    for link in [*candidates, item.guid if item.guid.startswith(("http://", "https://")) else ""]:
        try:
            url = article_url(link, base) if link else ""
        except Rejected as error:
            trouble = trouble or error
            continue
        if not url or url.partition("#")[0] == document_url:
            continue
        if not _is_home(url):
            return url
        home = home or url  # no article is there: the guid may be its address
    if home or trouble is None:
        return home
    raise trouble


def _is_home(url: str) -> bool:
    """Whether an address is that of a whole site; routes behind `#/` are pages of their own."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query and not parts.fragment.startswith(("/", "!"))


def _base(link: str, document_url: str) -> str:
    try:
        return article_url(link, document_url) or document_url
    except Rejected:
        return document_url


def _date(text: str, what: str, document: FeedDocument, warnings: list[str]) -> Moment | None:
    if not text:
        return None
    date = machine_date(text)
    if date is None:
        warnings.append(f"{what}_unreadable: {text[:80]!r} is no date")
        return None
    trouble = doubt(date, document.fetched_at)
    if trouble:
        warnings.append(f"{what}_unbelievable: {trouble}")
        return None
    return date


def _image(item: DraftEntry, base: str) -> str | None:
    for image in item.images:
        try:
            url = article_url(image, base)
        except Rejected:
            continue
        if url:
            return url
    return None


def _with_identity(entry: Entry, identity: str) -> Entry:
    return replace(entry, identity=identity)


def _refusal(item: DraftEntry, error: Rejected) -> RejectedEntry:
    title = plain_text(item.title)[:LONGEST_TITLE]
    link = next((link for link in item.links if link), "")
    identity = f"guid:{item.guid}" if item.guid else f"content:{fingerprint(title, link, plain_text(item.summary))}"
    return RejectedEntry(error.reason, error.message, identity[:LONGEST_TITLE], title, link[:LONGEST_TITLE])
