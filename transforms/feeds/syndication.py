"""RSS 0.9x, 1.0 and 2.0, Atom, RDF and CDF, by feedparser.

feedparser is given bytes in a stream, never a `str`, which it would open as an address or a file. It can be slow, and
can raise anything, on hostile input: it is called in the sandbox.
"""

import html
import io
import re
from collections.abc import Iterator
from typing import Any

import feedparser

from newsbeam.transforms.feeds.document import FeedDocument
from newsbeam.transforms.feeds.draft import Draft, DraftEntry
from newsbeam.transforms.feeds.hints import poll_hints
from newsbeam.transforms.feeds.text import as_markup, plain_text
from newsbeam.transforms.feeds.xml_text import declared_as_utf8, without_impossible_references
from newsbeam.transforms.model.errors import Rejected

_FORMATS = (("rss10", "rdf"), ("rss090", "rdf"), ("rss", "rss"), ("atom", "atom"), ("cdf", "cdf"))
_BASE = re.compile(r"\bxml:base\s*=", re.IGNORECASE)
_RSS = re.compile(r"<rss[\s>]", re.IGNORECASE)
_INESSENTIAL = re.compile(
    r"</?(?!(?:(?:rss|feed|rdf:rdf|channel|item|entry|title|link|guid|id|pubdate|published|updated|issued|modified"
    r"|description|summary|content|content:encoded|dc:date|dc:creator|author|name|category|media:thumbnail)[\s/>]))"
    r"[a-z][\w.:-]{0,60}(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"&(?:amp;){0,9}#[^;<&\s]{0,99};?")
_LONG_WORD = re.compile(r"[A-Za-z0-9_.@+-]{1000}(?=[A-Za-z0-9_.@+-])")
_LONG_TAG = re.compile(r"<([A-Za-z][\w.:-]{0,60})\s[^<>]{2000,}>")
_MOST_ATTRIBUTES = 200
_ENTITY = re.compile(r"<!ENTITY\s[^<>]*>")
_HTML_TYPES = ("text/html", "application/xhtml+xml")


def read_syndication(text: str, document: FeedDocument) -> Draft:
    """Reads `text`, the decoded body of `document`.

    Raises `Rejected`: `parser_error` where feedparser fails, `not_a_feed` for other XML.
    """
    # A link of RSS is relative to the site, wherever the feed itself is hosted; all others to the nearest xml:base.
    relative_to_site = _RSS.search(text[:4096]) is not None and not _BASE.search(text)
    headers = {"content-type": "application/xml; charset=utf-8"}
    if not relative_to_site:
        headers["content-location"] = document.url
    parsed = _parsed(_tame(without_impossible_references(text)), headers)
    head = parsed.feed
    if not parsed.version and not parsed.entries and not head:
        trouble = parsed.get("bozo_exception", "no element of any format of feeds")
        raise Rejected("not_a_feed", f"has no feed in it ({trouble}): {text[:80]!r}")
    return Draft(
        format=next((name for prefix, name in _FORMATS if parsed.version.startswith(prefix)), "rss"),
        title=plain_text(_text(head.get("title"))),
        language=_text(head.get("language")),
        link_base=_text(head.get("link")) if relative_to_site else "",
        entries=tuple(_entry(entry, parsed.version) for entry in parsed.entries),
        hints=poll_hints(text, document.url),
        warnings=(f"ill-formed: {parsed.bozo_exception}",) if parsed.get("bozo") else (),
    )


def _tame(text: str) -> str:
    """`text` without what takes feedparser more than linear time and no honest feed has: words of thousands of letters
    (its expression for e-mail addresses), elements with hundreds of attributes, entities made of entities.
    """
    if "<!ENTITY" in text:
        text = _ENTITY.sub(lambda match: "" if re.search("&[^#]", match[0]) else match[0], text)
    return _LONG_WORD.sub(r"\g<0> ", _LONG_TAG.sub(_without_attributes, text))


def _without_attributes(match: re.Match[str]) -> str:
    return f"<{match[1]}>" if match[0].count("=") > _MOST_ATTRIBUTES else match[0]


def _parsed(text: str, headers: dict[str, str]) -> Any:
    """What feedparser makes of `text`; if it stumbles, of its essential elements only.

    Its handlers of geography, licences, media and others raise KeyError, ValueError and more on odd input; none of them
    matters to an article. Its strict parser has errors of its own that its loose one has not: the last attempt makes
    the strict one give up at once.
    """
    core = ""
    for attempt in range(3):
        if attempt == 1:
            core = _REFERENCE.sub(" ", _INESSENTIAL.sub("", text))
        source = declared_as_utf8((text, core, "&;" + core)[attempt])
        try:
            return feedparser.parse(
                io.BytesIO(source), response_headers=headers, resolve_relative_uris=False, sanitize_html=False
            )
        except MemoryError:
            raise
        except Exception as error:  # it may be any: feedparser has no errors of its own for this
            trouble = error
    raise Rejected("parser_error", f"feedparser fails on it: {type(trouble).__name__}: {trouble}") from trouble


def _entry(entry: Any, version: str) -> DraftEntry:
    title_detail = entry.get("title_detail") or {}
    content, content_language = _content(entry)
    summary_detail = entry.get("summary_detail") or {}
    source = entry.get("source") or {}
    atom = version.startswith("atom")
    # Asked for by dict.get: feedparser gives one for the other where it is missing.
    updated = _text(dict.get(entry, "updated"))
    published = _text(dict.get(entry, "published") or dict.get(entry, "created"))
    languages = (title_detail.get("language"), content_language, summary_detail.get("language"), entry.get("language"))
    return DraftEntry(
        links=tuple(_links(entry)),
        guid=_text(entry.get("id")),
        guid_is_link=bool(entry.get("guidislink")),
        title=_text(entry.get("title")),
        # Atom says what is text and what is markup; RSS does not, and is escaped once too often if anything.
        title_is_plain=atom and title_detail.get("type") == "text/plain",
        summary=_text(entry.get("summary")),
        summary_is_plain=atom and summary_detail.get("type") == "text/plain",
        content=content,
        # The only date of an item of RSS or RDF is `dc:date`, which feedparser calls updated.
        published=published or ("" if atom else updated),
        updated=updated if atom or published else "",
        authors=tuple(_authors(entry)),
        categories=tuple(_text(tag.get("label") or tag.get("term")) for tag in entry.get("tags") or ()),
        images=tuple(_images(entry)),
        language=next((_text(language) for language in languages if language), ""),
        publisher=plain_text(_text(source.get("title"))),
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _links(entry: Any) -> Iterator[str]:
    """Addresses of the article itself, best first: never those of an enclosure or of the feed."""
    original = _text(entry.get("feedburner_origlink"))
    if original:
        yield original
    alternates = [
        link
        for link in entry.get("links") or ()
        if _text(link.get("rel")).rpartition("/")[2] == "alternate" and link.get("href")
    ]
    pages = [link for link in alternates if link.get("type") in _HTML_TYPES]
    # Where there are several, the last is the article in RSS: feedparser adds those of other namespaces first.
    link = _text(entry.get("link"))
    if link == _text(entry.get("id")) and not alternates:
        link = ""  # feedparser takes a guid for a link where there is none
    if link and not any(other.get("href") == link for other in entry.get("links") or () if other not in pages):
        yield link
    for other in (*pages, *alternates):
        yield _text(other.get("href"))


def _content(entry: Any) -> tuple[str, str]:
    """The longest content, as HTML, and its language."""
    best, language = "", ""
    for part in entry.get("content") or ():
        value, kind = _text(part.get("value")), part.get("type") or "text/html"
        if kind == "text/plain":
            value = as_markup(value)
        elif kind not in _HTML_TYPES:
            continue
        if len(value) > len(best):
            best, language = value, _text(part.get("language"))
    return best, language


def _authors(entry: Any) -> Iterator[str]:
    for author in entry.get("authors") or ():
        name = _text(author.get("name"))
        if name:
            yield plain_text(name)
    if not any(author.get("name") for author in entry.get("authors") or ()):
        name = _text((entry.get("author_detail") or {}).get("name")) or _text(entry.get("author"))
        if name and "@" not in name:
            yield plain_text(name)


def _images(entry: Any) -> Iterator[str]:
    for media in entry.get("media_content") or ():
        if media.get("medium") == "image" or _text(media.get("type")).startswith("image/"):
            yield _text(media.get("url"))
    for link in entry.get("links") or ():
        if link.get("rel") == "enclosure" and _text(link.get("type")).startswith("image/"):
            yield _text(link.get("href"))
    for thumbnail in entry.get("media_thumbnail") or ():
        yield _text(thumbnail.get("url"))
    image = entry.get("image")
    if isinstance(image, dict):
        yield _text(image.get("href"))
    for media in entry.get("media_content") or ():  # of no type given
        if not media.get("medium") and not media.get("type"):
            address = html.unescape(_text(media.get("url")))
            if re.search(r"\.(?:jpe?g|png|gif|webp|avif)(?:$|\?)", address, re.IGNORECASE):
                yield address
