"""Identity: all addresses of an article are one, those of two articles are two."""

import json
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.model.identity import (
    article_id,
    canonical_url,
    content_hash,
    event_time,
    identify,
    identity_url,
    order_time,
    seconds,
)
from newsbeam.transforms.model.order import article_key
from newsbeam.transforms.model.records import Article, Origin
from tests.support.places import DATA

CASES = DATA / "duplicates/url_cases.jsonl"


def test_addresses_of_one_article_are_one_and_of_two_articles_two() -> None:
    groups: defaultdict[str, set[str]] = defaultdict(set)
    articles: defaultdict[str, set[str]] = defaultdict(set)
    for line in CASES.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        groups[case["group"]].add(canonical_url(case["url"]))
        articles[canonical_url(case["url"])].add(case["group"])
    assert [group for group, urls in groups.items() if len(urls) > 1] == []
    assert [url for url, groups_of in articles.items() if len(groups_of) > 1] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a/b?id=7",
        "https://www.example.org:443/a/./x/../b/?id=7&utm_source=feed#top",
        " https://user:pass@EXAMPLE.org./a//b?fbclid=z&amp;id=7\n",
        "https://m.example.org/%61/b;jsessionid=0A1B?id=7&PHPSESSID=abc",
        "https://amp.example.org/a/b/amp?id=7&ref=rss",
        "https://www.google.com/amp/s/example.org/a/b?id=7",
        "https://example-org.cdn.ampproject.org/c/s/example.org/a/b?id=7",
    ],
)
def test_what_does_not_name_the_article_goes(url: str) -> None:
    assert canonical_url(url) == "https://example.org/a/b?id=7"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/a?cid=1", "https://example.org/a?cid=2"),
        ("https://example.org/a?uid=1", "https://example.org/a?uid=2"),
        ("https://example.org/a?gallery=1", "https://example.org/a?gallery=2"),
        ("https://example.org/a?ref=10531", "https://example.org/a?ref=10532"),
        ("https://example.org/a?page=2", "https://example.org/a"),
        ("https://example.org/a?section=1&copy=2", "https://example.org/a?section=1&copy=3"),
        ("https://example.org/A", "https://example.org/a"),
        ("https://example.org/#!/story/1", "https://example.org/#!/story/2"),
        ("https://a.example.org/x", "https://b.example.org/x"),
        ("https://example.org:8080/x", "https://example.org/x"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://example.org/?p=1", "https://example.org/?p=2"),
    ],
)
def test_what_names_the_article_stays(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize("url", ["", "about:blank", "ftp://example.org/a", "https://", "http://[::1", "mailto:a@b.c"])
def test_what_is_no_address_on_the_web_is_empty(url: str) -> None:
    assert canonical_url(url) == ""


@given(st.text(max_size=60))
def test_canonical_urls_are_canonical(tail: str) -> None:
    once = canonical_url(f"https://www.example.org/{tail}")
    assert canonical_url(once) == once


ADDRESS = "https://news.example/politics/council-votes-on-bridge-48213"


@pytest.mark.parametrize(
    "declared",
    [
        "https://www.news.example/city/council-votes-on-bridge-48213",
        "https://news.example/48213",
        "https://news.example/politics/council-votes-on-bridge-48213?utm_source=x",
    ],
)
def test_a_page_may_name_its_own_address(declared: str) -> None:
    assert identity_url(f"{ADDRESS}?from=app", declared) == canonical_url(declared)


@pytest.mark.parametrize(
    "declared",
    [
        "https://news.example/",
        "https://news.example/politics",
        "https://other.example/politics/council-votes-on-bridge-48213",
        "https://news.example/politics/council-votes-on-bridge-48214",
        "https://example/politics/council-votes-on-bridge-48213",
        "javascript:alert(1)",
    ],
)
def test_a_page_may_not_pass_for_another(declared: str) -> None:
    assert identity_url(ADDRESS, declared) == ADDRESS


def test_a_declared_address_without_the_query_that_names_the_article_is_not_believed() -> None:
    assert identity_url("https://news.example/story.php?id=5", "https://news.example/story.php").endswith("?id=5")
    page_two = f"{ADDRESS}?page=2"
    assert identity_url(page_two, ADDRESS) == page_two


def test_an_id_comes_from_the_address_or_else_from_guid_or_content() -> None:
    content = content_hash("Title", "Text")
    with_url = article_id("https://news.example/a", "g", "f", "o", content)
    assert len(with_url) == 20
    assert with_url == article_id("https://news.example/a", "", "", "", content_hash("Other", "Text"))
    assert article_id("", "g", "f", "o", content) == article_id("", "g", "f", "", content_hash("Other", "Text"))
    assert article_id("", "g", "", "o", content) == article_id("", "", "", "o", content)
    assert article_id("", "", "", "o", content) != article_id("", "", "", "another", content)


def test_white_space_is_not_content() -> None:
    assert content_hash("A  title", "One\n\ntwo ") == content_hash("A title", "One two")
    assert content_hash("A", "b") != content_hash("", "A b")


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("1970-01-02", 86400.0),
        ("1970-01-02T01:00", 90000.0),
        ("1970-01-02T01:00:00.500Z", 90000.5),
        ("1970-01-02T01:00:00+01:00", 86400.0),
        ("1970", 0.0),
        ("yesterday", None),
        ("2023-02-30", None),
        (None, None),
    ],
)
def test_times_become_seconds(time: str | None, expected: float | None) -> None:
    assert seconds(time) == expected


def test_time_goes_by_when_the_text_was_fetched_and_only_else_by_what_the_page_says() -> None:
    article = Article(published_at="1970-01-05", fetched_at="1970-01-03T00:00:00Z", origin=Origin(seen_at="1970-01-02"))
    assert event_time(article) == 2 * 86400.0
    assert event_time(replace(article, fetched_at=None)) == 86400.0
    bare = replace(article, origin=Origin(), fetched_at=None)
    assert event_time(bare) == 4 * 86400.0
    assert order_time(bare) == 0.0
    assert event_time(Article()) == 0.0


@pytest.mark.parametrize("ties", [("a", "b"), ("b", "a")])
def test_of_pages_of_one_poll_the_one_that_was_fetched_first_is_the_earlier(ties: tuple[str, str]) -> None:
    """Whatever their feed entries are called: one that arrives later must not be the earlier one of two copies."""
    first, second = (
        Article(
            id="00" * 10,
            fetched_at=f"2024-03-25T10:00:{second:02}Z",
            origin=Origin(unit=tie, seen_at="2024-03-25T09:59:00Z", rank=f"2024-03-25T09:59:00Z|{tie}"),
        )
        for tie, second in zip(ties, (5, 8), strict=True)
    )
    assert article_key(first) < article_key(second)


def test_identify_fills_what_identity_is() -> None:
    found = identify(
        Article(url=f"{ADDRESS}?utm_source=x", title="T", text="one two", url_canonical="https://x.example/")
    )
    assert found.url_canonical == ADDRESS
    assert found.domain == "news.example"
    assert found.id == identify(Article(url=f"http://m.{ADDRESS[8:]}", title="U", text="three")).id
