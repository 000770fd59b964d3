"""Titles by agreement, names without roles, dates with the precision and zone they were written with."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.extraction.html.article_blocks import parse
from newsbeam.transforms.extraction.json_ld import Described, described_article
from newsbeam.transforms.extraction.metadata import Head, choose_title, without_affix
from newsbeam.transforms.extraction.names import clean_names
from newsbeam.transforms.model.records import Page
from newsbeam.transforms.text.dates import read_dates, url_date
from newsbeam.transforms.text.machine_dates import machine_date
from newsbeam.transforms.text.moment import Moment, sensible

NO_HEAD = Head(meta={}, many={}, links={}, title="", language="")


@pytest.mark.parametrize(
    ("written", "iso", "precision"),
    [
        ("2024-03-25T19:08:00+01:00", "2024-03-25T18:08:00Z", "second"),
        ("2024-03-25T19:08Z", "2024-03-25T19:08Z", "minute"),
        ("2024-03-25T19:08", "2024-03-25T19:08", "minute"),
        ("2024-03-25", "2024-03-25", "day"),
        ("2024-03", "2024-03", "month"),
        ("Mon, 25 Mar 2024 19:08:00 GMT", "2024-03-25T19:08:00Z", "second"),
        ("20240325T190800Z", "2024-03-25T19:08:00Z", "second"),
        ("1711393680", "2024-03-25T19:08:00Z", "second"),
    ],
)
def test_a_machine_date_keeps_its_precision_and_goes_to_utc_only_with_a_zone(
    written: str, iso: str, precision: str
) -> None:
    moment = machine_date(written)
    assert moment is not None
    assert (moment.iso, moment.precision) == (iso, precision)


@pytest.mark.parametrize(
    ("written", "isos"),
    [
        ("25 March 2024, 19:08 | Updated: 25 March 2024, 21:07", ["2024-03-25T19:08", "2024-03-25T21:07"]),
        ("Dec. 5, 2023 4:30 p.m. ET", ["2023-12-05T16:30"]),
        ("03/25/2024 at 5pm EST", ["2024-03-25T22:00Z"]),
        ("Mardi 3 février 2015 à 8h05", ["2015-02-03T08:05"]),
        ("5 de mayo de 2020", ["2020-05-05"]),
        ("13 listopada 2011", ["2011-11-13"]),
        ("12 мая 2020, 14:33", ["2020-05-12T14:33"]),
        ("3 Μαρτίου 2022", ["2022-03-03"]),
        ("2020年5月12日 14:33", ["2020-05-12T14:33"]),
        ("31.12.2019 23:59 Uhr", ["2019-12-31T23:59"]),
        ("Dec. 19. 2025", ["2025-12-19"]),
        ("28. 4. 2023, 18:41 Uhr", ["2023-04-28T18:41"]),
        ("Palma, 15.04.25 09:56", ["2025-04-15T09:56"]),
        ("3 sty 12, 21:28 | PAP", ["2012-01-03T21:28"]),
        ("15.04.25", []),
        ("3 March 12 ships", []),
        ("5 KASIM 2023, 5 HAZİRAN 2023", ["2023-11-05", "2023-06-05"]),
        ("12 जनवरी 2024", ["2024-01-12"]),
        ("3 كانون الثاني 2024", ["2024-01-03"]),
        ("21st of March 2024, 3studenoga 2023", ["2024-03-21", "2023-11-03"]),
        ("30 February 2020", []),
        ("chapter 12, verse 2024", []),
    ],
)
def test_dates_for_readers_are_read_in_many_languages(written: str, isos: list[str]) -> None:
    assert [moment.iso for moment in read_dates(written)] == isos


def test_no_date_before_the_web_or_after_the_fetch_is_believed() -> None:
    assert not sensible(machine_date("1970-01-01T00:00:00Z"), None)
    day = machine_date("2024-03-26T10:00:00Z")
    assert sensible(day, "2024-03-25T11:00:00Z")
    assert not sensible(Moment("2024-03-27", "day"), "2024-03-25T11:00:00Z")


def test_a_date_in_an_address_is_a_day_and_no_more() -> None:
    assert url_date("https://x.example/2024/03/25/bridge") == Moment("2024-03-25", "day", "2024-03-25")
    assert url_date("https://x.example/id/2024032599") is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_dates_that_are_real_or_none(text: str) -> None:
    for moment in read_dates(text):
        assert moment.precision in ("day", "minute", "second")
        assert "1991" <= moment.iso[:4] <= "2099"


def test_hostile_lines_cost_no_more_than_their_length() -> None:
    start = time.process_time()
    for line in ("1 " * 50_000, "2024-" * 20_000, "am " * 50_000, "(" * 100_000, "1.1." * 40_000):
        list(read_dates(line))
        machine_date(line)
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("Wall reopens | The Saltmarsh Courier", "Wall reopens"),
        ("Wall reopens - Saltmarsh Courier", "Wall reopens"),
        ("The Saltmarsh Courier: Wall reopens", "The Saltmarsh Courier: Wall reopens"),
        ("Saltmarsh Courier » Wall reopens", "Wall reopens"),
        ("Spurs 2 - Arsenal 1", "Spurs 2 - Arsenal 1"),
        ("Wall reopens - what it means for the town", "Wall reopens - what it means for the town"),
    ],
)
def test_only_the_name_of_the_site_is_cut_from_a_title(title: str, clean: str) -> None:
    assert without_affix(title, ("The Saltmarsh Courier", "courier.example")) == clean


def test_the_heading_that_others_agree_with_is_the_title() -> None:
    described = Described(headline="Harbour wall reopens after storms")
    headings = ["The Saltmarsh Courier", "Harbour wall reopens after winter storms", "More from Local"]
    assert choose_title(headings, described, NO_HEAD, "", ()) == "Harbour wall reopens after winter storms"


def test_without_a_heading_the_sources_vote() -> None:
    head = Head(meta={"og:title": "Harbour wall reopens"}, many={}, links={}, title="Buy boats here", language="")
    assert choose_title(["Menu"], Described(headline="Harbour wall reopens"), head, "", ()) == "Harbour wall reopens"


@pytest.mark.parametrize(
    ("heading", "headline", "og", "title"),
    [
        ("wall reopens at last", "After the storm: wall reopens at last", "After the storm: wall reopens at last",
         "After the storm: wall reopens at last"),
        ("HarbourWall reopens after storm", "", "Harbour / Wall reopens after storm",
         "Harbour / Wall reopens after storm"),
        ("3 replies to “Wall reopens at last”", "", "Wall reopens at last", "Wall reopens at last"),
        ("Harbour’s wall reopens", "Harbour's wall reopens", "Harbour's wall reopens", "Harbour’s wall reopens"),
        ("Harbour: wall reopens at last", "Harbour: wall reopens at last", "Wall reopens at last",
         "Harbour: wall reopens at last"),
    ],
)  # fmt: skip
def test_what_markup_did_to_a_heading_other_sources_undo(heading: str, headline: str, og: str, title: str) -> None:
    head = Head(meta={"og:title": og}, many={}, links={}, title="", language="")
    assert choose_title([heading], Described(headline=headline), head, "", ()) == title


def test_a_heading_word_for_word_in_json_ld_comes_before_a_teaser_that_resembles_all() -> None:
    og = "Ann Lee and her boats today: see the new one"
    head = Head(meta={"og:title": og}, many={}, links={}, title=og, language="")
    headings = ["All at sea: Ann Lee and the new boat", "Ann Lee and her boats today: see the old one"]
    assert choose_title(headings, Described(headline=headings[0]), head, "", ()) == headings[0]


def test_what_follows_the_whole_of_another_source_is_an_affix() -> None:
    og = "Wall reopens at last-Local | Saltmarsh"
    head = Head(meta={"og:title": og}, many={}, links={}, title=og, language="")
    assert choose_title([], Described(headline="Wall reopens at last"), head, "", ()) == "Wall reopens at last"


def authors(head: str, body: str) -> tuple[str, ...]:
    story = "<p>" + "The wall was closed for a year after the storms of the last winter. " * 8 + "</p>"
    page = f"<html><head><title>Wall reopens</title>{head}</head><body><h1>Wall reopens</h1>{body}{story}</body></html>"
    return extract_article(Page(url="https://courier.example/wall", body=page.encode(), charset="utf-8")).authors


def stated(*names: str) -> str:
    people = ", ".join(f'{{"name": "{name}"}}' for name in names)
    return f'<script type="application/ld+json">{{"@type": "NewsArticle", "author": [{people}]}}</script>'


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("<p>By Ann Lee</p><p>Photography by Bo Carr</p>", ("Ann Lee",)),
        ("<p>By Ann Lee and Bo Carr</p>", ("Ann Lee", "Bo Carr")),
        ("<p>By</p><p>Ann Lee</p>", ("Ann Lee", "Bo Carr")),
    ],
)
def test_of_several_authors_stated_the_byline_tells_who_wrote(body: str, names: tuple[str, ...]) -> None:
    assert authors(stated("Ann Lee", "Bo Carr"), body) == names


def test_an_agency_that_is_stated_goes_before_names_on_the_page() -> None:
    assert authors(stated("Associated Press"), "<a href='/author/cy'>Cy Reed</a>") == ("Associated Press",)


def test_a_name_to_sign_in_with_gives_way_to_one_in_a_byline() -> None:
    sign_in = '<meta name="author" content="alee">'
    assert authors(sign_in, "<p>Published: August 27, 2025 by Ann Lee</p>") == ("Ann Lee",)
    assert authors(sign_in, "") == ("alee",)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("By Nick Levine | March 9", ("Nick Levine",)),
        ("John Carr The Associated Press", ("John Carr",)),
        ("By Imogen Hartley and Piet de Vries", ("Imogen Hartley", "Piet de Vries")),
        ("Von Jürgen Möller, dpa", ("Jürgen Möller",)),
        ("Ann Lee, Political Editor", ("Ann Lee",)),
        ("Ann Lee, The Associated Press", ("Ann Lee",)),
        ("The Associated Press", ("The Associated Press",)),
        ("Lauren Berg MS, RDN", ("Lauren Berg",)),
        ("https://x.example/authors/ann", ()),
        ("5 min read", ()),
    ],
)
def test_names_are_of_people_and_bare(value: str, names: tuple[str, ...]) -> None:
    assert clean_names([value], ("courier.example",)) == names


@pytest.mark.parametrize(
    ("script", "headline"),
    [
        ('{"@type": "NewsArticle", "headline": "A &amp; B"}', "A & B"),
        ('[{"@type": ["Thing", "Article"], "headline": "A"}]', "A"),
        ('{"@graph": [{"@type": "WebPage", "name": "W"}, {"@type": "BlogPosting", "headline": "B"}]}', "B"),
        ('<!-- {"@type": "Article", "headline": "C"} -->', "C"),
        ('{"@type": "Article", "headline": "D",}', "D"),
        ('{"@type": "Article", "headline": "line\nbreak"}', "line break"),
        ('{"@type": "Article", "headline": {"@value": "E"}}', "E"),
        ("[" * 100_000, ""),
        ('{"@type": "Article"', ""),
        ("null", ""),
    ],
)
def test_json_ld_as_sites_write_it(script: str, headline: str) -> None:
    tree = parse(f"<html><head><script type='application/ld+json'>{script}</script></head><p>x</p></html>", "x")
    assert described_article(tree).headline == headline
