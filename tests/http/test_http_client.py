import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest

from newsbeam.transforms.http.addresses import AddressRules
from newsbeam.transforms.http.client import Client, Response
from newsbeam.transforms.http.failures import FetchFailed
from scripts.conformance.scripted_server import Asked, ScriptedServer, feed
from tests.support.http_site import AGENT, QUICK, at_site

URL = "http://gazette.example.org/feed.xml"


def always(**respond: Any) -> Any:
    return lambda asked: {"status": 200, "headers": {}, "body": "@feed3", **respond}


async def get(client: Client, server: ScriptedServer) -> Response:
    return await client.get(URL)


def failure(answer: Any, policy: Any = QUICK) -> FetchFailed:
    async def visit(client: Client, server: ScriptedServer) -> FetchFailed:
        with pytest.raises(FetchFailed) as failed:
            await client.get(URL)
        return failed.value

    return at_site(answer, visit, policy)


def test_a_request_says_who_we_are_and_nothing_of_the_user() -> None:
    async def visit(client: Client, server: ScriptedServer) -> dict[str, str]:
        await client.get(URL)
        await client.get(URL)
        return server.requests[1].headers

    headers = at_site(always(headers={"Set-Cookie": "a=b"}), visit)
    assert headers["user-agent"] == AGENT
    assert not {"cookie", "referer", "authorization"} & set(headers)


def test_a_query_goes_out_byte_for_byte() -> None:
    async def visit(client: Client, server: ScriptedServer) -> str:
        await client.get("http://gazette.example.org/feed?b=%7e&a=x%2Fy+z&a=")
        return server.requests[0].path

    assert at_site(always(), visit) == "/feed?b=%7e&a=x%2Fy+z&a="


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_compressed_bodies_are_read(coding: str) -> None:
    assert at_site(always(headers={"Content-Encoding": coding}), get).body == feed(range(1, 4))


def test_redirects_are_followed_and_the_permanent_part_of_them_is_told() -> None:
    ways = {"/feed.xml": (301, "/b"), "/b": (308, "https://new.example.org/c"), "/c": (302, "/d")}

    def answer(asked: Asked) -> dict[str, Any]:
        if asked.path in ways:
            return {"status": ways[asked.path][0], "headers": {"Location": ways[asked.path][1]}}
        return {"status": 200, "body": "@feed3"}

    response = at_site(answer, get)
    assert response.url == "https://new.example.org/d"
    assert response.permanent_url == "https://new.example.org/c"
    assert response.redirects == 3


def test_the_user_s_own_headers_stay_with_the_site_they_were_given_for() -> None:
    def answer(asked: Asked) -> dict[str, Any]:
        if asked.path == "/feed.xml":
            return {"status": 302, "headers": {"Location": "http://elsewhere.example.org/x"}}
        return {"status": 200, "body": "@feed3"}

    async def visit(client: Client, server: ScriptedServer) -> list[bool]:
        await client.get(URL, own_headers={"Authorization": "Bearer secret"})
        return ["authorization" in asked.headers for asked in server.requests]

    assert at_site(answer, visit) == [True, False]


def test_a_validator_is_not_sent_to_the_place_a_feed_has_moved_to() -> None:
    def answer(asked: Asked) -> dict[str, Any]:
        if asked.path == "/feed.xml":
            return {"status": 301, "headers": {"Location": "/new.xml"}}
        return {"status": 200, "body": "@feed3"}

    async def visit(client: Client, server: ScriptedServer) -> list[bool]:
        await client.get(URL, headers={"If-None-Match": '"1"'})
        return ["if-none-match" in asked.headers for asked in server.requests]

    assert at_site(answer, visit) == [True, False]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("file:///etc/passwd", "blocked_url"),
        ("http://169.254.169.254/latest/", "blocked_address"),
        ("http://[::1]/", "blocked_address"),
        ("http://localhost/", "blocked_url"),
        ("http://[", "blocked_url"),
        ("", "bad_response"),
        ("/feed.xml", "too_many_redirects"),
    ],
)
def test_a_redirect_is_checked_like_a_first_request(location: str, reason: str) -> None:
    failed = failure(always(status=302, headers={"Location": location} if location else {}))
    assert failed.reason == reason


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        ({"hang": True}, "timeout"),
        ({"body": "@slow(0.1)", "headers": {"Content-Length": "100000"}}, "timeout"),
        ({"slow_headers": 0.1}, "timeout"),
        ({"body": "@endless"}, "too_large"),
        ({"headers": {"Content-Length": "99999"}}, "truncated"),
        ({"headers": {"Content-Encoding": "compress"}}, "bad_encoding"),
        ({"headers": {"X": "x" * 100_000}}, "bad_response"),
        ({"headers_flood": True}, "bad_response"),
        ({"raw": "<rss/>"}, "bad_response"),
        ({"raw": ""}, "bad_response"),
    ],
)
def test_a_server_that_misbehaves_is_one_failure_with_a_reason(respond: dict[str, Any], reason: str) -> None:
    policy = replace(QUICK, total_deadline_s=1.0, max_body_bytes=200_000)
    assert failure(always(**respond), policy).reason == reason


def test_the_body_of_a_failure_is_never_read() -> None:
    response = at_site(always(status=404, body="@endless"), get)
    assert (response.status, response.body) == (404, b"")


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    async def visit(client: Client, server: ScriptedServer) -> str:
        server.tls_port = server.stranger_port
        with pytest.raises(FetchFailed) as failed:
            await client.get("https://gazette.example.org/feed.xml")
        return failed.value.reason

    assert at_site(always(), visit) == "tls"


def test_two_requests_to_one_host_start_a_delay_apart_and_no_more_than_two_run() -> None:
    async def visit(client: Client, server: ScriptedServer) -> tuple[int, float]:
        await asyncio.gather(*(client.get(f"http://gazette.example.org/{n}.xml") for n in range(6)))
        starts = sorted(server.starts)
        return server.most_at_once, min(b - a for a, b in itertools.pairwise(starts))

    at_once, apart = at_site(always(latency_s=0.2), visit, replace(QUICK, min_delay_s=0.05))
    assert at_once == 2
    assert apart > 0.035


def test_a_host_that_hangs_takes_no_turn_from_another() -> None:
    def answer(asked: Asked) -> dict[str, Any]:
        return {"hang": True} if asked.headers["host"] == "slow.example.org" else {"status": 200, "body": "@feed3"}

    async def visit(client: Client, server: ScriptedServer) -> int:
        stuck = [asyncio.create_task(client.get(f"http://slow.example.org/{n}")) for n in range(20)]
        await asyncio.sleep(0.05)
        answers = await asyncio.gather(*(client.get(f"http://host{n}.example.org/") for n in range(5)))
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        return sum(response.status == 200 for response in answers)

    assert at_site(answer, visit, replace(QUICK, concurrency=4)) == 5


def test_loopback_is_refused_although_something_listens_there() -> None:
    async def visit() -> tuple[str, int]:
        async with ScriptedServer(always(), AGENT) as server:  # type: ignore[arg-type]
            client = Client(QUICK, AGENT)
            try:
                with pytest.raises(FetchFailed) as failed:
                    await client.get(f"http://127.0.0.1:{server.plain_port}/")
            finally:
                await client.close()
            return failed.value.reason, server.connections

    assert asyncio.run(visit()) == ("blocked_address", 0)


def test_loopback_can_be_allowed_for_a_newsroom_of_one_s_own() -> None:
    async def visit() -> int:
        rules = AddressRules(allow=("127.0.0.0/8",), hosts=((".newsroom.test", "127.0.0.1"),))
        async with ScriptedServer(always(), AGENT) as server:  # type: ignore[arg-type]
            client = Client(QUICK, AGENT, rules)
            try:
                return (await client.get(f"http://gazette.newsroom.test:{server.plain_port}/")).status
            finally:
                await client.close()

    assert asyncio.run(visit()) == 200


def test_a_name_that_turns_private_between_two_requests_is_refused() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["10.0.0.1", "192.168.0.1"]])

    async def lookup(host: str, port: int) -> list[str]:
        return next(answers)

    async def visit() -> list[str]:
        client = Client(
            replace(QUICK, dns_ttl_s=0.0, connect_timeout_s=0.2, total_deadline_s=0.3), AGENT, lookup=lookup
        )
        reasons = []
        try:
            for _ in range(2):
                with pytest.raises(FetchFailed) as failed:
                    await client.get(URL)
                reasons.append(failed.value.reason)
        finally:
            await client.close()
        return reasons

    assert asyncio.run(visit()) == ["blocked_address", "blocked_address"]


def test_a_look_up_that_hangs_is_given_up() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    async def visit() -> str:
        client = Client(replace(QUICK, connect_timeout_s=0.1), AGENT, lookup=lookup)
        try:
            with pytest.raises(FetchFailed) as failed:
                await client.get(URL)
        finally:
            await client.close()
        return failed.value.reason

    assert asyncio.run(visit()) == "dns"
