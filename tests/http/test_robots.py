import asyncio
from dataclasses import replace
from typing import Any

import pytest

from newsbeam.transforms.http.client import Client
from newsbeam.transforms.http.failures import FetchFailed
from newsbeam.transforms.http.robots import RobotsFetch, decide
from scripts.conformance.scripted_server import Asked, ScriptedServer
from tests.support.http_site import QUICK, at_site

LIMIT = 512_000


def allowed(text: str, path: str, agent: str = "newsbeam") -> bool:
    return decide(RobotsFetch(200, text.encode()), LIMIT).allows("https://site.example.org" + path, agent)


def test_the_longest_rule_wins_whatever_its_place() -> None:
    text = "User-agent: *\nDisallow: /\nAllow: /news/\n"
    assert allowed(text, "/news/1")
    assert not allowed(text, "/shop/1")


def test_rules_for_us_replace_those_for_everybody() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: NewsBeam/2.0\nDisallow: /archive/\n"
    assert allowed(text, "/news/1")
    assert not allowed(text, "/archive/1")


def test_a_byte_order_mark_hides_no_rule() -> None:
    assert not allowed("\ufeffUser-agent: *\nDisallow: /\n", "/x")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_line_is_one(end: str) -> None:
    assert not allowed(f"User-agent: *{end}Disallow: /private/{end}", "/private/x")


def test_a_rule_that_the_limit_cuts_counts_for_nothing() -> None:
    text = b"User-agent: *\nDisallow: /private/\nDisallow: /a"
    assert decide(RobotsFetch(200, text + b"rchive/\n"), len(text)).allows("https://site.example.org/anything", "x")
    assert not decide(RobotsFetch(200, text + b"rchive/\n"), len(text)).allows("https://site.example.org/private/", "x")


@pytest.mark.parametrize(
    ("status", "may"), [(200, True), (404, True), (403, True), (410, True), (429, False), (500, False), (0, False)]
)
def test_a_file_that_is_not_there_allows_all_and_one_out_of_reach_nothing(status: int, may: bool) -> None:
    assert decide(RobotsFetch(status), LIMIT).allows("https://site.example.org/x", "newsbeam") == may


def test_a_megabyte_of_binary_is_no_rule_and_no_error() -> None:
    assert allowed("\x00\xff{}" * 250_000, "/x")


def page_or_robots(robots: dict[str, Any]) -> Any:
    def answer(asked: Asked) -> dict[str, Any]:
        return robots if asked.path == "/robots.txt" else {"status": 200, "body": "@html"}

    return answer


def test_a_page_is_not_asked_for_where_robots_txt_forbids_it() -> None:
    async def visit(client: Client, server: ScriptedServer) -> list[str]:
        with pytest.raises(FetchFailed) as refused:
            await client.get_page("http://site.example.org/private/1", "newsbeam")
        assert refused.value.reason == "robots_disallowed"
        await client.get_page("http://site.example.org/news/1", "newsbeam")
        return [asked.path for asked in server.requests]

    robots = {"status": 200, "body": "User-agent: newsbeam\nDisallow: /private/\n"}
    assert at_site(page_or_robots(robots), visit) == ["/robots.txt", "/news/1"]


def test_robots_txt_of_the_site_that_a_redirect_leads_to_holds_there() -> None:
    def answer(asked: Asked) -> dict[str, Any]:
        if asked.headers["host"] == "short.example.org" and asked.path != "/robots.txt":
            return {"status": 302, "headers": {"Location": "http://site.example.org/private/1"}}
        return {"status": 200, "body": "User-agent: *\nDisallow: /private/\n"}

    async def visit(client: Client, server: ScriptedServer) -> str:
        with pytest.raises(FetchFailed) as refused:
            await client.get_page("http://short.example.org/1", "newsbeam")
        assert [asked.path for asked in server.requests] == ["/robots.txt", "/1", "/robots.txt"]
        return refused.value.reason

    assert at_site(answer, visit) == "robots_disallowed"


def test_a_site_whose_robots_txt_cannot_be_reached_is_left_alone_for_now() -> None:
    async def visit(client: Client, server: ScriptedServer) -> FetchFailed:
        for _ in range(2):
            with pytest.raises(FetchFailed) as refused:
                await client.get_page("http://site.example.org/news/1", "newsbeam")
        assert len(server.requests) == 1, "asked once, then remembered"
        return refused.value

    failure = at_site(page_or_robots({"status": 503}), visit)
    assert failure.reason == "robots_unreachable"
    assert not failure.lasting


def test_many_pages_at_once_ask_for_robots_txt_once() -> None:
    async def visit(client: Client, server: ScriptedServer) -> int:
        await asyncio.gather(*(client.get_page(f"http://site.example.org/{n}", "newsbeam") for n in range(5)))
        return sum(asked.path == "/robots.txt" for asked in server.requests)

    assert at_site(page_or_robots({"status": 200, "body": "", "latency_s": 0.05}), visit) == 1


def test_a_crawl_delay_is_obeyed_up_to_a_limit() -> None:
    async def visit(client: Client, server: ScriptedServer) -> float:
        for number in range(2):
            await client.get_page(f"http://site.example.org/{number}", "newsbeam")
        return server.requests[2].at - server.requests[1].at

    robots = {"status": 200, "body": "User-agent: *\nCrawl-delay: 3600\n"}
    assert at_site(page_or_robots(robots), visit, replace(QUICK, crawl_delay_cap_s=0.3)) >= 0.25
