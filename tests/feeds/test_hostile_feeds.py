"""Hostile feeds cost themselves at most, and bombs with a known fuse do not even that."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.feeds.parse import MEMORY_MB, cpu_seconds, parse_feed
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.runtime.sandbox.sandbox import Sandbox
from tests.support.places import DATA

SITE = "https://gazette.example.org/"
GOOD = b"<rss><channel><item><title>Good</title><link>https://gazette.example.org/1</link></item></channel></rss>"


def _feed(inside: str, head: str = "") -> bytes:
    return f"{head}<rss version='2.0'><channel>{inside}<item><title>T</title></item></channel></rss>".encode()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "billion laughs": _feed("&l11;", f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>'),
    "quadratic entity": _feed("&a;" * 20_000, f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>'),
    "many attributes": _feed("<image " + " ".join(f'a{n}="1"' for n in range(30_000)) + "/>"),
    "many namespaces": _feed("<image " + " ".join(f'xmlns:a{n}="u{n}"' for n in range(10_000)) + "/>"),
    "labels of an address": _feed(f"<item><author>x@{'a.' * 50_000}</author></item>"),
    "one long word": _feed(f"<item><author>{'a' * 100_000}</author></item>"),
    "deep nesting": _feed("<a>" * 60_000),
    "many tags": _feed(f"<item><description><![CDATA[{'<b>x</b>' * 500_000}]]></description></item>"),
    "open tags": _feed(f"<item><title>{'&lt;a ' * 200_000}</title></item>"),
    "open comments": _feed("<!--" * 100_000),
    "open sections": _feed("<![CDATA[" * 50_000),
    "ampersands": _feed("<item><title>" + "&" * 200_000 + "</title></item>"),
    "spaces in a hint": _feed("<ttl>" + " " * 60_000 + "</ttl>"),
    "tags of hints": _feed("<ttl>" * 13_000),
    "spaces in a date": _feed(f"<item><pubDate>{' ' * 300_000}x</pubDate></item>"),
    "long date": _feed(f"<item><pubDate>{'1' * 300_000}</pubDate></item>"),
    "many entities": _feed("", "<!DOCTYPE x [" + "<!ENTITY " + "&a" * 100_000 + "<"),
    "deep json": b'{"version":"https://jsonfeed.org/version/1","items":' + b"[" * 1_000_000,
    "long number": b'{"version":"https://jsonfeed.org/version/1","items":[{"id":' + b"9" * 1_000_000 + b"}]}",
    "deep sitemap": b"<urlset>" + b"<url>" * 100_000,
    "outlines": b"<opml>" + b'<outline text="' * 50_000,
    "addresses": b"<opml>&" + b'<outline xmlUrl="http://[">' * 50_000,
    "links of a page": b"<html>" + b"<link rel=alternate type=application/rss+xml href=http://[ " * 20_000,
    "zeros": bytes(5_000_000),
    "reference to nowhere": _feed("<item><title>&#99999999;&#xD800;&#x110000;</title></item>"),
    "geography without a place": _feed("<item><gml:pos>1 2</gml:pos></item>"),
    "odd encoding": b"<?xml version='1.0' encoding='\x00idna'?>" + GOOD,
}
RESCUED = {"many attributes", "labels of an address", "one long word", "reference to nowhere", "many tags"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox[FeedDocument, ParsedFeed]]:
    with Sandbox(parse_feed, seconds=1, memory_mb=MEMORY_MB, warm_up=FeedDocument(SITE, GOOD)) as opened:
        yield opened


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_feeds_end_in_entries_or_a_dead_letter(sandbox: Sandbox[FeedDocument, ParsedFeed], name: str) -> None:
    document = FeedDocument(SITE, HOSTILE[name])
    before = sandbox.submit(FeedDocument(SITE, GOOD))
    hostile = sandbox.submit(document, cpu_seconds(document))
    after = sandbox.submit(FeedDocument(SITE, GOOD))
    error = hostile.exception(60)
    assert error is None or isinstance(error, Rejected)
    if name in RESCUED:
        assert error is None
    assert before.result(20).entries == after.result(20).entries != ()


FEEDS = DATA / "feeds"
SEEDS = [path.read_bytes() for path in sorted(FEEDS.iterdir()) if not path.name.endswith(".expected.json")]
PIECES = [
    *(b"<", b">", b"&", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"&#xD800;"),
    *(
        b"http://[::1",
        b"http://a:99999/",
        b'xml:base="http://["',
        b"<gml:pos>1</gml:pos>",
        b"<georss:point>x",
        b"<item>",
    ),
    *(
        b"</item>",
        b"<entry>",
        b"<svg>",
        b'encoding="utf-16"',
        b'encoding="idna"',
        b'<content mode="base64">',
        b"{",
        b"[[",
    ),
    *(b"9999-99-99", b"<title type='xhtml'>", b"<cc:license/>", b"<image><height/>", b"&#99999999999;", b"\\ud800"),
]
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(PIECES) | st.binary(max_size=4)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), EDITS)
def test_no_mutated_document_raises_anything_but_rejected(seed: bytes, edits: list[tuple[float, int, bytes]]) -> None:
    body = bytearray(seed)
    for place, cut, piece in edits:
        start = int(place * len(body))
        body[start : start + cut] = piece
    with suppress(Rejected):
        feed = parse_feed(FeedDocument(SITE, bytes(body), fetched_at="2025-09-02T08:00:00Z", accept_page=True))
        assert all(entry.identity and entry.feed_url == SITE for entry in feed.entries)
        assert len({entry.identity for entry in feed.entries}) == len(feed.entries)
        for further in feed.further:
            assert further.url.startswith(("http://", "https://")) or further.kind == "sitemap"


@pytest.mark.parametrize("half", ["&#xD800;", "&#xD8&#xD800;00;", "&#xDFFF;", "&#55296;", "&#0;"])
def test_a_reference_to_no_character_costs_a_sitemap_nothing_but_itself(half: str) -> None:
    news = f"<n:news><n:title>The {half}crane &amp; the quay</n:title><n:keywords>cranes,{half}</n:keywords></n:news>"
    body = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">'
        f"<url><loc>https://gazette.example.org/crane</loc>{news}</url></urlset>"
    )
    (entry,) = parse_feed(FeedDocument(SITE, body.encode())).entries
    assert entry.title.replace("\ufffd", "") in ("The crane & the quay", "The \u00d800;crane & the quay")


def test_a_feed_makes_nobody_read_files_or_ask_servers(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not tell")
    asked: list[str] = []

    class Canary(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)

    server = http.server.HTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_port}/x"
    for root in ("rss", "feed", "urlset", "opml"):
        for target in (secret.as_uri(), place):
            text = (
                f'<?xml version="1.0"?><!DOCTYPE {root} SYSTEM "{place}.dtd" [<!ENTITY e SYSTEM "{target}">'
                f'<!ENTITY % p SYSTEM "{target}">%p;]><{root}><channel><title>&e;</title><item>'
                f"<title>&e;</title></item></channel></{root}>"
            )
            assert "do not tell" not in repr(parse_feed(FeedDocument(SITE, text.encode())))
    for body in (place, secret.as_uri(), str(secret)):
        with pytest.raises(Rejected):
            parse_feed(FeedDocument(SITE, body.encode()))
    server.shutdown()
    server.server_close()
    assert asked == []
