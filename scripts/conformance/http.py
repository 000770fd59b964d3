"""Plays `http/scenarios.jsonl`: scripted server responses, and what a polite and safe client must make of them.

Each scenario is played with the real client against a real server; what passes between two polls is a clock that is
set, not waited for. `http/policy.json` overrides the policy's numbers by name.
"""

import asyncio
import itertools
import json
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from newsbeam.transforms.http.client import Client
from newsbeam.transforms.http.policy import FetchPolicy, Policy, SchedulePolicy
from newsbeam.transforms.sources.polling.feed_shard import FeedShard, Settled
from newsbeam.transforms.sources.polling.poll import Parse, Polled, poll_feed
from newsbeam.transforms.sources.polling.schedule import FeedState, pack, unpack
from scripts.conformance import crowds
from scripts.conformance.result import GroupResult
from scripts.conformance.scripted_server import (
    PUBLIC,
    Asked,
    ScriptedServer,
    authority,
    feed,
    routed_socket,
)

_START = 1756720800.0  # Mon, 01 Sep 2025 10:00:00 GMT: the `Date` of the scripted answers
_HOST = "feeds.example.org"
_JUDGED = {
    *("new", "parsed", "total_new", "soft_error", "dead_letter", "status", "requests", "max_requests", "blocked"),
    *("next_not_before_s", "next_not_after_s", "other_feeds_same_host_not_before_s", "unconditional_within_s"),
    *("interval_after_s", "growth_min", "max_s", "reset", "feed_url_after", "absent_headers", "peak_rss_mb"),
    *("total_s", "other_feeds_unaffected", "error"),
    *("crash", "error_or_ok"),  # an exception of the client's own fails any scenario
}
_NAMES = {
    "min_interval_s": ("schedule", "min_interval_s"),
    "default_interval_s": ("schedule", "default_interval_s"),
    "max_interval_s": ("schedule", "max_interval_s"),
    "retry_after_cap_s": ("schedule", "retry_after_cap_s"),
    "jitter": ("schedule", "jitter"),
    "connect_timeout_s": ("fetch", "connect_timeout_s"),
    "total_deadline_s": ("fetch", "total_deadline_s"),
    "max_body_bytes": ("fetch", "max_body_bytes"),
    "max_redirects": ("fetch", "max_redirects"),
}


def overridden(policy: Policy, file: Path) -> Policy:
    """Returns the policy with the numbers of a scenario folder's `policy.json`."""
    changes: dict[str, dict[str, Any]] = {"schedule": {}, "fetch": {}}
    for name, value in json.loads(file.read_text()).items() if file.exists() else ():
        if name in _NAMES:
            section, setting = _NAMES[name]
            changes[section][setting] = value
    schedule: SchedulePolicy = replace(policy.schedule, **changes["schedule"])
    fetch: FetchPolicy = replace(policy.fetch, **changes["fetch"])
    return Policy(schedule, fetch)


@dataclass
class PollResult:
    """The result of one poll."""

    at: float
    polled: Polled
    settled: Settled
    before: FeedState
    state: FeedState
    requests: int
    took_s: float
    conditional: bool


@dataclass
class Played:
    """The result of a scenario."""

    polls: list[PollResult] = field(default_factory=list)
    requests: list[Asked] = field(default_factory=list)
    discovered: list[int] = field(default_factory=list)
    rss_mb: float = 0.0
    notes: list[str] = field(default_factory=list)
    shard: FeedShard | None = None
    killed: bytes | None = None
    known: bytes = b""


class Script:
    """The steps of a scenario, one for each request; the last one repeats."""

    def __init__(self, steps: list[dict[str, Any]]) -> None:
        self.steps = [step for step in steps for _ in range(step["respond"].get("repeat", 1))]
        self.at = 0
        self.wrong: list[str] = []

    def current(self) -> dict[str, Any]:
        return self.steps[min(self.at, len(self.steps) - 1)]["respond"]

    @property
    def played(self) -> bool:
        return self.at >= len(self.steps)

    def take(self, asked: Asked) -> dict[str, Any]:
        step = self.steps[min(self.at, len(self.steps) - 1)]
        self.at += 1
        wanted = step.get("request", {})
        for name, value in wanted.get("has", {}).items():
            if asked.headers.get(name.lower()) != value:
                self.wrong.append(f"request {self.at}: {name} is {asked.headers.get(name.lower())!r}, not {value!r}")
        for name in wanted.get("absent", []):
            if name.lower() in asked.headers:
                self.wrong.append(f"request {self.at}: {name} was sent: {asked.headers[name.lower()]!r}")
        for name, pattern in wanted.get("match", {}).items():
            if not re.fullmatch(pattern, asked.headers.get(name.lower(), "")):
                self.wrong.append(f"request {self.at}: {name} is {asked.headers.get(name.lower())!r}")
        if wanted.get("url_unchanged") and asked.path != "/feed.xml":
            self.wrong.append(f"request {self.at}: {asked.path} was asked")
        return dict(step["respond"])


def _entries_due(start: float, now: float, every: int) -> bytes:
    newest = int((now - start) // every)
    return feed(range(max(0, newest - 19) + 100, newest + 101))


def resident_mb() -> float:
    """Resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _watch_memory(played: Played, base: float) -> None:
    while True:
        played.rss_mb = max(played.rss_mb, resident_mb() - base)
        await asyncio.sleep(0.01)


async def play(scenario: dict[str, Any], folder: Path, policy: Policy, agent: str, parse: Parse) -> Played:
    """Polls one feed until every step of the scenario has been played."""
    script = Script(scenario["steps"])
    played = Played()
    clock = [_START]

    async def lookup(host: str, port: int) -> list[str]:
        kind = script.current().get("dns")
        if kind:
            script.at += 1
            raise socket.gaierror(socket.EAI_NONAME if kind == "NXDOMAIN" else socket.EAI_AGAIN, kind)
        return [PUBLIC]

    def generated(every: int) -> bytes:
        return _entries_due(_START - 86400, clock[0], every)

    async with ScriptedServer(script.take, folder, generated) as server:

        def route(address: tuple[Any, ...]) -> tuple[str, int]:
            step = script.current()
            if step.get("refuse"):
                script.at += 1
                return "127.0.0.1", 9
            if step.get("tls"):
                script.at += 1
                return "127.0.0.1", server.stranger_port
            return "127.0.0.1", server.tls_port if address[1] == 443 else server.plain_port

        steps = json.dumps(scenario["steps"])
        scheme = "https" if '"tls"' in steps or "downgrade" in scenario["id"] else "http"
        feed_url = f"{scheme}://{_HOST}/feed.xml"
        quick = replace(policy.fetch, min_delay_s=0.0, dns_ttl_s=0.0 if '"dns"' in steps else 60.0)
        client = Client(quick, agent, lookup=lookup, make_socket=routed_socket(route), tls=authority().client)
        shard = FeedShard(policy.schedule, quick.per_host, lambda _: played.known)
        shard.load([feed_url], {}, clock[0])
        played.shard = shard
        base = resident_mb()
        watch = asyncio.create_task(_watch_memory(played, base))
        try:
            while not script.played and len(played.polls) < 500:
                if played.killed is not None:
                    shard = FeedShard(policy.schedule, quick.per_host, lambda _: played.known)
                    shard.load([feed_url], {feed_url: played.killed}, clock[0])
                    played.shard, played.killed = shard, None
                if script.current().get("manual_enable"):
                    shard.enable(feed_url, clock[0])
                due = shard.next_due()
                if due is None:
                    break
                clock[0] = max(clock[0], due)
                if not await _poll_once(shard, client, parse, clock, played, script, server):
                    break
        finally:
            watch.cancel()
            await client.close()
        played.requests = server.requests
    played.notes = script.wrong
    return played


async def _poll_once(
    shard: FeedShard,
    client: Client,
    parse: Parse,
    clock: list[float],
    played: Played,
    script: Script,
    server: ScriptedServer,
) -> bool:
    asks = shard.due(clock[0], 1)
    for _ in range(10):  # polls that a leap of the clock leaves overdue are spread over some seconds
        if not asks:
            clock[0] += 1.0
            asks = shard.due(clock[0], 1)
    if not asks:
        return False
    ask = asks[0]
    before, asked = len(server.requests), time.monotonic()
    kill = script.current().get("kill")
    polled = await poll_feed(client, ask, parse)
    took = time.monotonic() - asked
    if kill == "after_fetch_before_commit":
        played.killed = pack(ask.state)  # the state of the last commit
        return True
    settled = shard.settle(ask.feed_url, polled, clock[0])
    played.known = played.known if settled.known is None else settled.known
    played.discovered.append(len(settled.discoveries))
    played.polls.append(
        PollResult(
            clock[0],
            polled,
            settled,
            ask.state,
            unpack(settled.state),
            len(server.requests) - before,
            took,
            bool(ask.headers),
        )
    )
    return True


def _soft(poll: PollResult) -> bool:
    return bool(poll.state.reason) and not poll.state.gone and not poll.settled.discoveries


def _bound(text: str, value: float) -> bool:
    operator, number = text[:2], float(text[2:])
    return value <= number if operator == "<=" else value >= number


def judge(scenario: dict[str, Any], played: Played, policy: Policy) -> Iterator[str]:
    """Returns what is wrong with the result of a scenario."""
    expect: Mapping[str, Any] = scenario["expect"]
    yield from played.notes
    if unknown := sorted(set(expect) - _JUDGED):
        yield f"cannot be judged: {', '.join(unknown)}"
    total = sum(played.discovered)
    last = played.polls[-1] if played.polls else None
    if last is None:
        yield "nothing was polled"
        return
    soft = [_soft(poll) for poll in played.polls]
    yield from _judge_entries(expect, played, soft, total)
    wait = last.state.next_poll_at - last.at
    if "next_not_before_s" in expect and wait < expect["next_not_before_s"]:
        yield f"next poll after {wait:.0f} s, not before {expect['next_not_before_s']} s"
    if "next_not_after_s" in expect and wait > expect["next_not_after_s"]:
        yield f"next poll after {wait:.0f} s, not after {expect['next_not_after_s']} s"
    if "other_feeds_same_host_not_before_s" in expect:
        yield from _judge_neighbour(expect["other_feeds_same_host_not_before_s"], played)
    if "unconditional_within_s" in expect:
        bare = [poll.at for poll in played.polls if not poll.conditional]
        gaps = [later - earlier for earlier, later in itertools.pairwise(bare)]
        if not gaps or max(gaps) > expect["unconditional_within_s"] + 1:
            yield f"requests without validators are {[round(gap) for gap in gaps]} s apart"
        if gaps and min(gaps) < policy.schedule.unconditional_every_s - 1:
            yield f"two requests without validators are only {min(gaps):.0f} s apart"
    if "interval_after_s" in expect and not _bound(expect["interval_after_s"], wait):
        yield f"the interval is {wait:.0f} s, expected {expect['interval_after_s']}"
    if "growth_min" in expect:
        yield from _judge_growth(expect, played)
    if "status" in expect:
        status = "stopped" if any(poll.state.gone for poll in played.polls) else "active"
        if status != expect["status"]:
            yield f"the feed is {status}, expected {expect['status']}"
    if "requests" in expect and len(played.requests) != expect["requests"]:
        yield f"{len(played.requests)} requests, expected {expect['requests']}"
    if "max_requests" in expect and played.polls[0].requests > expect["max_requests"]:
        yield f"{played.polls[0].requests} requests in one poll, expected at most {expect['max_requests']}"
    if "feed_url_after" in expect:
        yield from _judge_url(str(expect["feed_url_after"]), played, last)
    for name in expect.get("absent_headers", ()):
        if any(name.lower() in asked.headers for asked in played.requests):
            yield f"{name} was sent"
    if expect.get("blocked") and not last.state.reason.startswith("blocked"):
        yield f"ended with `{last.state.reason}`, expected a refusal"
    if "peak_rss_mb" in expect and played.rss_mb > expect["peak_rss_mb"]:
        yield f"{played.rss_mb:.0f} MB were added to resident memory"
    if "total_s" in expect and max(poll.took_s for poll in played.polls) > policy.fetch.total_deadline_s + 1:
        yield f"took {max(poll.took_s for poll in played.polls):.1f} s"
    error, reason = expect.get("error", ""), last.polled.poll.reason
    if error and (not reason or (error != "headers" and reason != error)):
        yield f"ended with `{reason}`, expected `{error}`"


def _judge_entries(expect: Mapping[str, Any], played: Played, soft: list[bool], total: int) -> Iterator[str]:
    for number, wanted in enumerate(expect.get("new", ())):
        if number >= len(played.discovered):
            yield f"poll {number + 1} did not happen"
            continue
        got = played.discovered[number]
        if wanted == "3 or soft_error":
            right = got == 3 or soft[number]
        elif wanted == "0-3":
            right = 0 <= got <= 3
        else:
            right = wanted == "rest" or got == wanted
        if not right:
            reason = played.polls[number].polled
            yield f"poll {number + 1} brought {got}, expected {wanted} ({reason.poll.reason} {reason.message[:80]})"
    if "total_new" in expect and total != expect["total_new"]:
        yield f"{total} entries in all, expected {expect['total_new']}"
    for number, wanted in enumerate(expect.get("parsed", ())):
        if (played.polls[number].polled.document is not None) != wanted:
            yield f"poll {number + 1} was {'not ' if wanted else ''}parsed"
    if expect.get("soft_error") is True and not soft[-1]:
        yield f"no soft error: `{played.polls[-1].state.reason}`"
    if expect.get("dead_letter") and not any(one.settled.letters for one in played.polls):
        yield "no dead letter"


def _judge_neighbour(least: float, played: Played) -> Iterator[str]:
    if played.shard is None:
        return
    last = played.polls[-1]
    other = f"http://{_HOST}/another.xml"
    played.shard.load([other], {}, last.at)
    now = last.at
    while now < last.at + 10 * least:
        now += 60.0
        if any(ask.feed_url == other for ask in played.shard.due(now, 10)):
            break
    if now - last.at < least:
        yield f"another feed of the host was asked after {now - last.at:.0f} s"


def _judge_growth(expect: Mapping[str, Any], played: Played) -> Iterator[str]:
    waits = [poll.state.next_poll_at - poll.at for poll in played.polls]
    failed = [wait for wait, poll in zip(waits, played.polls, strict=True) if poll.state.reason]
    for earlier, later in itertools.pairwise(failed):
        if later < expect["growth_min"] * earlier and later < expect["max_s"] / 1.2:
            yield f"the delay grew from {earlier:.0f} to {later:.0f} s"
    if max(waits) > expect["max_s"]:
        yield f"a delay of {max(waits):.0f} s"
    if expect.get("reset") and (played.polls[-1].state.failures or waits[-1] > failed[-1]):
        yield "success did not end the back-off"


def _judge_url(wanted: str, played: Played, last: PollResult) -> Iterator[str]:
    first = played.polls[0].before.url
    got = last.state.url
    if "unchanged" in wanted and got == first:
        return
    moved = next((path for path in re.findall(r"/\w+", wanted) if urlsplit(got).path == path), "")
    if "new" in wanted and got != first:
        return
    if not moved:
        yield f"the feed is at {got}, expected {wanted}"


async def judged(scenario: dict[str, Any], folder: Path, policy: Policy, agent: str, parse: Parse) -> list[str]:
    """Plays a scenario and returns what is wrong with its result."""
    expect = scenario["expect"]
    if "max_in_flight" in expect:
        return list(await crowds.host_concurrency(scenario, policy, agent))
    if scenario["steps"][0]["respond"].get("hang"):
        return list(await crowds.slow_neighbour(expect["feeds"], policy, agent))
    if "max_bucket_share" in expect:
        return list(crowds.jitter(scenario, policy))
    if expect.get("restart"):
        return list(crowds.restart(scenario, policy))
    if "clock_jump_s" in expect:
        return list(crowds.clock_jump(scenario, policy))
    played = await play(scenario, folder, policy, agent, parse)
    return list(judge(scenario, played, policy))


def _is_slow(scenario: dict[str, Any]) -> bool:
    return "total_s" in scenario["expect"]


async def _play_all(
    scenarios: list[dict[str, Any]], folder: Path, policy: Policy, agent: str, parse: Parse
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}

    async def one(scenario: dict[str, Any]) -> None:
        try:
            found[scenario["id"]] = await judged(scenario, folder, policy, agent, parse)
        except Exception as error:  # scenarios exist to find crashes of the client
            found[scenario["id"]] = [f"{type(error).__name__}: {error}"]

    for scenario in scenarios:
        if not _is_slow(scenario):
            await one(scenario)
    await asyncio.gather(*(one(scenario) for scenario in scenarios if _is_slow(scenario)))
    for scenario in scenarios:
        if scenario["expect"].get("other_feeds_unaffected"):
            found[scenario["id"]] += list(await crowds.slow_neighbour(200, policy, agent))
    return found


def run(folder: Path, policy: Policy, agent: str, parse: Parse) -> GroupResult:
    """Plays every scenario of `http/`."""
    file = folder / "http" / "scenarios.jsonl"
    scenarios = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    policy = overridden(policy, folder / "http" / "policy.json")
    judged_scenarios = asyncio.run(_play_all(scenarios, folder, policy, agent, parse))
    failures = tuple(f"{name}: {wrong}" for name, wrongs in judged_scenarios.items() for wrong in wrongs)
    passed = sum(not wrongs for wrongs in judged_scenarios.values())
    return GroupResult("http", passed, len(scenarios), failures)
