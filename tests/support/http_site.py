"""Connects a real HTTP client to a real server on loopback: names resolve to a public address, connections end here."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import yaml

from newsbeam.transforms.http.client import Client
from newsbeam.transforms.http.policy import FetchPolicy, Policy, policy_from
from scripts.conformance.scripted_server import PUBLIC, Asked, ScriptedServer, authority, routed_socket
from tests.support.places import ROOT

POLICY: Policy = policy_from(yaml.safe_load((ROOT / "configs" / "policy.yaml").read_text()))
QUICK: FetchPolicy = replace(POLICY.fetch, min_delay_s=0.0, total_deadline_s=2.0, connect_timeout_s=1.0)
AGENT = "newsbeam/0.1 (+https://example.org/about-our-crawler)"

T = TypeVar("T")


def at_site(
    answer: Callable[[Asked], dict[str, Any]],
    visit: Callable[[Client, ScriptedServer], Awaitable[T]],
    policy: FetchPolicy = QUICK,
) -> T:
    """Returns the result of `visit` with a client for which every name leads to a server that responds with
    `answer`."""

    async def lookup(host: str, port: int) -> list[str]:
        return [PUBLIC]

    async def there() -> T:
        async with ScriptedServer(answer, ROOT / "tests") as server:

            def route(address: tuple[Any, ...]) -> tuple[str, int]:
                return "127.0.0.1", server.tls_port if address[1] == 443 else server.plain_port

            client = Client(policy, AGENT, lookup=lookup, make_socket=routed_socket(route), tls=authority().client)
            try:
                return await visit(client, server)
            finally:
                await client.close()

    return asyncio.run(there())
