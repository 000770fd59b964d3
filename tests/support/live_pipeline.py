"""A newsroom (a web server with feeds and pages), and a run of the live stages against it."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import apache_beam as beam

from newsbeam.pipeline.runners.flowing_runner import FlowingRunner
from newsbeam.transforms.http.addresses import AddressRules
from newsbeam.transforms.model.records import DeadLetter, Outcome, Page
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.runtime.stopping import request_stop
from newsbeam.transforms.sources.event_loop import HttpOptions
from newsbeam.transforms.sources.feed_source import FeedSource, ListedSources
from newsbeam.transforms.sources.fetching.fetch import FetchOptions, FetchPages
from newsbeam.transforms.sources.live import end_live_run
from newsbeam.transforms.sources.polling.discover import Discover, DiscoverOptions
from newsbeam.transforms.sources.polling.feed_memory import LedgerMemory
from newsbeam.transforms.sources.ticks import EmitTicks, TickPlan
from scripts.press.publishing import Press, PressPlan
from scripts.press.site import Site, Temper
from tests.support.http_site import AGENT, POLICY

SCHEDULE = replace(
    POLICY.schedule,
    min_interval_s=0.5,
    default_interval_s=0.5,
    max_interval_s=2.0,
    backoff_first_s=0.5,
    catch_up_per_s=1000.0,
)
FETCH = replace(POLICY.fetch, min_delay_s=0.0, per_address=64, retry_first_s=0.3, retry_factor=1.2, robots_retry_s=0.3)
HTTP = HttpOptions(FETCH, AGENT, rules=AddressRules(allow=("127.0.0.0/8",), hosts=((".newsroom.test", "127.0.0.1"),)))


@contextmanager
def newsroom(plan: PressPlan, temper: Temper) -> Iterator[Site]:
    """Serves a newsroom on loopback in a thread. Its clock starts at the first request for a feed."""
    site = Site(Press(plan), temper)
    began: list[float] = []

    def clock() -> float:
        if site.counts["requests"] and not began:
            began.append(time.monotonic())
        return time.monotonic() - began[0] if began else 0.0

    site.clock = clock
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(site.start(), loop).result(10)
    try:
        yield site
    finally:
        asyncio.run_coroutine_threadsafe(site.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


class Keep(beam.DoFn):
    """Writes each element to a database together with its outcome."""

    def __init__(self, file: str, settles: bool = True) -> None:
        self._file = file
        self._settles = settles

    def setup(self) -> None:
        self._database = sqlite3.connect(self._file, timeout=30)
        with self._database:
            self._database.execute("CREATE TABLE IF NOT EXISTS kept (unit TEXT, url TEXT, reason TEXT, seen_at TEXT)")

    def process(self, element: Page | DeadLetter) -> None:
        page = isinstance(element, Page)
        unit = element.origin.unit if isinstance(element, Page) else element.unit
        reason = "" if isinstance(element, Page) else element.reason
        seen_at = element.origin.seen_at if isinstance(element, Page) else ""
        outcome = Outcome(unit, "story" if page else "dead_letter", reason=reason)
        with self._database:
            self._database.execute("INSERT INTO kept VALUES (?, ?, ?, ?)", (unit, element.url, reason, seen_at))
            if self._settles:
                self._database.execute(
                    "UPDATE units SET settled_in = 'run', outcome = ?, reason = ? WHERE unit = ?",
                    (outcome.outcome, outcome.reason, unit),
                )


def run_live(
    feeds: list[str],
    file: Path,
    until: Callable[[], bool],
    at_most_s: float = 30.0,
    memory: bool = True,
    settles: bool = True,
) -> None:
    """Runs Discover and FetchPages on the local engine until a condition holds; keeps pages and dead letters in
    `file`."""
    dead_letters = DeadLetters()
    pipeline = beam.Pipeline(runner=FlowingRunner())
    ticks = pipeline | "Ticks" >> EmitTicks(TickPlan(every_s=0.2, seconds=at_most_s, drain_s=3.0))
    sources = ListedSources(tuple(FeedSource(feed, publisher="The Press") for feed in feeds))
    remembered = LedgerMemory(str(file), "run") if memory else None
    entries = ticks | "Discover" >> Discover(DiscoverOptions(sources, SCHEDULE, HTTP, 2, remembered), dead_letters)
    pages = entries | "Fetch" >> FetchPages(ticks, FetchOptions(sources, SCHEDULE, HTTP, 2), dead_letters)
    pages | "Keep pages" >> beam.ParDo(Keep(str(file), settles and memory))
    dead_letters.gather() | "Keep letters" >> beam.ParDo(Keep(str(file), settles and memory))
    over = threading.Event()
    watcher = threading.Thread(target=_stop_when, args=(until, over), daemon=True)
    watcher.start()
    try:
        pipeline.run().wait_until_finish()
    finally:
        over.set()
        watcher.join(10)
        end_live_run()


def _stop_when(until: Callable[[], bool], over: threading.Event) -> None:
    while not over.wait(0.1):
        if until():
            request_stop()
            return


def kept(file: Path, reason: str = "") -> list[tuple[str, str]]:
    """Returns (unit, url) of the pages kept, or of the dead letters with a reason."""
    with closing(sqlite3.connect(file, timeout=30)) as database:
        try:
            return database.execute("SELECT unit, url FROM kept WHERE reason = ?", (reason,)).fetchall()
        except sqlite3.OperationalError:
            return []  # nothing has come yet
