"""The feeds that a home page names (https://www.rssboard.org/rss-autodiscovery, RFC 8288 `alternate`)."""

import html
import re
from urllib.parse import urljoin

from newsbeam.transforms.feeds.document import FurtherDocument
from newsbeam.transforms.feeds.text import plain_text

_HEAD = 512 * 1024
_TAG = re.compile(r"<(link|base)\s([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w:-]{1,40})\s*=\s*(?:"([^"<>]{0,3000})"|'([^'<>]{0,3000})'|([^\s"'<>]{1,3000}))""")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TITLE = re.compile(r"<title[^<>]{0,500}>([^<]{0,1000})", re.IGNORECASE)
_COMMENTS_ADDRESS = re.compile(
    r"/(?:comments?|kommentare?|commentaires?|comentarios?|commenti|reacties)(?:/|\.|$|/feed)"
    r"|[?&]feed=comments|/comments-(?:rss2?|atom)|/feeds/(?:\d+/)?comments/",
    re.IGNORECASE,
)
_COMMENTS_TITLE = re.compile(
    r"\bcomments\b|\bkommentar-?feed\b|\bkommentare\b|\bflux (?:des )?commentaires\b|\bcommentaires\b|\bcomentarios\b"
    r"|\bcomentários\b|\bcommenti\b|\breacties\b|\bkommentarer\b|\bkomentarze\b|\bкомментари|评论|コメント|댓글",
    re.IGNORECASE,
)
"""What WordPress, Blogger and others call them, in the languages of the default feeds."""
_FEED_TYPES = {
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "application/json",
    "application/xml",
    "text/xml",
    "application/x.atom+xml",
    "application/x-atom+xml",
}


def is_of_comments(address: str, title: str) -> bool:
    """Whether a feed is one of readers' comments, by its address or its title: what it lists are no articles."""
    return _COMMENTS_ADDRESS.search(address) is not None or _COMMENTS_TITLE.search(title) is not None


def discover_feeds(text: str, base: str) -> tuple[FurtherDocument, ...]:
    """Feeds named by `<link rel="alternate">` of a page, in its order, each once; addresses absolute.

    Feeds of comments are left out.
    """
    found: dict[str, FurtherDocument] = {}
    for tag, inside in _TAG.findall(_COMMENT.sub(" ", text[:_HEAD])):
        attributes = {
            name.lower(): html.unescape(double or single or bare).strip()
            for name, double, single, bare in _ATTRIBUTE.findall(inside)
        }
        try:
            address = urljoin(base, attributes.get("href", ""))
        except ValueError:
            continue
        if tag.lower() == "base":
            base = address
            continue
        relations = attributes.get("rel", "").lower().split()
        kind = attributes.get("type", "").partition(";")[0].strip().lower()
        wanted = ("alternate" in relations and kind in _FEED_TYPES) or "feed" in relations
        if wanted and attributes.get("href") and address.lower().startswith(("http://", "https://")):
            if kind == "application/json" and "/wp-json/" in address:
                continue  # WordPress names its interface the same way
            if is_of_comments(address, attributes.get("title", "")):
                continue
            found.setdefault(address, FurtherDocument(address, "feed", attributes.get("title", "")))
    return tuple(found.values())


def page_title(text: str) -> str:
    """The page's title; empty if it has none."""
    match = _TITLE.search(text[:_HEAD])
    return plain_text(match[1]) if match else ""
