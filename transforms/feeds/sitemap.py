"""Sitemaps and sitemap indexes (https://www.sitemaps.org/protocol.html), with Google's news and image extensions
(https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap).
"""

from lxml import etree

from newsbeam.transforms.feeds.document import FurtherDocument
from newsbeam.transforms.feeds.draft import Draft, DraftEntry
from newsbeam.transforms.feeds.text import clean_spaces
from newsbeam.transforms.feeds.xml_text import lenient_tree, local_name
from newsbeam.transforms.model.errors import Rejected

MOST_ENTRIES = 50_000
"""The protocol's limit for one sitemap."""


def read_sitemap(text: str) -> Draft:
    """Reads a sitemap or an index of sitemaps; raises `Rejected("malformed")`."""
    root = lenient_tree(text)
    name = local_name(root)
    if name == "sitemapindex":
        return _index(root)
    if name != "urlset":
        raise Rejected("malformed", f"the root should be <urlset> or <sitemapindex>, not <{name}>")
    entries, news = [], False
    for element in root.iterchildren("{*}url"):
        entry, is_news = _entry(element)
        news = news or is_news
        if entry.links:
            entries.append(entry)
    if len(entries) > MOST_ENTRIES:
        raise Rejected("too_large", f"{len(entries)} addresses in one sitemap, {MOST_ENTRIES} are allowed")
    publisher = next((entry.publisher for entry in entries if entry.publisher), "")
    language = next((entry.language for entry in entries if entry.language), "")
    return Draft("sitemap-news" if news else "sitemap", publisher, language, entries=tuple(entries))


def _index(root: etree._Element) -> Draft:
    children = []
    for element in root.iterchildren("{*}sitemap"):
        address = _child_text(element, "loc")
        if address:
            children.append(FurtherDocument(address, "sitemap", updated_at=_child_text(element, "lastmod") or None))
    return Draft("sitemap-index", further=tuple(children))


def _entry(element: etree._Element) -> tuple[DraftEntry, bool]:
    news = next(element.iterchildren("{*}news"), None)
    images = [_child_text(image, "loc") for image in element.iterchildren("{*}image")]
    entry = DraftEntry(
        links=tuple(address for address in [_child_text(element, "loc")] if address),
        updated=_child_text(element, "lastmod"),
        images=tuple(images),
    )
    if news is None:
        return entry, False
    publication = next(news.iterchildren("{*}publication"), None)
    keywords = _child_text(news, "keywords")
    return (
        DraftEntry(
            links=entry.links,
            title=_child_text(news, "title"),
            published=_child_text(news, "publication_date"),
            updated=entry.updated,
            categories=tuple(keyword.strip() for keyword in keywords.split(",") if keyword.strip()),
            images=entry.images,
            language="" if publication is None else _child_text(publication, "language"),
            publisher="" if publication is None else _child_text(publication, "name"),
        ),
        True,
    )


def _child_text(element: etree._Element, name: str) -> str:
    child = next(element.iterchildren("{*}" + name), None)
    return "" if child is None else clean_spaces("".join(child.itertext()))
