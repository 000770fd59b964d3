"""A feed that says of itself that it has moved, at a real server."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.feeds.parse import parse_feed
from newsbeam.transforms.http.client import Client
from newsbeam.transforms.sources.polling.feed_shard import FeedShard
from newsbeam.transforms.sources.polling.poll import Ask, poll_feed
from scripts.conformance.scripted_server import Asked, ScriptedServer
from tests.support.http_site import POLICY, at_site

OLD, NEW = "http://old.example.org/feed", "http://new.example.org/feed"
NOW, DAY = 1_756_720_800.0, 86_400.0


def rss(*guids: str, moved_to: str = "") -> dict[str, Any]:
    """An answer: a feed with these items."""
    items = "".join(f"<item><guid>{guid}</guid><title>Of {guid}</title></item>" for guid in guids)
    moved = f"<itunes:new-feed-url>{moved_to}</itunes:new-feed-url>" if moved_to else ""
    head = '<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>T</title>'
    return {"status": 200, "headers": {"ETag": f'"{guids}"'}, "body": f"{head}{moved}{items}</channel></rss>"}


async def parse(document: FeedDocument) -> ParsedFeed:
    return parse_feed(document)


def due(shard: FeedShard, now: float) -> list[Ask]:
    """What is due after a leap of the clock, which spreads it over a moment."""
    return shard.due(now, 1) or shard.due(now + 1, 1)


class Follow:
    """Polls a feed every day, and keeps where it is polled and what it brought."""

    def __init__(self, days: int = 1) -> None:
        self.days = days
        self.url = OLD
        self.found: list[str] = []

    async def __call__(self, client: Client, server: ScriptedServer) -> list[Asked]:
        known: dict[str, bytes] = {}
        shard = FeedShard(POLICY.schedule, 2, lambda url: known.get(url, b""))
        shard.load([OLD], {}, NOW)
        for day in range(self.days):
            now = NOW + 2 * day * DAY
            for ask in due(shard, now):
                settled = shard.settle(OLD, await poll_feed(client, ask, parse), now)
                known[OLD] = settled.known or known.get(OLD, b"")
                self.found += sorted(one.entry.guid for one in settled.discoveries)
            self.url = shard.state(OLD).url
        return server.requests


def serving(old: dict[str, Any], new: dict[str, Any]) -> Callable[[Asked], dict[str, Any]]:
    return lambda asked: old if asked.headers["host"].startswith("old") else new


def test_a_feed_that_has_moved_is_polled_where_it_went_and_no_entry_is_lost() -> None:
    follow = Follow(days=2)
    asked = at_site(serving(rss("a", "only here", moved_to=NEW), rss("a", "b")), follow)
    assert follow.url == NEW
    assert follow.found == ["a", "b", "only here"]
    assert [one.headers["host"] for one in asked] == ["old.example.org", "new.example.org", "new.example.org"]


@pytest.mark.parametrize(
    "new",
    [
        {"status": 404},
        {"status": 200, "body": "<html><title>For sale</title></html>"},
        {"status": 200, "body": ""},
        rss("b", moved_to="http://third.example.org/feed"),
    ],
)
def test_a_move_counts_only_if_there_is_a_feed_that_stays_there(new: dict[str, Any]) -> None:
    follow = Follow()
    at_site(serving(rss("a", moved_to=NEW), new), follow)
    assert follow.url == OLD
    assert follow.found == ["a"]


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/feed", "http://169.254.169.254/", "http://[::1]/", "http://localhost/"]
)
def test_a_feed_cannot_move_to_a_private_address(target: str) -> None:
    follow = Follow()
    asked = at_site(serving(rss("a", moved_to=target), rss("b")), follow)
    assert follow.url == OLD
    assert follow.found == ["a"]
    assert [one.headers["host"] for one in asked] == ["old.example.org"]


def test_a_move_that_failed_is_tried_again_a_day_later_though_the_feed_never_changes() -> None:
    answers = iter([{"status": 503}, rss("b")])
    follow = Follow(days=2)

    def answer(asked: Asked) -> dict[str, Any]:
        return rss("a", moved_to=NEW) if asked.headers["host"].startswith("old") else next(answers)

    at_site(answer, follow)
    assert follow.url == NEW
    assert follow.found == ["a", "b"]


def test_a_feed_does_not_move_back_to_where_it_is_configured() -> None:
    follow = Follow(days=3)
    asked = at_site(serving(rss("a", moved_to=NEW), rss("b", moved_to=OLD)), follow)
    assert follow.url == OLD  # the two point at each other
    assert len(asked) == 6


def test_the_user_s_own_headers_do_not_go_along_with_a_feed_that_moves() -> None:
    async def visit(client: Client, server: ScriptedServer) -> list[tuple[str, bool]]:
        shard = FeedShard(POLICY.schedule, 2, lambda _: b"")
        shard.load([OLD], {}, NOW)
        for day in (0, 2):
            (ask,) = due(shard, NOW + day * DAY)
            ask = replace(ask, own_headers={"Authorization": "Bearer secret"})
            shard.settle(OLD, await poll_feed(client, ask, parse), NOW + day * DAY)
        return [(one.headers["host"][:3], "authorization" in one.headers) for one in server.requests]

    asked = at_site(serving(rss("a", moved_to=NEW), rss("b")), visit)
    assert asked == [("old", True), ("new", False), ("new", False)]
