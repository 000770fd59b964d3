"""Pages to articles: text, metadata, charsets, and what is refused."""

import codecs
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.boilerplate.strip import all_lines, strip_boilerplate
from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.extraction.html.article_blocks import article_body, parse
from newsbeam.transforms.extraction.html.blocks import outline
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Article, Entry, Origin, Page
from tests.support.places import DATA

PAGES = DATA / "pages"
HARBOUR = Page(
    url="https://courier.example/news/harbour",
    url_final="https://www.courier.example/news/harbour?x=1",
    body=(PAGES / "harbour.html").read_bytes(),
    robots="noai",
    fetched_at="2024-03-27T12:00:00Z",
    origin=Origin(unit="u1", seen_at="2024-03-27T11:59:00Z", raw_ref="harbour.html", discovered_via="file"),
)
COUNCIL = Page(url="https://anzeiger.example/rat", body=(PAGES / "ratsbeschluss.latin1.html").read_bytes())


def clean(page: Page) -> Article:
    return strip_boilerplate(extract_article(page))


def test_the_paragraphs_and_the_sub_heading_are_the_text() -> None:
    lines = clean(HARBOUR).text.split("\n")
    assert lines[0].startswith("The harbour wall at Saltmarsh was opened")
    assert "A harder winter ahead" in lines
    assert lines[-1].startswith("The council will decide in May")
    assert len(lines) == 7


def test_clutter_between_the_paragraphs_is_on_record() -> None:
    removed = {block.text: block.rule for block in clean(HARBOUR).removed_blocks}
    assert removed["Read more: Flood defences are failing along the coast"] == "read_more"
    assert any("morning email" in text for text in removed)
    assert all(removed.values())


def test_kept_and_removed_lines_are_numbered_together() -> None:
    extracted = extract_article(HARBOUR)
    before = [line for line, _ in all_lines(extracted)]
    assert [line for line, _ in all_lines(strip_boilerplate(extracted))] == before
    assert [block.line for block in clean(HARBOUR).removed_blocks] == sorted(
        block.line for block in clean(HARBOUR).removed_blocks if block.line is not None
    )


def test_what_the_page_says_of_itself_is_in_the_record() -> None:
    article = clean(HARBOUR)
    assert article.title == "Harbour wall reopens after winter storms"
    assert article.authors == ("Imogen Hartley", "Piet de Vries")
    assert (article.published_at, article.published_precision) == ("2024-03-25T08:30:00Z", "second")
    assert article.published_source == "jsonld"
    assert article.updated_at == "2024-03-26T07:05:00Z"
    assert article.publisher == "The Saltmarsh Courier"
    assert article.section == "Local"
    assert article.keywords == ("harbour", "storms")
    assert article.url_canonical == "https://www.courier.example/news/harbour-wall-reopens"
    assert article.image_url == "https://www.courier.example/pictures/wall.jpg"
    assert article.domain == "courier.example"
    assert (article.is_accessible_for_free, article.access_evidence) == (False, "jsonld:isAccessibleForFree")
    assert article.robots == ("noai", "index", "noarchive")
    assert article.language_declared == "en-GB"
    assert article.description.startswith("Walkers return")


def test_what_was_known_before_reading_is_carried_over() -> None:
    entry = Entry(feed_url="https://courier.example/rss", url="https://c.example", identity="g", guid="g", title="Wall")
    article = extract_article(replace(HARBOUR, entry=entry))
    assert (article.guid, article.title_feed, article.feed_url) == ("g", "Wall", "https://courier.example/rss")
    assert (article.first_seen_at, article.raw_ref) == ("2024-03-27T11:59:00Z", "harbour.html")
    assert article.origin == HARBOUR.origin
    assert article.id == ""


def test_a_page_in_the_charset_it_declares_is_read_without_a_warning() -> None:
    article = clean(COUNCIL)
    assert article.title == "Rat beschließt neue Brücke über die Mühlbach"
    assert "Fußgänger" in article.text
    assert article.warnings == ()
    assert (article.published_at, article.published_precision) == ("2021-03-02T10:30", "minute")
    assert article.authors == ("Jürgen Möller",)


def test_a_page_that_is_not_in_the_charset_it_claims_is_read_with_a_warning() -> None:
    body = COUNCIL.body.decode("latin-1").encode("utf-8")
    wrong = extract_article(replace(COUNCIL, body=body.replace(b"iso-8859-1", b"shift_jis")))
    assert "Fußgänger" in wrong.text
    assert wrong.warnings == ("charset_mismatch",)


def test_the_transport_outranks_the_page_and_a_byte_order_mark_both() -> None:
    text = COUNCIL.body.decode("latin-1")
    as_koi = extract_article(replace(COUNCIL, body=text.encode("utf-8"), charset="utf-8"))
    marked = extract_article(
        replace(COUNCIL, body=codecs.BOM_UTF16_LE + text.encode("utf-16-le"), charset="iso-8859-1")
    )
    assert as_koi.text == marked.text == extract_article(COUNCIL).text


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (replace(HARBOUR, body=b""), "empty"),
        (replace(HARBOUR, body=b" \n\t"), "empty"),
        (replace(HARBOUR, body=b"%PDF-1.7 ..."), "binary"),
        (replace(HARBOUR, body=bytes(range(256)) * 8), "binary"),
        (replace(HARBOUR, content_type="application/pdf"), "unknown_content_type"),
        (replace(HARBOUR, body=b"<html><body></body></html>"), "no_text"),
        (replace(HARBOUR, body=b"<!-- nothing -->"), "no_text"),
    ],
)
def test_what_is_no_article_is_refused_with_a_reason(page: Page, reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        clean(page)
    assert refused.value.reason == reason
    assert "courier.example" in refused.value.message


def test_a_date_after_the_page_was_fetched_is_not_believed() -> None:
    body = HARBOUR.body.replace(b"2024-03-25T09", b"2031-03-25T09")
    assert extract_article(replace(HARBOUR, body=body)).published_at != "2031-03-25T08:30:00Z"


def test_a_live_blog_is_flagged() -> None:
    body = HARBOUR.body.replace(b'"NewsArticle"', b'"LiveBlogPosting"')
    assert "live_blog" in extract_article(replace(HARBOUR, body=body)).warnings


def test_a_text_that_a_script_would_draw_is_taken_from_json_ld() -> None:
    paragraph = "The harbour wall at Saltmarsh was opened to walkers again on Monday, the council said in the evening."
    body = (
        "<html><head><title>Harbour wall reopens</title><script type='application/ld+json'>"
        '{"@type": "NewsArticle", "headline": "Harbour wall reopens", "articleBody": "'
        + "\\n".join(f"{number}. {paragraph}" for number in range(8))
        + "\"}</script></head><body><div id='app'>Please wait</div></body></html>"
    )
    article = clean(replace(HARBOUR, body=body.encode()))
    assert article.extractor == "jsonld"
    assert len(article.text.split("\n")) == 8


def test_broken_json_ld_does_not_cost_the_page() -> None:
    broken = extract_article(replace(HARBOUR, body=HARBOUR.body.replace(b'"@graph": [', b'"@graph": [[[[')))
    assert broken.title == "Harbour wall reopens after winter storms"
    assert broken.text == extract_article(HARBOUR).text


def test_a_page_nested_deeper_than_any_reader_goes_is_still_read() -> None:
    deep = b"<div>" * 5_000 + b"x" + b"</div>" * 5_000
    body = HARBOUR.body.replace(b"<footer>", deep + b"<footer>")
    assert "The harbour wall" in extract_article(replace(HARBOUR, body=body)).text


def test_pages_read_before_do_not_change_a_result() -> None:
    first = clean(HARBOUR)
    for _ in range(3):
        clean(COUNCIL)
    assert clean(HARBOUR) == first


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), cut=st.integers(0, 6_000))
def test_no_damage_to_a_page_ends_in_anything_but_an_article_or_a_reason(seed: int, cut: int) -> None:
    rnd = random.Random(seed)
    body = bytearray(HARBOUR.body[cut:])
    for _ in range(40):
        if body:
            body[rnd.randrange(len(body))] = rnd.choice(b"<>\"'=/ &;ax\xff\x80{}[]")
    try:
        article = extract_article(replace(HARBOUR, body=bytes(body)))
        stripped = strip_boilerplate(article)
    except Rejected:
        return
    assert [line for line, _ in all_lines(stripped)] == [line for line, _ in all_lines(article)]


def test_a_page_that_goes_on_with_another_story_ends_where_its_headline_stands() -> None:
    story = "<p>" + "The harbour wall was closed for a year after the storms. " * 3 + "</p>"
    two = f"<div><h1 class='head'>Wall reopens</h1>{story}{story}</div><div><h1 class='head'>Another</h1>{story}</div>"
    page = outline(parse(f"<html><body>{two}</body></html>", "a page"))
    body = article_body(page, np.ones(len(page.blocks), dtype=np.float32), False, "Wall reopens")
    assert len(body.lines) == 3
    # A heading of another look is one of the story's own.
    page = outline(parse(f"<html><body>{two.replace('head', 'x', 1)}</body></html>", "a page"))
    assert len(article_body(page, np.ones(len(page.blocks), dtype=np.float32), False, "Wall reopens").lines) == 5
