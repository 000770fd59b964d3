"""Messages of a topic, read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Page
from newsbeam.transforms.sources.feed_source import FeedSource
from newsbeam.transforms.sources.files.json_rows import ROW
from newsbeam.transforms.sources.kafka.messages import Message, read_message
from newsbeam.transforms.sources.polling.feed_shard import Discovery
from newsbeam.transforms.text.times import recorded_time

QUEUE = FeedSource("kafka://broker:9092/news", publisher="The Press", language_hint="en", topic_hints=("politics",))
NOW = "2024-03-25T12:00:00Z"


def message(row: object, offset: int = 17) -> Message:
    return Message("news", 2, offset, json.dumps(row).encode() if not isinstance(row, bytes) else row)


def test_a_pushed_page_is_taken_as_it_is() -> None:
    row = {"url": "https://example.org/a", "html": "<p>Ω</p>", "headers": {"X-Robots-Tag": "noai"}}
    page = read_message(message(row), QUEUE, NOW)
    assert isinstance(page, Page)
    assert (page.url, page.body, page.content_type, page.robots) == (
        "https://example.org/a",
        "<p>Ω</p>".encode(),
        "text/html",
        "noai",
    )
    assert page.fetched_at == NOW
    origin = page.origin
    assert (origin.discovered_via, origin.raw_ref, origin.seen_at) == ("queue", "news/2#17", NOW)
    assert (origin.feed_url, origin.publisher, origin.language_hint, origin.topic_hints) == (
        *("kafka://broker:9092/news", "The Press", "en"),
        ("politics",),
    )


def test_a_page_keeps_the_time_at_which_it_was_fetched() -> None:
    page = read_message(message({"url": "u", "html": "x", "fetched_at": "2024-03-20T10:00:00+02:00"}), QUEUE, NOW)
    assert isinstance(page, Page)
    assert (page.fetched_at, page.origin.seen_at) == ("2024-03-20T08:00:00Z", NOW)


def test_a_pushed_text_is_a_plain_text_or_an_article_of_its_own() -> None:
    text = read_message(message({"url": "https://example.org/a", "text": "Words."}), QUEUE, NOW)
    article = read_message(message({"url": "https://example.org/a", "text": "Words.", "title": "T"}), QUEUE, NOW)
    assert isinstance(text, Page)
    assert isinstance(article, Page)
    assert (text.content_type, article.content_type) == ("text/plain", ROW)


def test_an_address_alone_is_to_be_fetched() -> None:
    row = {"url": "https://example.org/a", "title": "T", "published_at": "2024-03-25T10:00:00+02:00"}
    found = read_message(message(row), QUEUE, NOW)
    assert isinstance(found, Discovery)
    entry = found.entry
    assert (entry.url, entry.title, entry.published_at, entry.feed_url) == (
        *("https://example.org/a", "T", "2024-03-25T08:00:00Z"),
        "kafka://broker:9092/news",
    )
    assert found.unit == message(row).unit


def test_a_place_and_what_stands_there_make_the_unit() -> None:
    assert message({"url": "a"}).unit == message({"url": "a"}).unit
    assert message({"url": "a"}).unit != message({"url": "a"}, offset=18).unit
    assert message({"url": "a"}).unit != message({"url": "b"}).unit


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (None, "empty"),
        (b"{", "bad_json"),
        (b"\xff\xfe{}", "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b"[1]", "unknown_form"),
        (b"{}", "unknown_form"),
        (b'{"url": 7}', "unknown_form"),
        (b'{"url": "file:///etc/passwd"}', "bad_url"),
        (b'{"url": "javascript:alert(1)"}', "bad_url"),
        (b'{"url": "https://"}', "bad_url"),
        (b'{"url": "http://[::1"}', "bad_url"),
        (b'{"url": "' + b"x" * (15 << 20) + b'"}', "too_large"),
    ],
)
def test_a_bad_message_is_refused_with_its_place(value: bytes | None, reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_message(Message("news", 2, 17, value), QUEUE, NOW)
    assert refused.value.reason == reason
    assert "news/2#17" in refused.value.message


KEYS = st.sampled_from(["url", "html", "text", "title", "headers", "fetched_at", "published_at"])
SCALARS = st.none() | st.booleans() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner))


@given(JSON)
def test_whatever_is_pushed_is_read_or_refused_with_a_reason(row: object) -> None:
    try:
        reason = ""
        read_message(message(row), QUEUE, NOW)
    except Rejected as refused:
        reason = refused.reason
    has_page = isinstance(row, dict) and any(isinstance(row.get(key), str) for key in ("html", "text"))
    told = row.get("fetched_at") if isinstance(row, dict) else None
    if told is not None and told != "" and recorded_time(told) is None:
        assert reason in ("bad_time", "bad_url", "unknown_form")
    else:
        assert reason in ("", "bad_url") if has_page else reason in ("unknown_form", "bad_url", "")
