from dataclasses import replace

import pytest

from newsbeam.transforms.http.client import Client, Response
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Entry
from newsbeam.transforms.sources.event_loop import HttpOptions
from newsbeam.transforms.sources.feed_source import FeedSource, ListedSources
from newsbeam.transforms.sources.fetching import fetch, fetch_shard
from newsbeam.transforms.sources.fetching.fetch import FetchOptions
from newsbeam.transforms.sources.fetching.fetch_shard import (
    Ended,
    Fetched,
    FetchShard,
    charset_of,
    check_page,
    fetch_page,
    page_from_feed,
    page_of,
)
from newsbeam.transforms.sources.polling.feed_shard import Discovery
from newsbeam.transforms.sources.ticks import Tick
from scripts.conformance.scripted_server import ScriptedServer
from tests.support.cells import Cell
from tests.support.http_site import POLICY, QUICK, at_site

NOW = 1_756_720_800.0
SEEN = "2025-09-01T10:00:00Z"


def found(number: int, host: str = "one.example.org", edited: bool = False, **entry: str) -> Discovery:
    url = entry.pop("url", f"https://{host}/{number}")
    told = Entry("https://one.example.org/feed", url, f"guid:{number}", content_hash="00", **entry)  # type: ignore[arg-type]
    return Discovery(f"entry:{number}{'e' if edited else ''}", told, SEEN, edited)


def shard() -> FetchShard:
    return FetchShard(POLICY.fetch)


def answered(discovery: Discovery) -> Fetched:
    return Fetched(discovery.unit, Response(discovery.entry.url, 200, {}, b"<p>news</p>"))


def test_hosts_take_turns_so_that_a_long_queue_keeps_nobody_waiting() -> None:
    pages = shard()
    for number in range(50):
        pages.add(found(number, "long.example.org"))
    pages.add(found(50, "short.example.org"))
    started = pages.start(NOW, 10, Ended())
    assert "short.example.org" in started[1].entry.url
    assert len(started) == 7, "six of the long queue at most"


def test_a_page_that_fails_is_tried_again_later_and_then_a_dead_letter() -> None:
    pages, now, waits, ended = shard(), NOW, [], Ended()
    pages.add(found(1))
    for _ in range(4):
        asked_at = now
        while not pages.start(now, 10, ended):
            now += 1
        waits.append(now - asked_at)
        pages.end(Fetched("entry:1", None, "http_503", "busy"), now, ended)
    assert waits[0] == 0
    assert waits[1] >= 60
    assert waits[3] > waits[2] > 3 * waits[1]
    assert [(letter.reason, letter.attempts, letter.unit) for letter in ended.letters] == [("http_503", 4, "entry:1")]
    assert len(pages) == 0


def test_a_lasting_failure_is_a_dead_letter_at_once() -> None:
    pages, ended = shard(), Ended()
    pages.add(found(1))
    pages.start(NOW, 10, ended)
    pages.end(Fetched("entry:1", None, "robots_disallowed", "no", lasting=True), NOW, ended)
    assert ended.letters[0].attempts == 1


def test_a_host_that_asks_for_patience_gets_it_for_all_its_pages() -> None:
    pages, ended = shard(), Ended()
    pages.add(found(1))
    pages.start(NOW, 10, ended)
    pages.end(Fetched("entry:1", None, "http_429", "slow down", hold_s=600), NOW, ended)
    pages.add(found(2))
    pages.add(found(3, "other.example.org"))
    assert [discovery.unit for discovery in pages.start(NOW + 599, 10, ended)] == ["entry:3"]
    assert {discovery.unit for discovery in pages.start(NOW + 601, 10, ended)} == {"entry:1", "entry:2"}


def test_a_page_that_two_feeds_name_is_asked_for_once() -> None:
    pages, ended = shard(), Ended()
    first, second = found(1), found(2, url="https://one.example.org/1")
    pages.add(first)
    pages.add(second)
    assert pages.start(NOW, 10, ended) == [first]
    pages.end(answered(first), NOW + 1, ended)
    assert pages.start(NOW + 2, 10, ended) == []
    assert [discovery.unit for discovery, _, _ in ended.pages] == ["entry:1", "entry:2"]


def test_an_edited_entry_is_fetched_again() -> None:
    pages, ended = shard(), Ended()
    pages.add(found(1))
    pages.start(NOW, 10, ended)
    pages.end(answered(found(1)), NOW + 1, ended)
    pages.add(found(1, edited=True))
    assert len(pages.start(NOW + 2, 10, ended)) == 1


def test_a_request_that_never_comes_back_is_made_again() -> None:
    pages, ended = shard(), Ended()
    pages.add(found(1))
    assert len(pages.start(NOW, 10, ended)) == 1
    assert pages.start(NOW + 60, 10, ended) == []
    assert len(pages.start(NOW + 1000, 10, ended)) == 1


def test_what_comes_back_after_it_was_given_up_is_counted_once() -> None:
    pages, ended = shard(), Ended()
    pages.add(found(1))
    pages.start(NOW, 10, ended)
    pages.end(answered(found(1)), NOW + 1, ended)
    pages.end(answered(found(1)), NOW + 2, ended)
    assert len(ended.pages) == 1


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response("u", 404), "http_404"),
        (Response("u", 206, {}, b"x"), "http_206"),
        (Response("u", 200, {"content-type": "application/pdf"}, b"%PDF"), "not_a_page"),
        (Response("u", 200, {"content-type": "image/jpeg"}, b"\xff\xd8"), "not_a_page"),
        (Response("u", 200, {"content-type": "text/html"}, b" \n"), "empty"),
    ],
)
def test_what_is_no_page_is_refused_by_name(response: Response, reason: str) -> None:
    with pytest.raises(Rejected) as refused:
        check_page(response)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("header", "charset"),
    [
        ("text/html; charset=UTF-8", "utf-8"),
        ('text/html;charset="windows-1252"', "windows-1252"),
        ("text/html", ""),
        ("text/html; charset", ""),
        ("", ""),
    ],
)
def test_the_charset_is_what_the_transport_claims(header: str, charset: str) -> None:
    assert charset_of(Response("u", 200, {"content-type": header})) == charset


def test_a_page_keeps_what_feed_site_and_configuration_say_of_it() -> None:
    headers = {"content-type": "text/html; charset=koi8-r", "x-robots-tag": "noai, noindex"}
    response = Response("https://one.example.org/moved", 200, headers, b"<p>")
    source = FeedSource("https://one.example.org/feed", "One", "ru", ("politics",))
    page = page_of(found(1, title="T", language="uk"), response, "2025-09-01T10:00:05Z", source)
    assert (page.url, page.url_final) == ("https://one.example.org/1", "https://one.example.org/moved")
    assert (page.charset, page.robots) == ("koi8-r", "noai, noindex")
    assert (page.origin.publisher, page.origin.language_hint, page.origin.topic_hints) == ("One", "ru", ("politics",))
    assert page.origin.seen_at == SEEN
    assert page.entry is not None


def test_an_entry_with_its_own_text_is_a_page_as_it_stands() -> None:
    page = page_from_feed(found(1, content="<p>Ünïcode</p>"))
    assert page.body.decode(page.charset) == "<p>Ünïcode</p>"
    assert page.fetched_at == SEEN


def test_a_throttling_site_is_given_the_time_it_asks_for() -> None:
    def answer(asked: object) -> dict[str, object]:
        return {"status": 429, "headers": {"Retry-After": "77"}}

    async def visit(client: Client, server: ScriptedServer) -> Fetched:
        discovery = found(1, url="http://one.example.org/1")
        fetched = await fetch_page(client, discovery, "newsbeam", NOW, POLICY.schedule)
        assert fetched.reason == "robots_unreachable"
        return fetched

    assert not at_site(answer, visit).lasting  # type: ignore[arg-type]


def test_a_page_that_throttles_holds_its_host() -> None:
    def answer(asked: object) -> dict[str, object]:
        path = getattr(asked, "path", "")
        return {"status": 404 if path == "/robots.txt" else 429, "headers": {"Retry-After": "77"}}

    async def visit(client: Client, server: ScriptedServer) -> Fetched:
        discovery = found(1, url="http://one.example.org/1")
        return await fetch_page(client, discovery, "newsbeam", NOW, POLICY.schedule)

    fetched = at_site(answer, visit, replace(QUICK))  # type: ignore[arg-type]
    assert (fetched.reason, fetched.hold_s, fetched.lasting) == ("http_429", 77, False)


def test_a_clock_that_was_set_back_keeps_no_page_waiting_longer() -> None:
    pages, ended = shard(), Ended()
    for number, host in enumerate(("one.example.org", "two.example.org")):
        pages.add(found(number, host))
    pages.start(NOW, 10, ended)
    pages.end(Fetched("entry:0", None, "http_503", "busy"), NOW, ended)
    pages.end(Fetched("entry:1", None, "http_429", "slow down", hold_s=600), NOW, ended)
    back = NOW - 86_400
    assert pages.start(back, 10, ended) == []
    assert [one.unit for one in pages.start(back + 70, 10, ended)] == ["entry:0"]
    assert [one.unit for one in pages.start(back + 601, 10, ended)] == ["entry:1"]


def test_answers_kept_for_other_feeds_do_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_shard, "_REUSE_BYTES", 25)
    pages, ended = shard(), Ended()
    for number in (1, 2, 3):  # of ten bytes each
        pages.add(found(number))
        pages.start(NOW, 10, ended)
        pages.end(Fetched(f"entry:{number}", Response(found(number).entry.url, 200, {}, b"0123456789")), NOW, ended)
    again = [replace(found(number), unit=f"other feed:{number}") for number in (1, 2, 3)]
    for discovery in again:
        pages.add(discovery)
    assert pages.start(NOW + 1, 10, ended) == [again[0]], "the oldest answer was let go, the others are used again"


def test_one_answer_larger_than_all_that_may_be_kept_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_shard, "_REUSE_BYTES", 5)
    pages, ended = shard(), Ended()
    pages.add(found(1))
    pages.start(NOW, 10, ended)
    pages.end(answered(found(1)), NOW + 1, ended)
    assert [discovery.unit for discovery, _, _ in ended.pages] == ["entry:1"]
    again = replace(found(1), unit="other feed:1")
    pages.add(again)
    assert pages.start(NOW + 2, 10, ended) == [again]


def test_what_has_come_back_does_not_stay_in_the_runners_state() -> None:
    options = FetchOptions(ListedSources(()), POLICY.schedule, HttpOptions(POLICY.fetch, "agent"))
    stage, waiting, overflow, overflowing = fetch._Fetch(options, "a test"), Cell(), Cell(), Cell()
    cells = {"waiting": waiting, "overflow": overflow, "overflowing": overflowing}
    for number in (1, 2):
        list(stage.process((0, found(number, host=f"{number}.example.org")), **cells))
    built = stage._take(0, waiting)
    built.shard.start(NOW, 10, built.ended)
    built.mailbox.put(answered(found(1, host="1.example.org")))
    (page,) = stage.process((0, Tick(1, NOW + 1, draining=True)), **cells)
    assert page.url == "https://1.example.org/1"
    assert [discovery.unit for discovery in waiting.read()] == ["entry:2"], "a new process fetches this one alone"
