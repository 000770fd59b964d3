"""Lists of feeds in OPML (http://opml.org/spec2.opml), which are ill-formed more often than not."""

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

from lxml import etree

from newsbeam.transforms.feeds.document import FurtherDocument
from newsbeam.transforms.feeds.draft import Draft
from newsbeam.transforms.feeds.text import clean_spaces, plain_text
from newsbeam.transforms.feeds.xml_text import local_name, well_formed_tree
from newsbeam.transforms.model.errors import Rejected

MOST_FEEDS = 100_000
_OUTLINE = re.compile(r"<outline\b", re.IGNORECASE)
_LONGEST_OUTLINE = 20_000
_ADDRESS = re.compile(r"""\bxmlUrl\s{0,9}=\s{0,9}(?:"([^"]{0,4000})"|'([^']{0,4000})')""", re.IGNORECASE)
_LABEL = re.compile(
    r"""\b(?:title|text)\s{0,9}=\s{0,9}"([^<>]{0,300}?)"\s{1,9}(?=[\w:]{1,40}\s{0,9}=|/?>)""", re.IGNORECASE
)
_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,1000})", re.IGNORECASE)


def read_opml(text: str, base: str) -> Draft:
    """Reads a list of feeds, nested or not; each address once. Raises `Rejected("too_large")`.

    What is well-formed is read as XML; else the outlines are searched for, since attributes with quotes, tags and bare
    ampersands in them leave no tree that could be trusted.
    """
    root = well_formed_tree(text)
    title = _TITLE.search(text[:65536])
    found: dict[str, FurtherDocument] = {}
    for address, label in _of_tree(root) if root is not None else _of_text(text):
        try:
            absolute = urljoin(base, clean_spaces(address))
        except ValueError:
            continue
        if absolute.lower().startswith(("http://", "https://")):
            found.setdefault(absolute, FurtherDocument(absolute, "feed", clean_spaces(label)))
        if len(found) > MOST_FEEDS:
            raise Rejected("too_large", f"the list has more than {MOST_FEEDS} feeds")
    warnings = () if root is not None else ("ill-formed: read outline by outline",)
    return Draft("opml", plain_text(title[1]) if title else "", further=tuple(found.values()), warnings=warnings)


def _of_tree(root: etree._Element) -> Iterator[tuple[str, str]]:
    for element in root.iter():
        if local_name(element) == "outline":
            attributes = {str(key).rpartition("}")[2].lower(): str(value) for key, value in element.attrib.items()}
            if attributes.get("xmlurl"):
                yield attributes["xmlurl"], attributes.get("title") or attributes.get("text") or ""


def _of_text(text: str) -> Iterator[tuple[str, str]]:
    starts = [match.start() for match in _OUTLINE.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        outline = text[start : min(end, start + _LONGEST_OUTLINE)]
        address = _ADDRESS.search(outline)
        if address:
            label = _LABEL.search(outline)
            yield html.unescape(address[1] or address[2] or ""), plain_text(label[1]) if label else ""
