"""Plays `robots/`: what robots.txt files allow, and what follows if one cannot be fetched (RFC 9309)."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from newsbeam.transforms.http.client import Client
from newsbeam.transforms.http.policy import FetchPolicy
from newsbeam.transforms.http.robots import RobotsFetch, decide
from scripts.conformance.result import GroupResult
from scripts.conformance.scripted_server import PUBLIC, Asked, ScriptedServer, routed_socket

_RULES = "User-agent: *\nDisallow: /private/\n"


def _case(case: dict[str, Any], policy: FetchPolicy) -> str:
    robots = decide(RobotsFetch(200, case["robots"].encode()), policy.robots_max_bytes)
    got = robots.allows("https://site.example.org" + case["path"], case["agent"])
    return "" if case["allowed"] in ("any", got) else f"allowed {got}, expected {case['allowed']}"


async def _fetch(case: dict[str, Any], policy: FetchPolicy, agent: str) -> str:
    """Fetches a robots.txt from a real server that behaves as the case says; returns what is wrong, if anything."""
    policy = replace(policy, total_deadline_s=1.0, min_delay_s=0.0)
    redirects = case.get("redirects", 0)
    rules = _RULES
    if "bytes" in case:
        filler = "# a comment of no meaning to anybody\n"
        rules += filler * ((case["bytes"] - len(rules)) // len(filler)) + "User-agent: *\nDisallow: /late/\n"
    status = [case.get("status", 200)]
    if "age_s" in case:
        policy = replace(policy, robots_ttl_s=0.0)

    def answer(asked: Asked) -> dict[str, Any]:
        if case.get("timeout"):
            return {"hang": True}
        hop = int(asked.path.partition("hop")[2] or 0)
        if hop < redirects:
            return {"status": 301, "headers": {"Location": f"/hop{hop + 1}"}}
        return {"status": status[0], "headers": {"Content-Type": "text/plain"}, "body": rules}

    async def lookup(host: str, port: int) -> list[str]:
        return [PUBLIC]

    async with ScriptedServer(answer, Path()) as server:
        client = Client(
            policy, agent, lookup=lookup, make_socket=routed_socket(lambda _: ("127.0.0.1", server.plain_port))
        )
        try:
            site = "http://site.example.org"
            robots = await client.robots(site + "/")
            public, private = robots.allows(site + "/x", "newsbeam"), robots.allows(site + "/private/x", "newsbeam")
            if "age_s" in case:
                await client.robots(site + "/")
                asked_again = len(server.requests) == 2
                status[0] = 503
                kept = (await client.robots(site + "/")).allows(site + "/x", "newsbeam")
                return "" if asked_again and kept else f"asked again {asked_again}, kept when unreachable {kept}"
        finally:
            await client.close()
    if isinstance(case["allowed"], bool):
        wrong = (public, private) != (case["allowed"], case["allowed"])
    else:
        wrong = (public, private) != (True, False)
    return f"public page allowed {public}, private {private}" if wrong else ""


async def _all(folder: Path, policy: FetchPolicy, agent: str) -> list[tuple[str, str]]:
    cases = []
    for name in ("cases.jsonl", "fetch.jsonl"):
        file = folder / "robots" / name
        for number, line in enumerate(file.read_text().splitlines() if file.exists() else (), 1):
            if line.strip():
                case = json.loads(line)
                wrong = _case(case, policy) if "robots" in case else await _fetch(case, policy, agent)
                cases.append((f"{name}:{number}", wrong))
    return cases


def run(folder: Path, policy: FetchPolicy, agent: str) -> GroupResult:
    """Plays every case of `robots/`."""
    cases = asyncio.run(_all(folder, policy, agent))
    failures = tuple(f"{name}: {wrong}" for name, wrong in cases if wrong)
    return GroupResult("robots", len(cases) - len(failures), len(cases), failures)
