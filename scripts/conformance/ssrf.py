"""Plays `ssrf/`: addresses, URLs and sequences of DNS answers that must never lead into a private network."""

import asyncio
import ipaddress
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from newsbeam.transforms.http.addresses import AddressRules
from newsbeam.transforms.http.client import Client
from newsbeam.transforms.http.failures import FetchFailed
from newsbeam.transforms.http.policy import FetchPolicy
from scripts.conformance.result import GroupResult
from scripts.conformance.scripted_server import Asked, ScriptedServer, feed, routed_socket


def _rows(file: Path) -> Iterator[str]:
    if file.exists():
        for line in file.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                yield line


def addresses(folder: Path) -> Iterator[tuple[str, str]]:
    """Returns each address of `ips.tsv` with what is wrong with its verdict, if anything."""
    for line in _rows(folder / "ssrf" / "ips.tsv"):
        address, verdict = line.split("\t")
        got = "allow" if AddressRules().permits(address) else "block"
        yield f"address {address}", "" if got in verdict.split("-or-") else f"{got}ed, expected {verdict}"


class _Names:
    """Answers DNS look-ups from a list, one set of addresses each; the last set repeats."""

    def __init__(self, answers: list[list[str]]) -> None:
        self.answers = answers
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if not answer:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        return answer


async def urls(folder: Path, policy: FetchPolicy, agent: str) -> list[tuple[str, str]]:
    """Requests every URL of `urls.tsv` with the system's resolver, beside a canary that must receive nothing."""
    found = []
    seen = 0

    async def canary(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        writer.close()

    server = await asyncio.start_server(canary, "127.0.0.1", 0)
    client = Client(policy, agent)
    try:
        for line in _rows(folder / "ssrf" / "urls.tsv"):
            url = json.loads(line).replace("{p}", str(server.sockets[0].getsockname()[1]))
            before = seen
            try:
                await client.get(url)
                wrong = "was answered"
            except FetchFailed as error:
                refused = error.reason in ("blocked_url", "blocked_address", "dns")
                wrong = "" if refused else f"failed with `{error.reason}`, not refused"
            await asyncio.sleep(0)
            yield_wrong = wrong or ("the canary was reached" if seen > before else "")
            found.append((f"url {url}", yield_wrong))
    finally:
        await client.close()
        server.close()
    return found


async def answers(case: dict[str, Any], folder: Path, policy: FetchPolicy, agent: str) -> str:
    """Plays one sequence of DNS answers; returns what is wrong, if anything."""
    reached: list[str] = []
    names = _Names(case["answers"])
    redirects = case.get("redirects", 0)

    def answer(asked: Asked) -> dict[str, Any]:
        hop = int(asked.path.strip("/") or 0)
        if hop < redirects:
            return {"status": 302, "headers": {"Location": f"http://hop{hop + 1}.example.org/{hop + 1}"}}
        return {"status": 200, "body": feed(range(1)).decode()}

    async with ScriptedServer(answer, folder) as server:

        def route(address: tuple[Any, ...]) -> tuple[str, int]:
            reached.append(str(address[0]))
            return "127.0.0.1", server.plain_port

        client = Client(policy, agent, lookup=names, make_socket=routed_socket(route))
        ends: list[str] = []
        started = time.monotonic()
        try:
            for attempt in range(1 + len(case["answers"])):
                host = "name" if case.get("keepalive") else f"name{attempt}"
                try:
                    await client.get(f"http://{host}.example.org/0")
                    ends.append("ok")
                except FetchFailed as error:
                    ends.append(error.reason)
        finally:
            await client.close()
        took = time.monotonic() - started
    private = [address for address in reached if _private(address)]
    expect = case["expect"]
    if private:
        return f"connected to {private[0]}"
    if expect == "soft error":
        return "" if set(ends) == {"dns"} else f"ended {ends}"
    if "stays on the vetted" in expect:
        return "" if set(ends) == {"ok"} and len(reached) == 1 else f"ended {ends}, connected {len(reached)} times"
    if expect.startswith("blocked"):
        if "blocked_address" not in ends:
            return f"ended {ends}, expected a refusal"
        if "<" in expect and took >= 1.0:
            return f"took {took:.1f} s"
    return ""


def _private(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return not (mapped or parsed).is_global or address.lower().startswith("64:ff9b:")


async def _all(folder: Path, policy: FetchPolicy, agent: str) -> list[tuple[str, str]]:
    cases = list(addresses(folder)) + await urls(folder, policy, agent)
    for line in _rows(folder / "ssrf" / "dns.jsonl"):
        case = json.loads(line)
        cases.append((f"dns {case['id']}", await answers(case, folder, policy, agent)))
    return cases


def run(folder: Path, policy: FetchPolicy, agent: str) -> GroupResult:
    """Plays every case of `ssrf/`."""
    cases = asyncio.run(_all(folder, policy, agent))
    failures = tuple(f"{name}: {wrong}" for name, wrong in cases if wrong)
    return GroupResult("ssrf", len(cases) - len(failures), len(cases), failures)
