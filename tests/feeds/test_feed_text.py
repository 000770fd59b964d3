"""Titles without markup, bytes as text, addresses as articles have them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.feeds.hints import poll_hints
from newsbeam.transforms.feeds.links import article_url
from newsbeam.transforms.feeds.text import as_markup, plain_text
from newsbeam.transforms.feeds.xml_text import decode, lenient_tree, without_impossible_references
from newsbeam.transforms.model.errors import Rejected

SITE = "https://gazette.example.org/feeds/1"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Profits up <b>5%</b>", "Profits up 5%"),
        ("Marks &amp; Sons", "Marks & Sons"),
        ("It&#8217;s over", "It’s over"),
        ("Hi <script>alert(1)</script> there", "Hi there"),
        ("Hi &lt;script&gt;alert(1)&lt;/script&gt; there", "Hi there"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("a<br/>b", "a b"),
        ("in<b>e</b>word", "ineword"),
        ("5 < 7 says study", "5 < 7 says study"),
        ("5 &lt; 7", "5 < 7"),
        ("A\u00a0 B\n\tC", "A B C"),
        ("A\u200bB\ufeff", "AB"),
        ("\u202bعنوان\u202c", "عنوان"),
        ("<!-- hidden -->seen", "seen"),
        ("<![CDATA[raw]]>", "raw"),
        ("unclosed <script>alert(1)", "unclosed"),
        ("می‌شود 👩‍🚒", "می‌شود 👩‍🚒"),
    ],
)
def test_markup_becomes_what_a_reader_sees(markup: str, text: str) -> None:
    assert plain_text(markup) == text


@given(st.text())
def test_text_survives_being_made_markup(text: str) -> None:
    assert (
        plain_text(as_markup(text)).split()
        == plain_text(" ".join(as_markup(line) for line in text.splitlines())).split()
    )
    assert "<script" not in plain_text(text)


GERMAN, RUSSIAN, JAPANESE = "Größe – „Über“ naïve", "Новости дня", "東京の株価が上昇"


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        (GERMAN.encode(), "", GERMAN),
        (GERMAN.encode(), "iso-8859-1", GERMAN),
        (GERMAN.encode("utf-8-sig"), "windows-1252", GERMAN),
        (f"<a>{GERMAN}</a>".encode("utf-16"), "", f"<a>{GERMAN}</a>"),
        (f"<a>{GERMAN}</a>".encode("utf-16-be"), "", f"<a>{GERMAN}</a>"),
        (f"<a>{GERMAN}</a>".encode("utf-32-le"), "", f"<a>{GERMAN}</a>"),
        (GERMAN.encode("cp1252"), "", GERMAN),
        (GERMAN.encode("cp1252"), "iso-8859-1", GERMAN),
        (GERMAN.encode("cp1252"), "utf-8", GERMAN),
        (GERMAN.encode("cp1252"), "no-such-charset", GERMAN),
        (RUSSIAN.encode("koi8-r"), "koi8-r", RUSSIAN),
        (JAPANESE.encode("shift-jis"), "Shift_JIS", JAPANESE),
        (JAPANESE.encode("euc-jp"), "x-euc-jp", JAPANESE),
        (JAPANESE.encode("iso-2022-jp"), "iso-2022-jp", JAPANESE),
        (JAPANESE.encode()[:-1], "", JAPANESE[:-1] + "�"),
        ("北京今日新闻".encode("gb18030"), "gb2312", "北京今日新闻"),
        (b"plain", "hex", "plain"),
        (b"<plain\xff>", "utf-16", "<plainÿ>"),
        (b"plain \xff", "rot13", "plain ÿ"),
    ],
)
def test_bytes_are_read_in_the_encoding_they_are_in(body: bytes, charset: str, text: str) -> None:
    assert decode(body, charset) == text


@pytest.mark.parametrize("encoding", ["windows-1251", "iso-8859-7", "euc-kr", "big5", "tis-620", "utf-16"])
def test_a_declaration_in_the_document_is_obeyed(encoding: str) -> None:
    title = {"windows-1251": RUSSIAN, "iso-8859-7": "Νέα", "euc-kr": "서울", "big5": "台北", "tis-620": "ข่าว"}.get(
        encoding, GERMAN
    )
    document = f'<?xml version="1.0" encoding="{encoding}"?><a>{title}</a>'
    assert f"<a>{title}</a>" in decode(document.encode(encoding), "")


@given(
    st.binary(max_size=300), st.sampled_from(["", "utf-8", "utf-16", "idna", "punycode", "base64", "undefined", "\x00"])
)
def test_no_bytes_raise(body: bytes, charset: str) -> None:
    assert isinstance(decode(body, charset), str)


def test_references_to_no_character_are_dropped() -> None:
    assert without_impossible_references("a&#xD800;b&#0;c&#99999999;d&#65;&#x1F389;") == "abcd&#65;&#x1F389;"


def test_entities_of_a_document_are_not_expanded_and_nothing_is_loaded() -> None:
    text = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "yy">]><a>&x;&y;</a>'
    assert "".join(lenient_tree(text).itertext()) == "&x;&y;"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://gazette.example.org/a", "https://gazette.example.org/a"),
        (" \n https://gazette.example.org/a \t", "https://gazette.example.org/a"),
        ("/a", "https://gazette.example.org/a"),
        ("//cdn.example.net/p", "https://cdn.example.net/p"),
        ("www.example.net/p", "https://www.example.net/p"),
        ("https://gazette.example.org/a b/ü", "https://gazette.example.org/a%20b/%C3%BC"),
        ("https://gazette.example.org/a%20b?q=1&r=%C3%BC", "https://gazette.example.org/a%20b?q=1&r=%C3%BC"),
        ("https://user:pw@gazette.example.org:8443/a", "https://gazette.example.org:8443/a"),
        ("feed:https://gazette.example.org/a", "https://gazette.example.org/a"),
        ("", ""),
        ("#top", ""),
        ("https://a-b-c.cdn.ampproject.org/c/s/a.b.c/n/1", "https://a.b.c/n/1"),
        ("https://www.google.com/amp/s/a.example/n/1", "https://a.example/n/1"),
        ("https://www.google.com/url?q=https%3A%2F%2Fa.example%2Fn%2F1&sa=D", "https://a.example/n/1"),
        ("https://www.google.com/url?q=javascript:alert(1)", "https://www.google.com/url?q=javascript:alert(1)"),
        (
            "https://news.google.com/rss/articles/CBMiGGh0dHBzOi8vYS5leGFtcGxlL25ld3MvMdIBAA?oc=5",
            "https://a.example/news/1",
        ),
        ("https://x.bing-amp.com/c/s/a.example/n/1", "https://a.example/n/1"),
        ("https://www.bing.com/news/apiclick.aspx?ref=r&url=https%3a%2f%2fa.example%2fn%2f1", "https://a.example/n/1"),
        (
            "https://notbing.com/news/apiclick.aspx?url=http%3a%2f%2fa",
            "https://notbing.com/news/apiclick.aspx?url=http%3a%2f%2fa",
        ),
        ("https://news.google.com/rss/articles/CBMi", "https://news.google.com/rss/articles/CBMi"),
    ],
)
def test_links_become_the_articles_own_address(link: str, url: str) -> None:
    assert article_url(link, SITE) == url


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://a.example/x",
        "mailto:desk@a.example",
        "https://a.example:99999/",
        "https://a.example:x/",
        "http://[::1",
        "https:///path",
        "https://a.example/" + "x" * 9000,
    ],
)
def test_links_to_no_page_are_refused(link: str) -> None:
    with pytest.raises(Rejected) as caught:
        article_url(link, SITE)
    assert caught.value.reason == "bad_link"


@given(st.text(max_size=200) | st.text("htps:/[]@#?&%.a1\n\\", max_size=60))
def test_no_link_raises_anything_else(link: str) -> None:
    with suppress(Rejected):
        url = article_url(link, SITE)
        assert url == "" or url.startswith(("http://", "https://"))


def _head(inside: str) -> str:
    return f"<rss><channel>{inside}<item><ttl>1</ttl></item></channel></rss>"


@pytest.mark.parametrize(
    ("inside", "seconds"),
    [
        ("<ttl>60</ttl>", 3600),
        ("<ttl><![CDATA[ 60 ]]></ttl>", 3600),
        ("<ttl>0</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<ttl>99999999</ttl>", None),
        ("<sy:updatePeriod> hourly </sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>", 1800),
        ("<sy:updatePeriod>daily</sy:updatePeriod>", 86400),
        ("<sy:updatePeriod>always</sy:updatePeriod>", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", None),
        ("<ttl>10</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 3600),
        ("", None),
    ],
)
def test_hints_on_polling_are_lower_bounds_that_make_sense(inside: str, seconds: int | None) -> None:
    assert poll_hints(_head(inside), SITE).min_interval_seconds == seconds


def test_a_feed_cannot_ask_never_to_be_polled() -> None:
    hours = "".join(f"<hour>{hour}</hour>" for hour in range(24))
    assert poll_hints(_head(f"<skipHours>{hours}</skipHours>"), SITE).skip_hours == ()
    some = poll_hints(_head("<skipHours><hour>0</hour><hour>2</hour><hour>x</hour></skipHours>"), SITE)
    assert some.skip_hours == (0, 2)
    days = poll_hints(_head("<skipDays><day>sunday</day><day>Someday</day></skipDays>"), SITE)
    assert days.skip_days == ("Sunday",)


def test_where_a_feed_says_it_has_gone_is_kept() -> None:
    moved = "<itunes:new-feed-url>https://new.example/f</itunes:new-feed-url>"
    assert poll_hints(_head(moved), SITE).moved_to == "https://new.example/f"
    assert poll_hints(_head("<newLocation>javascript:x</newLocation>"), SITE).moved_to == ""
