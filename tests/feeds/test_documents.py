"""Every format, read as a person reads it: documents of our own beside what must come out of them."""

import gzip
import json
from dataclasses import asdict

import pytest

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.feeds.entries import has_full_text
from newsbeam.transforms.feeds.parse import LARGEST_BODY, cpu_seconds, parse_feed
from newsbeam.transforms.model.errors import Rejected
from tests.support.places import DATA

FEEDS = DATA / "feeds"
NAMES = [
    "harbour.rss.xml",
    "harbour.atom.xml",
    "harbour.rdf.xml",
    "harbour.rss091.xml",
    "harbour.feed.json",
    "news-sitemap.xml",
    "sitemap-index.xml",
    "ill-formed.opml",
    "home.html",
]


def read(name: str, **given: object) -> ParsedFeed:
    """The file as fetched on 2 September 2025."""
    document = FeedDocument(
        url="https://gazette.example.org/feeds/1",
        body=(FEEDS / name).read_bytes(),
        fetched_at="2025-09-02T08:00:00Z",
        accept_page=True,
    )
    return parse_feed(FeedDocument(**{**document.__dict__, **given}))


def of(body: str | bytes, **given: object) -> ParsedFeed:
    encoded = body.encode() if isinstance(body, str) else body
    settings = {"url": "https://a.example/feed", "fetched_at": "2025-09-02T08:00:00Z", **given}
    return parse_feed(FeedDocument(body=encoded, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_documents_read_as_a_person_reads_them(name: str) -> None:
    expected = json.loads((FEEDS / f"{name}.expected.json").read_text())
    assert json.loads(json.dumps(asdict(read(name)))) == expected


def test_a_gzip_file_is_unpacked() -> None:
    packed = gzip.compress((FEEDS / "news-sitemap.xml").read_bytes())
    assert read("home.html", body=packed) == read("news-sitemap.xml")


def test_a_gzip_bomb_is_too_large() -> None:
    with pytest.raises(Rejected) as caught:
        of(gzip.compress(b"<rss>" + bytes(LARGEST_BODY)))
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        ("Not found", "not_a_feed"),
        ('{"error": "not found"}', "not_a_feed"),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [{"id"', "truncated"),
        ('{"version": https}', "malformed"),
        ("[" * 100_000, "malformed"),
        ("<html><body>Just a moment...</body></html>", "not_a_feed"),
        ("<service/><!-- no feed -->", "not_a_feed"),
        (b"\x1f\x8b\x08broken", "malformed"),
    ],
)
def test_what_is_no_feed_is_named(body: str | bytes, reason: str) -> None:
    with pytest.raises(Rejected) as caught:
        of(body)
    assert caught.value.reason == reason


def test_a_page_in_place_of_a_feed_is_a_dead_letter_that_names_its_feeds() -> None:
    with pytest.raises(Rejected, match=r"https://gazette\.example\.org/feed\.xml, .*feed\.json") as caught:
        read("home.html", accept_page=False)
    assert caught.value.reason == "not_a_feed"


def test_a_feed_without_entries_is_no_error() -> None:
    feed = of("<rss version='2.0'><channel><title>Quiet</title></channel></rss>")
    assert (feed.title, feed.entries, feed.complete) == ("Quiet", (), True)


def test_a_feed_cut_short_gives_what_there_is_and_says_so() -> None:
    body = (FEEDS / "harbour.rss.xml").read_bytes()
    feed = of(body[: body.index(b"<title>Tide")])
    assert [entry.title for entry in feed.entries[:2]] == [
        "Crane & quay reopen after repairs",
        "Ferry timetable in full",
    ]
    assert not feed.complete


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "<br />\n<b>Warning</b>: mysql_connect() in x.php on line 3\n" + text,
        lambda text: "\n\n  " + text,
        lambda text: text + "<!-- cached -->trailing",
        lambda text: text.replace("News of", "News & notes of"),
        lambda text: text.replace("News of", "News&nbsp;of"),
        lambda text: text.replace("News of", "News\x0b\x00of"),
        lambda text: text.replace("News of", "News&#xD800;&#0;&#99999999;of"),
        lambda text: text.replace("<ttl>", "<gml:pos>1</gml:pos><georss:point>x</georss:point><ttl>"),
        lambda text: text.replace('xmlns:content="http://purl.org/rss/1.0/modules/content/"', ""),
    ],
)
def test_entries_survive_what_servers_do_to_feeds(spoil: object) -> None:
    text = (FEEDS / "harbour.rss.xml").read_text()
    feed = of(spoil(text))  # type: ignore[operator]
    assert "Ferry timetable in full" in [entry.title for entry in feed.entries]
    assert len(feed.entries) + len(feed.rejected) == 4


def test_relative_links_of_rss_belong_to_the_site_not_to_the_host_of_the_feed() -> None:
    text = (FEEDS / "harbour.rss.xml").read_text()
    feed = of(text, url="https://feeds.example.net/gazette")
    assert feed.entries[1].url == "https://gazette.example.org/news/ferry"


def test_the_address_in_the_configuration_names_the_feed() -> None:
    feed = of(
        "<rss><channel><item><link>https://a.example/1</link></item></channel></rss>", feed_url="https://b.example/"
    )
    assert feed.url == feed.entries[0].feed_url == "https://b.example/"


def test_items_of_odd_kinds_in_json_are_no_obstacle() -> None:
    feed = of(
        '{"version": "https://jsonfeed.org/version/1", "items": [1, null, {"id": "x", "title": 5, "tags": "a",'
        ' "authors": "b", "content_text": "\\ud800 text", "url": "https://a.example/1"}]}'
    )
    assert [(entry.title, entry.content) for entry in feed.entries] == [("5", "<p>text</p>")]


@pytest.mark.parametrize(
    ("content", "full"),
    [
        ("<p>" + "A sentence of the article itself. " * 40 + "</p>", True),
        ("<p>" + "A sentence of the article itself. " * 40 + "[…]</p>", False),
        ("<p>" + "A sentence of the article itself. " * 40 + '<a href="https://a.example/1?x">Go on</a></p>', True),
        (
            "<p>" + "A sentence of the article itself. " * 40 + '<a href="https://a.example/1">Lire la suite</a></p>',
            False,
        ),
        ("<p>" + "A sentence of the article itself. " * 40 + 'The post <a href="https://a.example/1">T</a></p>', True),
        ("<p>Short.</p>", False),
    ],
)
def test_full_text_is_long_and_not_cut_short(content: str, full: bool) -> None:
    feed = of(
        "<rss xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel><item><title>T</title>"
        f"<link>https://a.example/1</link><description>Lead.</description><content:encoded><![CDATA[{content}]]></content:encoded></item></channel></rss>"
    )
    assert has_full_text(feed.entries[0]) is full


def test_a_description_that_is_the_whole_article_is_content() -> None:
    text = "A sentence of the article itself. " * 60
    feed = of(
        f"<rss><channel><item><title>T</title><description>&lt;p&gt;{text}&lt;/p&gt;</description></item></channel></rss>"
    )
    assert has_full_text(feed.entries[0])
    assert feed.entries[0].summary == ""


def test_time_allowed_grows_with_size_up_to_a_bound() -> None:
    small, large = (FeedDocument("u", bytes(size)) for size in (1000, 1_000_000))
    packed = FeedDocument("u", gzip.compress(bytes(1_000_000)))
    assert cpu_seconds(small) < 1 < cpu_seconds(large) == cpu_seconds(packed) < 6
    assert cpu_seconds(FeedDocument("u", b"\x1f\x8b\xff\xff\xff\xff")) <= 9


def test_a_link_that_is_the_home_page_gives_way_to_a_guid_that_is_an_address() -> None:
    item = "<item><title>A</title><link>https://a.example/</link><guid>https://a.example/post/1</guid></item>"
    (found,) = of(f'<rss version="2.0"><channel><title>F</title>{item}</channel></rss>').entries
    assert found.url == "https://a.example/post/1"


@pytest.mark.parametrize(
    ("href", "title"),
    [
        ("/comments/feed/", "Blog » Comments Feed"),
        ("/?feed=comments-rss2", ""),
        ("/feeds/comments/default", "Atom"),
        ("/kommentare.xml", ""),
        ("/feed2", "Kommentar-Feed"),
    ],
)
def test_a_home_page_does_not_lead_to_its_readers_comments(href: str, title: str) -> None:
    links = "".join(
        f'<link rel="alternate" type="application/rss+xml" href="{address}" title="{name}">'
        for address, name in (("/feed/", "Blog » Feed"), (href, title))
    )
    page = f"<html><head><title>Blog</title>{links}</head><body>hi</body></html>"
    (further,) = of(page, accept_page=True, url="https://a.example/").further
    assert further.url == "https://a.example/feed/"
