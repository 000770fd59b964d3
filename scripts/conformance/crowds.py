"""Scenarios of many feeds at once: how they share hosts, addresses and the clock."""

import asyncio
import itertools
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from newsbeam.transforms.http.client import Client
from newsbeam.transforms.http.policy import Policy
from newsbeam.transforms.sources.polling.feed_shard import FeedShard
from newsbeam.transforms.sources.polling.poll import Polled
from newsbeam.transforms.sources.polling.schedule import FeedState, Poll, after_poll, pack, unpack
from scripts.conformance.scripted_server import PUBLIC, Asked, ScriptedServer, routed_socket

_START = 1756720800.0
_HOST = "feeds.example.org"


async def host_concurrency(scenario: dict[str, Any], policy: Policy, agent: str) -> Iterator[str]:
    """Many feeds of one host, or of one address, are due at the same moment."""
    expect = scenario["expect"]
    respond = {**scenario["steps"][0]["respond"], "latency_s": 0.25}
    same_host, delay = not expect.get("same_ip", False), 0.1

    async def lookup(host: str, port: int) -> list[str]:
        return [PUBLIC]

    async with ScriptedServer(lambda asked: respond, Path()) as server:
        client = Client(
            replace(policy.fetch, min_delay_s=delay),
            agent,
            lookup=lookup,
            make_socket=routed_socket(lambda _: ("127.0.0.1", server.plain_port)),
        )
        hosts = [_HOST if same_host else f"blog{number}.example.org" for number in range(expect["feeds"])]
        try:
            await asyncio.gather(*(client.get(f"http://{host}/{n}.xml") for n, host in enumerate(hosts)))
        finally:
            await client.close()
    wrong = []
    if server.most_at_once > expect["max_in_flight"]:
        wrong.append(f"{server.most_at_once} requests at once")
    starts = sorted(server.starts)
    apart = min(later - earlier for earlier, later in itertools.pairwise(starts))
    if same_host and apart < delay * 0.8:  # the server sees a start a little later than the client makes it
        wrong.append(f"two starts only {apart * 1000:.0f} ms apart")
    if len(starts) != expect["feeds"]:
        wrong.append(f"{len(starts)} of {expect['feeds']} feeds were asked")
    return iter(wrong)


async def slow_neighbour(count: int, policy: Policy, agent: str) -> Iterator[str]:
    """The same feeds with and without a host that hangs."""
    fetch = replace(policy.fetch, min_delay_s=0.0, total_deadline_s=30.0)
    best: dict[bool, float] = {}

    async def once(hanging: int) -> float:
        def respond(asked: Asked) -> dict[str, Any]:
            if asked.headers.get("host", "").startswith("slow"):
                return {"hang": True}
            return {"status": 200, "headers": {}, "body": "@feed3", "latency_s": 0.25}

        async def lookup(host: str, port: int) -> list[str]:
            number = re.sub(r"\D", "", host)
            return [f"93.184.{number or 250}.1"]

        async with ScriptedServer(respond, Path()) as server:
            client = Client(
                fetch, agent, lookup=lookup, make_socket=routed_socket(lambda _: ("127.0.0.1", server.plain_port))
            )
            stuck = [asyncio.create_task(client.get(f"http://slow.example.org/feed{n}.xml")) for n in range(hanging)]
            await asyncio.sleep(0.1)
            started = time.monotonic()
            try:
                await asyncio.gather(*(client.get(f"http://host{n % 250}.example.org/{n}.xml") for n in range(count)))
                return time.monotonic() - started
            finally:
                for task in stuck:
                    task.cancel()
                await asyncio.gather(*stuck, return_exceptions=True)
                await client.close()

    for _ in range(6):  # the best of some runs: other load on the machine slows down now one, now the other
        for hanging in (0, 20):
            took = await once(hanging)
            best[bool(hanging)] = min(took, best.get(bool(hanging), took))
        loss = 1 - best[False] / best[True]
        if loss < 0.05:
            return iter(())
    return iter([f"{loss:.0%} of the throughput was lost"])


def jitter(scenario: dict[str, Any], policy: Policy) -> Iterator[str]:
    """Feeds of one site with the same `max-age`, polled at the same moment."""
    expect = scenario["expect"]
    headers = {name.lower(): value for name, value in scenario["steps"][0]["respond"]["headers"].items()}
    buckets: Counter[int] = Counter()
    for number in range(expect["feeds"]):
        url = f"https://{_HOST}/feed/{number}"
        poll = Poll(200, headers, brought=3)
        state = after_poll(url, FeedState(url), poll, _START, policy.schedule).state
        buckets[int((state.next_poll_at - _START) // expect["bucket_s"])] += 1
        if state.next_poll_at < _START + 3600:
            yield f"feed {number} is polled before its bound"
    share = max(buckets.values()) / expect["feeds"]
    if share > expect["max_bucket_share"]:
        yield f"{share:.1%} of the polls fall into one minute"


def _settle_304(shard: FeedShard, feed_url: str, conditional: bool, now: float) -> None:
    shard.settle(feed_url, Polled(Poll(304 if conditional else 200, {"etag": '"1"'}, conditional=conditional)), now)


def restart(scenario: dict[str, Any], policy: Policy) -> Iterator[str]:
    """A new process continues the schedule of an old one, half of which is overdue."""
    count = scenario["expect"]["feeds"]
    rng = random.Random(1)
    saved: dict[str, bytes] = {}
    before = FeedShard(policy.schedule, 2, lambda _: b"")
    urls = [f"https://h{number}.example.org/feed" for number in range(count)]
    before.load(urls, {}, _START)
    for offset in range(0, 3600, 5):
        for ask in before.due(_START + offset, 10_000):
            _settle_304(before, ask.feed_url, False, _START + offset)
    for url in urls:
        state = before.state(url)
        saved[url] = pack(replace(state, next_poll_at=_START + 3600 + rng.uniform(-3000, 3000)))
    after = FeedShard(policy.schedule, 2, lambda _: b"")
    now = _START + 3600
    after.load(urls, saved, now)
    counts: Counter[int] = Counter()
    for offset in range(0, 3600, 5):
        for ask in after.due(now + offset, 10_000):
            planned = unpack(saved[ask.feed_url]).next_poll_at
            if now + offset < planned:
                yield f"{ask.feed_url} was polled {planned - now - offset:.0f} s early"
                return
            if not ask.headers:
                yield f"{ask.feed_url} was asked without validators"
                return
            counts[offset] += 1
            _settle_304(after, ask.feed_url, True, now + offset)
    if max(counts.values()) > count * 0.05:
        yield f"{max(counts.values())} polls at once after the start"


def clock_jump(scenario: dict[str, Any], policy: Policy) -> Iterator[str]:
    """The wall clock is set back and forward while feeds are polled."""
    leap = scenario["expect"]["clock_jump_s"]
    urls = [f"https://h{number}.example.org/feed" for number in range(1000)]
    shard = FeedShard(policy.schedule, 2, lambda _: b"")
    shard.load(urls, {}, _START)
    now, polls = _START, Counter[str]()
    last: dict[str, float] = {}
    run = 0.0
    worst = 0
    jumps = {6 * 3600: -leap, 12 * 3600: leap, 18 * 3600: leap, 24 * 3600: -leap}
    while run < 36 * 3600:
        run += 5
        now += 5 + jumps.get(int(run), 0)
        asks = shard.due(now, 10_000)
        worst = max(worst, len(asks) if run > 600 else 0)
        for ask in asks:
            gap = run - last.get(ask.feed_url, run - 86400)
            if gap < policy.schedule.min_interval_s - 5:
                yield f"{ask.feed_url} was asked again after {gap:.0f} s"
                return
            last[ask.feed_url] = run
            polls[ask.feed_url] += 1
            _settle_304(shard, ask.feed_url, bool(ask.headers), now)
    if worst > 2 * 5 * policy.schedule.catch_up_per_s:
        yield f"{worst} polls at once"
    # The intervals are those of an untouched clock: with 304s they grow to hours, but no feed is left out.
    starved = [url for url in urls if run - last.get(url, 0.0) > 2 * policy.schedule.max_interval_s or polls[url] < 5]
    if starved:
        yield f"{len(starved)} feeds starved"
