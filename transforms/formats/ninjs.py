"""Articles as IPTC ninjs 3.0 documents (https://www.iptc.org/std/ninjs/), for those who exchange news with others.

What ninjs has no exact place for is not bent into another: a date without a time of day is no `contentCreated`, which
is a date and time, and stands in `edNote` as it is known.
"""

import re
from typing import Optional, TypedDict
from urllib.parse import quote

from newsbeam.transforms.model.records import Article, Topic
from newsbeam.transforms.model.serialization import safe_text

SCHEMA = "http://www.iptc.org/std/ninjs/ninjs-schema_3.0.json#"
MEDIA_TOPICS = "http://cv.iptc.org/newscodes/mediatopic/"

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z", re.ASCII)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://[^/]", re.ASCII | re.IGNORECASE)
_UNRESERVED_AND_RESERVED = "%:/?#[]@!$&'()*+,;=-._~"  # RFC 3986, section 2


class _Standard(TypedDict):
    name: str
    version: str
    schema: str


class Text(TypedDict, total=False):
    """A headline, description or body."""

    role: str
    contentType: str
    charCount: int
    wordCount: int
    value: str


class Concept(TypedDict, total=False):
    """A subject, person or source."""

    name: str
    rel: str
    role: str
    uri: str
    literal: str
    creator: str
    confidence: int


class Rendition(TypedDict):
    """A picture at an address."""

    name: str
    href: str


class AltId(TypedDict):
    """An additional identifier of the document, or of a document that it refers to."""

    role: str
    value: str


class Association(TypedDict):
    """An associated item, here the article's picture."""

    name: str
    uri: str
    type: str
    renditions: list[Rendition]


class Ninjs(TypedDict, total=False):
    """The properties of ninjs 3.0 that newsbeam fills."""

    uri: str
    standard: _Standard
    type: str
    representationType: str
    version: str
    firstCreated: str
    versionCreated: str
    contentCreated: str
    pubStatus: str
    usageTerms: str
    edNote: str
    language: str
    headlines: list[Text]
    descriptions: list[Text]
    bodies: list[Text]
    by: str
    people: list[Concept]
    infoSources: list[Concept]
    subjects: list[Concept]
    altIds: list[AltId]
    associations: list[Association]


def to_ninjs(article: Article) -> Ninjs:
    """An article as a ninjs 3.0 document that validates against IPTC's schema. What is not known is left out."""
    document: Ninjs = {
        "uri": _uri(article.url_canonical) or _uri(article.url) or f"urn:newsbeam:{quote(article.id, safe='')}",
        "standard": {"name": "ninjs", "version": "3.0", "schema": SCHEMA},
        "type": "text",
        "representationType": "full" if article.text else "partial",
        "version": str(article.revision),
        "pubStatus": "usable",
        "language": article.language,
    }
    if first := _date_time(article.first_seen_at):
        document["firstCreated"] = first
    if fetched := _date_time(article.fetched_at):
        document["versionCreated"] = fetched
    if published := _date_time(article.published_at):
        document["contentCreated"] = published
    if note := _note(article):
        document["edNote"] = note
    if terms := _terms(article):
        document["usageTerms"] = terms
    if headlines := _headlines(article):
        document["headlines"] = headlines
    if article.description:
        document["descriptions"] = [
            {"role": "summary", "contentType": "text/plain", "value": safe_text(article.description)}
        ]
    if article.text:
        text = safe_text(article.text)
        document["bodies"] = [
            {
                "role": "main",
                "contentType": "text/plain",
                "charCount": len(text),
                "wordCount": article.word_count,
                "value": text,
            }
        ]
    if article.authors:
        document["by"] = safe_text(", ".join(article.authors))
        document["people"] = [{"name": safe_text(name), "rel": "author"} for name in article.authors]
    if sources := _sources(article):
        document["infoSources"] = sources
    if subjects := _subjects(article):
        document["subjects"] = subjects
    document["altIds"] = _alternative_ids(article)
    if image := _uri(article.image_url or ""):
        document["associations"] = [
            {"name": "main", "uri": image, "type": "picture", "renditions": [{"name": "original", "href": image}]}
        ]
    return document


def _uri(url: str) -> str:
    """`url` with what RFC 3986 does not allow percent-encoded; empty if it is no absolute address."""
    if not _ABSOLUTE.match(url):
        return ""
    quoted = quote(safe_text(url), safe=_UNRESERVED_AND_RESERVED)
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", quoted)


def _date_time(value: Optional[str]) -> str:
    return value if value and _DATE_TIME.fullmatch(value) else ""


def _note(article: Article) -> str:
    notes = [
        f"{what} {safe_text(value)} (to the {precision or 'precision unknown'}, no time zone known)"
        if "T" in value
        else f"{what} {safe_text(value)}"
        for what, value, precision in (
            ("published", article.published_at, article.published_precision),
            ("updated", article.updated_at, article.updated_precision),
        )
        if value and (what == "updated" or not _date_time(value))
    ]
    return "; ".join(notes)


def _terms(article: Article) -> str:
    terms = []
    if article.robots:
        terms.append(f"directives of the site: {safe_text(', '.join(article.robots))}")
    if article.is_accessible_for_free is False:
        terms.append("not accessible for free")
    return "; ".join(terms)


def _headlines(article: Article) -> list[Text]:
    headlines: list[Text] = []
    if article.title:
        headlines.append({"role": "main", "contentType": "text/plain", "value": safe_text(article.title)})
    if article.title_feed and article.title_feed != article.title:
        headlines.append({"role": "feed", "contentType": "text/plain", "value": safe_text(article.title_feed)})
    return headlines


def _sources(article: Article) -> list[Concept]:
    sources: list[Concept] = []
    if article.publisher or article.domain:
        sources.append({"name": safe_text(article.publisher or article.domain), "role": "publisher"})
    if article.wire_agency:
        sources.append({"name": safe_text(article.wire_agency), "role": "agency"})
    return sources


def _subjects(article: Article) -> list[Concept]:
    subjects = [_topic(topic) for topic in article.topics]
    if article.section:
        subjects.append({"literal": safe_text(article.section), "rel": "section"})
    subjects += [{"literal": safe_text(keyword), "rel": "keyword"} for keyword in article.keywords]
    return subjects


def _topic(topic: Topic) -> Concept:
    scheme, _, code = safe_text(topic.uri).partition(":")
    uri = MEDIA_TOPICS + quote(code, safe="") if scheme == "medtop" else f"urn:newsbeam:topic:{quote(code, safe='')}"
    return {
        "name": safe_text(topic.name),
        "rel": "about",
        "uri": uri,
        "creator": f"newsbeam ({safe_text(topic.source)})",
        "confidence": min(100, max(0, round(topic.confidence * 100))),
    }


def _alternative_ids(article: Article) -> list[AltId]:
    ids = (
        ("newsbeam", article.id),
        ("guid", article.guid),
        ("story", article.story_id),
        ("duplicateOf", article.duplicate_of),
    )
    return [{"role": role, "value": safe_text(value)} for role, value in ids if value]
