"""Reads any document that says what is new, by what it is rather than by what it is called."""

import json
import re
import zlib

from newsbeam.transforms.feeds.autodiscovery import discover_feeds, page_title
from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.feeds.draft import Draft
from newsbeam.transforms.feeds.entries import build_entries
from newsbeam.transforms.feeds.json_feed import read_json_feed
from newsbeam.transforms.feeds.opml import read_opml
from newsbeam.transforms.feeds.sitemap import read_sitemap
from newsbeam.transforms.feeds.syndication import read_syndication
from newsbeam.transforms.feeds.xml_text import decode
from newsbeam.transforms.model.errors import Rejected

LARGEST_BODY = 15 * 1024 * 1024
"""Bytes, decompressed."""
MEMORY_MB = 300
"""For the sandbox that `parse_feed` runs in."""
MOST_SECONDS = 9.0
"""CPU time that reading any document may take; `cpu_seconds` says how much one may."""
WARM_UP = FeedDocument(
    "http://localhost/", b'<rss version="2.0"><channel><item><title>a</title></item></channel></rss>'
)
"""For that sandbox: what is loaded at the first feed is loaded before any limit counts."""

_PROLOGUE = 65536
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_ROOT = re.compile(
    r"<(?:[\w.-]{1,40}:)?(rss|feed|rdf|urlset|sitemapindex|opml|channel|entry|item|html|head|body)[\s>/]", re.IGNORECASE
)
_HTML_DOCTYPE = re.compile(r"<!doctype\s+html", re.IGNORECASE)
_END = re.compile(
    r"</(?:[\w.-]{1,40}:)?(?:rss|feed|rdf|urlset|sitemapindex|opml|channel|entry|html)\s*>", re.IGNORECASE
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)


def parse_feed(document: FeedDocument) -> ParsedFeed:
    """Reads a feed, a sitemap or an index of them, a list of feeds or (if accepted) a home page.

    Raises:
        Rejected: `empty`; `too_large`; `malformed`, `truncated` or `parser_error`, where nothing can be read;
            `not_a_feed`, for a page, a message or another kind of document in its place.

    Run it in a `Sandbox`: on hostile input its libraries may take for ever, or more memory than there is.
    """
    body = _decompressed(document.body)
    claimed = _CHARSET.search(document.content_type)
    text = decode(body, document.charset or (claimed[1] if claimed else ""))
    text = text.lstrip(" \t\r\n\ufeff\x00")
    if not text.strip():
        raise Rejected("empty", f"the answer of {document.url} is empty; a feed without news would still have a root")
    prologue = _COMMENT.sub("", text[:_PROLOGUE])
    root = _ROOT.search(prologue)
    name = root[1].lower() if root else "html" if _HTML_DOCTYPE.search(prologue) else ""
    if text[0] in "{[" and (name not in ("rss", "feed", "rdf", "item", "entry") or _is_json(text)):
        return _parsed(read_json_feed(text), document, complete=True)
    complete = _END.search(text[-_PROLOGUE:]) is not None
    if name in ("urlset", "sitemapindex"):
        return _parsed(read_sitemap(text), document, complete)
    if name == "opml":
        return _parsed(read_opml(text, document.url), document, complete)
    if name in ("html", "head", "body"):
        return _page(text, document)
    parsed = _parsed(read_syndication(text, document), document, complete)
    if not root and not (parsed.entries or parsed.rejected):
        raise Rejected("not_a_feed", f"is neither a feed nor a list of feeds nor a page: {text[:80]!r}")
    return parsed


def cpu_seconds(document: FeedDocument) -> float:
    """CPU time that reading `document` may take.

    Measured: 0.9 s a megabyte for a well-formed feed of short entries, 2 s for an ill-formed one, 0.4 s for most.
    """
    size = len(document.body)
    if document.body.startswith(b"\x1f\x8b"):
        size = int.from_bytes(document.body[-4:], "little")  # what gzip says it has packed
    return min(0.7 + 4e-6 * min(size, LARGEST_BODY), MOST_SECONDS)


def _parsed(draft: Draft, document: FeedDocument, complete: bool) -> ParsedFeed:
    built = build_entries(draft, document)
    warnings = draft.warnings
    if built.repeated:
        warnings = (*warnings, f"{built.repeated} items are in it more than once")
    return ParsedFeed(
        url=document.feed_url or document.url,
        format=draft.format,
        title=draft.title,
        language=draft.language,
        entries=built.entries,
        rejected=built.rejected,
        further=draft.further,
        hints=draft.hints,
        complete=complete,
        warnings=warnings,
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _page(text: str, document: FeedDocument) -> ParsedFeed:
    feeds = discover_feeds(text, document.url)
    title = page_title(text)
    if not document.accept_page or not feeds:
        named = ", ".join(feed.url for feed in feeds) or "none"
        raise Rejected("not_a_feed", f"is a page, titled {title[:100]!r}, not a feed; feeds that it names: {named}")
    return ParsedFeed(url=document.feed_url or document.url, format="page", title=title, further=feeds)


def _decompressed(body: bytes) -> bytes:
    """`body`, or what it is a gzip file of (`sitemap.xml.gz`), twice at most."""
    for _ in range(2):
        if not body.startswith(b"\x1f\x8b"):
            break
        unpacker = zlib.decompressobj(wbits=31)
        try:
            body = unpacker.decompress(body, LARGEST_BODY + 1)
        except zlib.error as error:
            raise Rejected("malformed", f"is a gzip file that cannot be unpacked: {error}") from error
        if len(body) > LARGEST_BODY:
            break
    if len(body) > LARGEST_BODY:
        raise Rejected("too_large", f"more than {LARGEST_BODY >> 20} MiB, unpacked")
    return body
