"""What a page's head, JSON-LD and visible bylines say of the article: title, authors, dates, addresses, access.

Sources are ranked field by field; a title is chosen by agreement of h1, JSON-LD, `og:title`, the feed and `<title>`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Optional
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement

from newsbeam.transforms.extraction.head import Head
from newsbeam.transforms.extraction.html.blocks import ITEM_HEADLINE, Block
from newsbeam.transforms.extraction.html.class_words import CLASS_BIT
from newsbeam.transforms.extraction.json_ld import Described
from newsbeam.transforms.extraction.names import BY, DATED_BY, LOGIN, ORGANISATION, clean_names
from newsbeam.transforms.extraction.publication import StatedDates
from newsbeam.transforms.text.line_features import fold
from newsbeam.transforms.text.moment import Moment

_AUTHORS = (
    "author", "article:author", "byl", "parsely-author", "sailthru.author", "dc.creator", "dc.creator.personalname",
    "dcterms.creator", "article:author_name", "cxenseparse:author", "citation_author", "og:article:author", "authors",
    "rnews:author", "mediator_author", "vr:author", "twitter:data1", "creator",
)  # fmt: skip
_NAMED_AUTHOR = etree.XPath("//*[@itemprop='author' or @rel='author']")
_TEXT = 300
"""Characters of a paragraph: no byline of the article stands behind it."""
# Spaces are counted, here and below: `\s+` looks at each run of them once for each of its spaces.
_AFFIX = re.compile(r"\s{1,20}[|–—\-:·•»«/\\~]{1,20}\s{1,20}|\s{0,20}[|»]\s{0,20}")
_AUTHOR_PATH = re.compile(
    r"/(?:authors?|staff|by|autor(?:en|es|e)?|profile|people|writers?|contributors?|journalist[a-z]*)/", re.I
)


@dataclass(frozen=True)
class Metadata:
    """Everything but the text."""

    title: str
    description: str
    authors: tuple[str, ...]
    published: Optional[Moment]
    published_source: Optional[str]
    published_day: Optional[str]
    updated: Optional[Moment]
    url_canonical: str
    publisher: str
    section: Optional[str]
    keywords: tuple[str, ...]
    image_url: Optional[str]
    free: Optional[bool]
    access_evidence: Optional[str]
    language: str
    robots: tuple[str, ...]
    live: bool


def without_affix(title: str, sites: tuple[str, ...]) -> str:
    """A title without the site's name at its end or start: `Storm hits coast | The Daily` -> `Storm hits coast`.

    Only an affix that is the name of the site, or made of its words, goes.
    """
    names = [fold(site).replace(" ", "") for site in sites if site]
    for _ in range(3):
        parts = list(_AFFIX.finditer(title))
        if not parts:
            break
        last, first = parts[-1], parts[0]
        tail, head = title[last.end() :], title[: first.start()]
        if _is_site(tail, names) and title[: last.start()].strip():
            title = title[: last.start()].strip()
        elif _is_site(head, names) and title[first.end() :].strip():
            title = title[first.end() :].strip()
        else:
            break
    return title


def _is_site(part: str, names: list[str]) -> bool:
    own = fold(part).replace(" ", "")
    if not own:
        return True
    return any(
        name
        and (
            own == name
            or (len(own) > 3 and own in name)
            or (len(name) > 3 and name in own and len(own) < 3 * len(name) + 12)
        )
        for name in names
    )


def choose_title(headings: list[str], described: Described, head: Head, feed_title: str, sites: tuple[str, ...]) -> str:
    """The headline as the reader sees it: the h1 that most other sources agree with, else what most sources say."""
    og = without_affix(head.meta.get("og:title") or head.meta.get("twitter:title") or "", sites)
    page = without_affix(head.title, sites)
    others = [one for one in (described.headline, og, page, without_affix(feed_title, sites)) if one]
    best, rank = "", 0.0
    for place, heading in enumerate(headings[:12]):
        if len(heading) < 4:
            continue
        similar = [_similar(heading, other) for other in others]
        # Word for word in another source: a teaser may share more words with all of them.
        score = sum(similar) - 0.05 * place + 0.3 * (max(similar, default=0.0) == 1.0)
        if score > rank and max(similar, default=0.0) >= 0.35:
            best, rank = heading, score
    if best:
        return _whole(best, described.headline, og, others)
    if not others:
        return next((one for one in headings if len(one) > 3), "")
    support = {one: sum(_similar(one, other) for other in others) for one in others}
    chosen = max(others, key=lambda one: (round(support[one], 3), one == described.headline, one == og))
    # What goes on after the whole of another source is an affix.
    starts = [one for one in others if len(one) > 0.5 * len(chosen) and chosen.startswith(one)]
    return min(starts, key=len)


def _whole(heading: str, headline: str, og: str, others: list[str]) -> str:
    """The heading as other sources have it, where markup cut off its beginning, added one, or glued two parts of it."""
    seen, told = fold(heading), {fold(one): one for one in (headline, og) if one}
    if seen in map(fold, others):
        return heading
    if len(told) == 1 and headline and og and f" {fold(og)}".endswith(f" {seen}"):
        return headline
    joined = seen.replace(" ", "")
    for one in others:
        folded = fold(one)
        if folded.count(" ") > seen.count(" ") and folded.replace(" ", "") == joined:
            return one
    within = (one for folded, one in told.items() if folded.count(" ") >= 3 and seen.endswith(f" {folded}"))
    return next(within, heading)


def _similar(one: str, other: str) -> float:
    """Overlap of the words of two titles: shared words over those of the shorter, damped by length."""
    a, b = fold(one).split(), fold(other).split()
    if not a or not b:
        return 0.0
    if len(a) < 3 or len(b) < 3:
        joined_a, joined_b = "".join(a), "".join(b)
        return (
            1.0
            if joined_a == joined_b
            else 0.4 * (joined_a in joined_b or joined_b in joined_a) * (min(len(joined_a), len(joined_b)) > 5)
        )
    shared = len(set(a) & set(b))
    return 2 * shared / (len(set(a)) + len(set(b)))


def _authors(
    described: Described, head: Head, tree: HtmlElement, blocks: list[Block], entry: tuple[str, ...],
    sites: tuple[str, ...],
) -> tuple[str, ...]:  # fmt: skip
    """The first source that names a person; else an organisation, the site itself only where there is no other."""
    fallback: tuple[str, ...] = ()
    for sources in (_stated_authors(described, head, entry), _shown_authors(tree, blocks)):
        organisation: tuple[str, ...] = ()
        for values in filter(None, sources):
            names = clean_names(values, sites)
            if names and not ORGANISATION.search(names[0]) and not LOGIN.match(names[0]):
                return _in_byline(names, blocks) if len(names) > 1 else names
            if names and ORGANISATION.search(names[0]):
                organisation = organisation or names
            fallback = fallback or clean_names(values, sites, keep_organisation=True)
        if organisation:
            # An agency, or the staff of another paper: names elsewhere on such a page are of other stories.
            return organisation
    return fallback


def _in_byline(names: tuple[str, ...], blocks: list[Block]) -> tuple[str, ...]:
    """Of several names those that a byline gives, if one does: the others are editors, photographers, reviewers."""
    lines = []
    for block in blocks:
        if len(block.text) < 120 and BY.match(block.text):
            lines.append(fold(block.text))
        elif lines and len(block.text) > _TEXT:
            break
    given = "\n".join(lines)
    return tuple(name for name in names if fold(name) in given) or names


def _stated_authors(described: Described, head: Head, entry: tuple[str, ...]) -> Iterator[list[str]]:
    """What tells machines who the authors are, the most trusted first."""
    yield list(described.authors)
    for name in _AUTHORS:
        if name != "twitter:data1" or BY.match(head.meta.get("twitter:label1", "") + " x"):
            yield [value for value in head.many.get(name, ()) if not value.startswith("http")]
    yield [value for name, value in head.meta.items() if name.endswith(".author")]
    yield list(entry)


def _shown_authors(tree: HtmlElement, blocks: list[Block]) -> Iterator[list[str]]:
    """What shows them to readers. It is dear, and looked at only if nothing was stated."""
    yield _texts(_NAMED_AUTHOR(tree))
    linked = (link for link in tree.iter("a") if _AUTHOR_PATH.search(link.get("href") or ""))
    yield [text for text in _texts(islice(linked, 4))[:1] if len(text.split()) > 1]
    meta = CLASS_BIT["meta"]
    short = (block for block in blocks if len(block.text) < 90)
    bylines = (
        block.text
        for block in short
        if BY.match(block.text)
        or DATED_BY.match(block.text)
        or (block.own & meta and block.links and len(block.text) < 50)
    )
    yield [DATED_BY.sub("", line) for line in islice(bylines, 1)]


def _texts(elements: Iterable[HtmlElement]) -> list[str]:
    found = (" ".join("".join(element.itertext()).split()) for element in elements)
    return [text for text in found if 2 < len(text) < 80][:4]


def read_metadata(  # noqa: PLR0913 - not cut yet
    tree: HtmlElement, head: Head, described: Described, blocks: list[Block], *, url: str, publisher: str,
    feed_title: str, feed_authors: tuple[str, ...], feed_date: Optional[str], robots_header: str,
    fetched_at: Optional[str],
) -> Metadata:  # fmt: skip
    """All metadata of a page.

    Args:
        blocks: the page's visible text, for headings, bylines and dates that stand nowhere else.
        url: the page's address after redirects, against which others are resolved.
        publisher: what is known of the site before reading it; `og:site_name` and JSON-LD come first.
        feed_title, feed_authors, feed_date: what the feed said.
        fetched_at: no date may be more than a day later.
    """
    meta = head.meta
    site = meta.get("og:site_name") or described.publisher or meta.get("application-name") or ""
    host = urlsplit(url).netloc.removeprefix("www.")
    account = meta.get("twitter:site", "").lstrip("@")
    sites = (site, described.publisher, publisher, host, host.rpartition(".")[0], account)
    title = choose_title(_headings(blocks), described, head, feed_title, sites)
    stated = StatedDates(described, head, tree, blocks, title, feed_date, url, fetched_at)
    published, source = stated.published()
    canonical = head.links.get("canonical") or meta.get("og:url") or described.url or ""
    image = meta.get("og:image") or meta.get("og:image:url") or described.image or meta.get("twitter:image") or ""
    tags = [value for name in ("article:tag", "news_keywords", "keywords") for value in head.many.get(name, ())]
    words = (word.strip() for value in tags for word in value.split(","))
    keywords = described.keywords or tuple(dict.fromkeys(word for word in words if word and len(word) < 100))
    section = described.section or meta.get("article:section") or meta.get("parsely-section") or meta.get("section")
    free, evidence = described.free, "jsonld:isAccessibleForFree" if described.free is not None else None
    tier = meta.get("article:content_tier", "").lower()
    if free is None and tier in ("free", "metered", "locked"):
        free, evidence = tier == "free", f"meta:article:content_tier={tier}"
    robots = [
        part.strip().lower()
        for value in (robots_header, meta.get("robots", ""), meta.get("googlebot", ""))
        for part in value.split(",")
        if part.strip()
    ]
    return Metadata(
        title=title,
        description=meta.get("og:description") or meta.get("description") or described.description or "",
        authors=_authors(described, head, tree, blocks, feed_authors, sites),
        published=published,
        published_source=source,
        published_day=stated.day(published) if published else None,
        updated=stated.updated(published),
        url_canonical=_absolute(url, canonical),
        publisher=site or publisher,
        section=section or None,
        keywords=keywords[:50],
        image_url=_absolute(url, image) or None,
        free=free,
        access_evidence=evidence,
        language=head.language or described.language or meta.get("og:locale", "") or meta.get("content-language", ""),
        robots=tuple(dict.fromkeys(robots)),
        live=described.live,
    )


def _headings(blocks: list[Block]) -> list[str]:
    """What may be the headline, the likeliest first."""
    wanted = CLASS_BIT["headline"]
    found = [
        block
        for block in blocks
        if len(block.text) < 300
        and (
            block.tag in ("h1", "h2")
            or block.item & ITEM_HEADLINE
            or (block.own & wanted and block.link_chars < len(block.text) / 2)
        )
    ]
    found.sort(key=lambda block: (block.tag != "h1", not block.item & ITEM_HEADLINE, block.tag != "h2"))
    return [block.text for block in found]


def _absolute(base: str, link: str) -> str:
    if not link:
        return ""
    try:
        joined = urljoin(base, link.strip())
        parts = urlsplit(joined)
    except ValueError:
        return ""
    return joined if parts.scheme in ("http", "https") and parts.netloc else ""
