"""When an article was published: machine data first, unless the page itself shows that it was dated anew."""

from typing import Optional

import pytest

from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.extraction.dated_lines import dated
from newsbeam.transforms.extraction.head import read_head
from newsbeam.transforms.extraction.html.article_blocks import parse
from newsbeam.transforms.extraction.html.blocks import outline
from newsbeam.transforms.extraction.json_ld import described_article
from newsbeam.transforms.extraction.publication import StatedDates
from newsbeam.transforms.model.records import Page
from newsbeam.transforms.text.moment import Moment, as_written

TITLE = "Harbour wall reopens"
STORY = "<p>" + "The wall was closed for a year after the storms of the last winter. " * 6 + "</p>"


def stated(head: str, body: str, feed: Optional[str] = None, url: str = "") -> StatedDates:
    tree = parse(f"<html><head><title>x</title>{head}</head><body>{body}</body></html>", "a page")
    described, blocks = described_article(tree), outline(tree).blocks
    return StatedDates(described, read_head(tree), tree, blocks, TITLE, feed, url, "2024-06-01T00:00:00Z")


def found(*arguments: str, **named: str) -> tuple[Optional[str], Optional[str]]:
    moment, source = stated(*arguments, **named).published()
    return (moment.iso if moment else None), source


def ld(published: str, modified: str = "") -> str:
    rest = f', "dateModified": "{modified}"' if modified else ""
    return (
        '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Harbour wall reopens", '
        f'"datePublished": "{published}"{rest}}}</script>'
    )


def test_what_the_page_tells_machines_has_the_time_and_its_zone() -> None:
    body = f"<h1>{TITLE}</h1><p>25 March 2024</p>{STORY}"
    assert found(ld("2024-03-25T19:08:00+01:00"), body) == ("2024-03-25T18:08:00Z", "jsonld")


def test_the_date_beside_the_headline_comes_before_those_of_teasers() -> None:
    teaser = "<aside><h3>Another story</h3><time datetime='2024-05-01'>1 May 2024</time></aside>"
    body = f"{teaser}<h1>{TITLE}</h1><span>22 March 2024</span>{STORY}{teaser}"
    assert found("", body) == ("2024-03-22", "html")


def test_the_attribute_has_the_time_of_the_day_that_is_shown() -> None:
    other = "<time datetime='2024-05-01T10:00:00Z'>1 May</time>"
    body = f"{other}<h1>{TITLE}</h1><time datetime='2024-03-22T08:00:00Z'>22 March 2024</time>{STORY}"
    assert found("", body) == ("2024-03-22T08:00:00Z", "html")


def test_a_page_published_anew_has_the_date_that_it_shows() -> None:
    body = f"<h1>{TITLE}</h1><p>Ann Lee</p><p>19 May 2024</p>{STORY}"
    head = ld("2019-03-30T12:00:00Z", "2024-05-19T09:00:00Z")
    assert found(head, body) == ("2024-05-19T09:00:00Z", "html")


@pytest.mark.parametrize(
    "line",
    ["Updated 19 May 2024", "Published 30 March 2019, last updated 19 May 2024", "Aktualisiert am 19. Mai 2024"],
)
def test_an_update_is_no_publication(line: str) -> None:
    head = ld("2019-03-30T12:00:00Z", "2024-05-19T09:00:00Z")
    assert found(head, f"<h1>{TITLE}</h1><p>{line}</p>{STORY}") == ("2019-03-30T12:00:00Z", "jsonld")


@pytest.mark.parametrize(
    ("line", "dates"),
    [
        ("Posted: 3 May 2024 | Last Updated: 5 May 2024", [("2024-05-03", False), ("2024-05-05", True)]),
        ("Last updated: 5 May 2024 First published: 3 May 2024", [("2024-05-05", True), ("2024-05-03", False)]),
        ("3 maja 2024 (16:11) Aktualizacja: 5 maja 2024", [("2024-05-03T16:11", False), ("2024-05-05", True)]),
        ("2024年5月5日 10:00 更新", [("2024-05-05T10:00", True)]),
        ("3 May 2024. Updated an hour ago", [("2024-05-03", False)]),
    ],
)
def test_a_word_for_update_stands_for_its_own_date(line: str, dates: list[tuple[str, bool]]) -> None:
    assert [(moment.iso, is_update) for moment, is_update in dated(line)] == dates


@pytest.mark.parametrize("line", ["Posted: 3 May 2024 | Last Updated: 5 May 2024", "Updated 5 May 2024 | 3 May 2024"])
def test_a_line_may_tell_both_days(line: str) -> None:
    assert found("", f"<h1>{TITLE}</h1><p>{line}</p>{STORY}") == ("2024-05-03", "html")


def test_a_lone_date_of_update_stands_for_the_publication_and_says_so() -> None:
    other = "<time datetime='2024-05-11T10:00:00Z'>11 May</time><p class='date'>12 May 2024</p>"
    body = f"<h1>{TITLE}</h1><p>Updated on 19 May 2024</p>{STORY}{other}"
    assert found("", body) == ("2024-05-19", "updated")
    assert found("<meta property='article:modified_time' content='2024-05-19T09:00:00Z'>", body) == (
        "2024-05-19T09:00:00Z",
        "updated",
    )


def test_so_it_does_in_plain_text() -> None:
    body = f"{TITLE}\nUpdated: 19 May 2024, 21:07\n{'The wall was closed for a year after the storms. ' * 6}"
    article = extract_article(Page(url="", body=body.encode(), content_type="text/plain"))
    assert (article.published_at, article.published_source) == ("2024-05-19T21:07", "updated")
    assert article.updated_at == article.published_at


def test_any_date_of_publication_comes_before_one_of_update() -> None:
    body = f"<h1>{TITLE}</h1><p>Updated on 19 May 2024</p>{STORY}"
    head = "<meta property='article:modified_time' content='2024-05-19T09:00:00Z'>"
    assert found(head, body, feed="2024-05-03T08:00:00Z") == ("2024-05-03T08:00:00Z", "feed")
    assert found(head, body, url="https://x.example/2024/05/03/wall") == ("2024-05-03", "url")


def test_of_lines_named_as_dates_the_nearest_to_the_headline_is_the_storys() -> None:
    menu = "<ul>" + "<li><a href='/x'>A section</a></li>" * 20 + "</ul>"
    top, dateline = "<div class='date'>31 May 2024</div>", "<div class='date'>22 March 2024</div>"
    body = f"{top}{menu}{dateline}{menu}<h1>{TITLE}</h1>{STORY}"
    assert found("", body) == ("2024-03-22", "html")


def test_a_page_without_a_heading_may_begin_its_title_with_the_headline() -> None:
    short = TITLE.replace(" wall", " wall at last")
    tree = parse(f"<html><body><p>Home</p><p>{short}</p><p>22 March 2024</p>{STORY}</body></html>", "a page")
    blocks = outline(tree).blocks
    title = f"{short} - World - The Gazette"
    dates = StatedDates(described_article(tree), read_head(tree), tree, blocks, title, None, "", None)
    assert dates.published() == (Moment("2024-03-22", "day", "2024-03-22"), "html")


def test_the_time_of_day_of_another_element_is_not_the_storys() -> None:
    comment = "<time datetime='2024-03-22T18:01:00Z'>a reader</time>"
    body = f"<h1>{TITLE}</h1><p>22 March 2024, 16:12</p>{STORY}{comment}"
    assert found("", body) == ("2024-03-22T16:12", "html")


def test_the_same_moment_in_another_zone_is_not_dated_anew() -> None:
    body = f"<h1>{TITLE}</h1><p>26 March 2024, 9:03 am</p>{STORY}"
    assert found(ld("2024-03-25T22:03:00Z"), body) == ("2024-03-25T22:03:00Z", "jsonld")


def test_dates_in_the_story_are_not_its_own() -> None:
    body = f"<h1>{TITLE}</h1>{STORY}<p>It opened on 12 May 2024.</p>"
    assert found("", body, url="https://x.example/2024/03/25/wall") == ("2024-03-25", "url")


def test_the_feed_tells_what_the_page_does_not() -> None:
    assert found("", f"<h1>{TITLE}</h1>{STORY}", feed="2024-03-25T08:00:00Z") == ("2024-03-25T08:00:00Z", "feed")


def test_no_update_lies_before_the_publication() -> None:
    dates = stated(ld("2024-03-25", "2023-01-01"), f"<h1>{TITLE}</h1>{STORY}")
    assert dates.updated(dates.published()[0]) is None


@pytest.mark.parametrize(
    ("published", "line", "day"),
    [
        ("2024-03-22T04:00:41Z", "March 21, 2024, 11:00 pm EST", "2024-03-21"),
        ("2024-03-21T23:30:00-05:00", "By Ann Lee", "2024-03-21"),
        ("2024-03-22T04:00:41Z", "By Ann Lee", "2024-03-22"),
        ("2024-03-22T04:00:41Z", "Updated: March 23, 2024", "2024-03-22"),
        ("2024-03-22T00:00:41Z", "Updated: March 22, 2024, 9:14 am</p><p>March 21, 2024, 7:00 pm", "2024-03-21"),
        ("2024-03-22T10:00:00-0500", "Updated: March 22, 2024, 9:14 am</p><p>March 21, 2024", "2024-03-22"),
        ("2024-03-21T23:55:00Z", "21.3.2024 | 23:55 |</p><p>22.3.2024 7:25", "2024-03-21"),
    ],
)
def test_the_day_is_the_readers_and_not_that_of_utc(published: str, line: str, day: str) -> None:
    dates = stated(ld(published, published), f"<h1>{TITLE}</h1><p>{line}</p>{STORY}")
    moment, _ = dates.published()
    assert moment is not None
    assert dates.day(moment) == day


def test_a_day_that_the_page_shows_as_written_stands_beside_others() -> None:
    lines = "<p>On the radio on 25 March 2024</p><p>26 March 2024, 14:36</p>"
    dates = stated(ld("2024-03-26T12:36:37Z"), f"<h1>{TITLE}</h1>{lines}{STORY}")
    assert dates.day(Moment("2024-03-26T12:36:37Z", "second", "2024-03-26")) == "2024-03-26"


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("December 26, 2023 - 9:03AM", "2023-12-26"),  # the same minute, eleven hours east
        ("December 26, 2023 - 9:20AM", "2023-12-25"),  # another moment
        ("December 26, 2023", "2023-12-25"),
    ],
)
def test_the_same_moment_shown_far_from_the_headline_tells_the_zone(line: str, day: str) -> None:
    dates = stated(ld("2023-12-25T22:03:19Z"), f"<h1>{TITLE}</h1>{STORY * 2}<p class='datetime'>{line}</p>")
    moment, _ = dates.published()
    assert moment is not None
    assert dates.day(moment) == day


def test_the_date_of_a_picture_is_not_the_storys() -> None:
    picture = "<figure><figcaption>The wall on 2 March 2024</figcaption></figure>"
    assert found("", f"<h1>{TITLE}</h1>{picture}<p>22 March 2024</p>{STORY}") == ("2024-03-22", "html")


@pytest.mark.parametrize(
    "line",
    [
        "Ann LeeDec 05, 20232 Shares1530 Views",
        "Ann LeeDec 5, 2023",
        "Ann Lee, ABCDDec 5, 2023",
        "Published On 5 Dec 20235 Dec 2023",
    ],
)
def test_parts_of_a_line_that_only_style_sets_apart_are_read_apart(line: str) -> None:
    assert found("", f"<h1>{TITLE}</h1><p>{line}</p>{STORY}") == ("2023-12-05", "html")


@pytest.mark.parametrize(
    ("line", "iso", "source"), [("22 March 2024", "2024-03-22", "html"), ("22 April 2024", "2024-03", "jsonld")]
)
def test_of_a_month_that_is_told_the_page_shows_the_day(line: str, iso: str, source: str) -> None:
    assert found(ld("2024-03"), f"<h1>{TITLE}</h1><p>{line}</p>{STORY}") == (iso, source)


def test_a_month_is_no_day() -> None:
    assert as_written(Moment("2024-03", "month")) is None
