"""`extract_article`: a page to the record of its article. HTML and plain text; pure, no network, no clock."""

import re
from dataclasses import replace
from typing import Optional
from urllib.parse import urlsplit

from newsbeam.transforms.extraction.head import read_head
from newsbeam.transforms.extraction.html.article_blocks import (
    MODELS,
    Body,
    Models,
    article_body,
    described_body,
    line_probabilities,
    parse,
)
from newsbeam.transforms.extraction.html.blocks import outline
from newsbeam.transforms.extraction.html.script_state import Stated, as_page, stated_article
from newsbeam.transforms.extraction.json_ld import described_article
from newsbeam.transforms.extraction.metadata import Metadata, read_metadata
from newsbeam.transforms.extraction.plain.plain_text import PLAIN_MODELS, PlainModels, read_plain
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Article, Page, RemovedBlock
from newsbeam.transforms.text.charsets import decode
from newsbeam.transforms.text.machine_dates import machine_date
from newsbeam.transforms.text.moment import Moment, as_written, sensible
from newsbeam.transforms.text.words import count_words

HTML_TYPES = frozenset(("text/html", "application/xhtml+xml"))
MIN_CHARS = 40
_LIVE = re.compile(
    r"/live(?:blog|ticker|-updates?|-news)?/|liveblog|live-blog|liveticker|live-ticker|live-updates?\b", re.I
)


def extract_article(page: Page, models: Models = MODELS, plain_models: PlainModels = PLAIN_MODELS) -> Article:
    """The article of a page, with all that the page says of it; `id` and `content_hash` are left to a later stage.

    HTML gives the lines of the article's region: those judged to be the article as `text`, those between them that
    were not in `removed_blocks`, numbered together from 0. Plain text gives all its lines, as the one or the other.

    Args:
        page: one document, at most as large as the fetcher lets through.
        models, plain_models: the line models of HTML and of plain text; evaluation passes those that have not seen the
            page's site.

    Raises:
        Rejected: `unknown_content_type`, `empty`, `binary`, `bad_charset`, `no_text` (nothing that reads like an
            article is on the page).
    """
    where = page.url_final or page.url or page.origin.raw_ref or page.origin.unit or "the document"
    if page.content_type not in HTML_TYPES and page.content_type != "text/plain":
        raise Rejected(
            "unknown_content_type", f"{where}: {page.content_type!r} is no page; text/html or text/plain was expected"
        )
    if not page.body.strip():
        raise Rejected("empty", f"{where}: the document is empty")
    markup = page.content_type in HTML_TYPES
    hint = (page.entry.language if page.entry else "") or page.origin.language_hint
    text, warnings = decode(page.body, page.charset, markup, where, hint)
    article = _of_html(page, text, where, models) if markup else _of_plain(page, text, plain_models)
    if len(article.text) < MIN_CHARS and not any(map(str.isalpha, article.text)):
        raise Rejected("no_text", f"{where}: no line of it reads like the text of an article")
    return replace(
        article,
        warnings=(*warnings, *(page.entry.warnings if page.entry else ()), *article.warnings),
        word_count=count_words(article.text),
    )


def _frame(page: Page) -> Article:
    """What is known of a page before its body is read."""
    entry = page.entry
    url = page.url_final or page.url
    return Article(
        id="",
        url=url,
        guid=entry.guid if entry else "",
        domain=(urlsplit(url).hostname or "").removeprefix("www."),
        publisher=page.origin.publisher,
        feed_url=page.origin.feed_url or (entry.feed_url if entry else ""),
        discovered_via=page.origin.discovered_via,
        title_feed=entry.title if entry else "",
        first_seen_at=page.origin.seen_at or None,
        fetched_at=page.fetched_at,
        raw_ref=page.origin.raw_ref,
        origin=page.origin,
    )


def _of_html(page: Page, text: str, where: str, models: Models) -> Article:
    tree = parse(text, where)
    view = outline(tree)
    head = read_head(tree)
    described = described_article(tree)
    frame = _frame(page)
    entry = page.entry
    known = read_metadata(
        tree,
        head,
        described,
        view.blocks,
        url=frame.url,
        publisher=frame.publisher,
        feed_title=frame.title_feed,
        feed_authors=tuple(entry.authors) if entry else (),
        feed_date=entry.published_at if entry else None,
        robots_header=page.robots,
        fetched_at=page.fetched_at,
    )
    stated = stated_article(tree, described.body, known.title, [block.text for block in view.blocks])
    probability, doubted = line_probabilities(view, text, tree, known, stated.text, models)
    body = article_body(view, probability, doubted, known.title)
    extractor = "blocks+opinions" if doubted else "blocks"
    from_json = described_body(body, described.body, known.title)
    if from_json is not None:
        body, extractor = from_json, "jsonld"
    elif stated.undrawn:
        body, extractor = _drawn(stated, known, where, models), "script"
    frame = _timed(frame, known.published, known.published_source, known.updated, known.published_day)
    warnings = [
        name
        for name, there in (("live_blog", known.live or bool(_LIVE.search(frame.url))), ("truncated", view.truncated))
        if there
    ]
    return replace(
        frame,
        url_canonical=known.url_canonical,
        publisher=known.publisher,
        title=known.title,
        description=known.description,
        text="\n".join(body.lines),
        authors=known.authors,
        image_url=known.image_url,
        section=known.section,
        keywords=known.keywords,
        is_accessible_for_free=known.free,
        access_evidence=known.access_evidence,
        removed_blocks=body.removed,
        extractor=extractor,
        warnings=tuple(warnings),
        language_declared=known.language,
        robots=known.robots,
    )


def _drawn(stated: Stated, known: Metadata, where: str, models: Models) -> Body:
    """The article of a page that only a script would draw, judged as if it had."""
    text = as_page(stated, known.title)
    tree = parse(text, where)
    view = outline(tree)
    return article_body(view, *line_probabilities(view, text, tree, known, "", models), known.title)


def _of_plain(page: Page, text: str, models: PlainModels) -> Article:
    frame = _frame(page)
    entry = page.entry
    plain = read_plain(text, page.fetched_at, models)
    published, source = plain.published, "text" if plain.published else None
    if published is None and entry and entry.published_at:
        published = machine_date(entry.published_at)
        published, source = (published, "feed") if sensible(published, page.fetched_at) else (None, None)
    if published is None and plain.updated:
        published, source = plain.updated, "updated"
    frame = _timed(frame, published, source, plain.updated, as_written(published) if published else None)
    return replace(
        frame,
        title=plain.title or frame.title_feed,
        description=entry.summary if entry else "",
        text="\n".join(line for place, line in enumerate(plain.lines) if place not in plain.removed),
        removed_blocks=tuple(RemovedBlock(rule, plain.lines[place], place) for place, rule in plain.removed.items()),
        warnings=("rules_undone",) if plain.undone else (),
        authors=plain.authors or (tuple(entry.authors) if entry else ()),
        extractor="plain",
        robots=tuple(part.strip().lower() for part in page.robots.split(",") if part.strip()),
    )


def _timed(
    article: Article,
    published: Optional[Moment],
    source: Optional[str],
    updated: Optional[Moment],
    day: Optional[str],
) -> Article:
    return replace(
        article,
        published_at=published.iso if published else None,
        published_precision=published.precision if published else None,
        published_source=source,
        published_day=day,
        updated_at=updated.iso if updated else None,
        updated_precision=updated.precision if updated else None,
    )
