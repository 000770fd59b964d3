"""Simulates the load of the largest open system: 180,000 feeds, 25 polls a second, 6 new stories a second.

A few busy feeds print everything and are polled every minute, all others every few hours, as a schedule that has run
for some days has settled; the ledger begins in that state. Runs the whole pipeline against a newsroom and prints polls
and records a second, the lag from the moment a story stands in its feed to its record in the sink, memory and CPU.
"""

import argparse
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from newsbeam.transforms.sources.polling.feed_memory import LedgerFeedMemory
from newsbeam.transforms.sources.polling.feed_shard import Settled
from newsbeam.transforms.sources.polling.schedule import FeedState, pack, unpack
from scripts.benchmarks.measure import cpu_seconds_of, resident_mb_of
from scripts.benchmarks.newsroom_run import Room, live_command, newsroom, outcomes, start_live, write_config

_START_UP_S = 30.0
"""Seconds until the first tick. With less, all busy feeds would be overdue at it and be polled at the same moment
ever after."""


def main(arguments: Sequence[str]) -> int:
    """Prints the figures of one run; code 0 if the lag keeps the bar: tick + poll interval + 15 s at p95."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=180_000)
    parser.add_argument("--hosts", type=int, default=20_000)
    parser.add_argument("--busy", type=int, default=600, help="feeds that print all the stories")
    parser.add_argument("--busy-interval", type=float, default=60.0, help="seconds between two polls of these")
    parser.add_argument("--interval", type=float, default=12_000.0, help="seconds between two polls of the others")
    parser.add_argument("--stories-per-s", type=float, default=6.0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--tick", type=float, default=5.0)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--folder", type=Path, help="keep everything here")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        folder = options.folder or Path(work)
        folder.mkdir(parents=True, exist_ok=True)
        return _run(options, folder)


@dataclass
class _Watch:
    """Notes when each record appears in the sink."""

    sink: Path
    arrived: dict[str, float] = field(default_factory=dict)
    seen: dict[str, tuple[float, float]] = field(default_factory=dict)
    """When each entry was found in its feed and when its page was fetched, to the second."""
    last: int = 0

    def look(self) -> None:
        if not self.sink.exists():
            return
        with closing(sqlite3.connect(f"file:{self.sink}?mode=ro", uri=True, timeout=60)) as database:
            try:
                rows = database.execute(
                    "SELECT doc, url, strftime('%s', first_seen_at), strftime('%s', fetched_at) FROM articles"
                    " WHERE doc > ?",
                    (self.last,),
                ).fetchall()
            except sqlite3.OperationalError:
                return  # not made yet
        for doc, url, seen, fetched in rows:
            self.last = max(self.last, doc)
            self.arrived.setdefault(url.partition("?")[0], time.time())
            self.seen.setdefault(url.partition("?")[0], (float(seen), float(fetched)))


def _run(options: argparse.Namespace, folder: Path) -> int:
    schedule = {
        "min_interval_s": options.busy_interval,
        "default_interval_s": options.busy_interval,
        "max_interval_s": options.interval,
    }
    arguments = ["--feeds", str(options.feeds), "--hosts", str(options.hosts), "--busy", str(options.busy)]
    arguments += ["--no-log", "--edited", "0", "--stories-per-s", str(options.stories_per_s)]
    with newsroom(folder / "room", arguments) as room:
        write_config(folder / "live.yaml", room.folder, schedule, options.tick, options.shards)
        _settle_schedule(options, folder, room)
        process = start_live(live_command(folder / "live.yaml", folder), folder / "live.log")
        watched, watch = psutil.Process(process.pid), _Watch(folder / "news.db")
        before = _polls(folder / "ledger.db")
        print(f"{'s':>6}{'MB':>8}{'CPU s':>8}{'units':>8}{'settled':>8}", flush=True)
        begun, peak, cpu, shown = time.monotonic(), 0.0, 0.0, 0.0
        while (now := time.monotonic() - begun) < 60 * options.minutes and process.poll() is None:
            time.sleep(1)
            watch.look()
            if now - shown >= 30:
                shown = now
                memory, cpu = resident_mb_of(watched), cpu_seconds_of(watched)
                peak = max(peak, memory)
                entries = outcomes(folder / "ledger.db")
                settled = sum(bool(outcome) for _, outcome, _ in entries)
                print(f"{now:6.0f}{memory:8.0f}{cpu:8.0f}{len(entries):8}{settled:8}", flush=True)
        seconds = time.monotonic() - begun
        process.send_signal(signal.SIGTERM)
        process.wait(90)
        room.stop()
    polls = _polls(folder / "ledger.db") - before
    rates = f"{polls / seconds:.1f} polls/s, {len(watch.arrived) / seconds:.2f} records/s"
    print(f"{rates}, {cpu / seconds:.2f} cores, peak {peak:.0f} MB, ended with code {process.returncode}")
    return _judge(room.truth(), watch, options) if process.returncode == 0 else 1


def _settle_schedule(options: argparse.Namespace, folder: Path, room: Room) -> None:
    """Fills the ledger as after a run of some days: every feed has been polled, and its next poll is some time
    ahead."""
    chance, now = random.Random(1), time.time() + _START_UP_S
    memory = LedgerFeedMemory(str(folder / "ledger.db"), "before")
    states = []
    for number, url in enumerate((room.folder / "feeds.txt").read_text().split()):
        interval = options.busy_interval if number < options.busy else options.interval
        past = now - chance.random() * interval
        state = FeedState(
            url,
            next_poll_at=past + interval,
            last_poll_at=past,
            last_success_at=past,
            last_unconditional_at=past,
            interval_s=interval,
            polls=1,
        )
        states.append(Settled(url, pack(state)))
    memory.save(states)


def _polls(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger, timeout=60)) as database:
        return sum(unpack(bytes(state)).polls for (state,) in database.execute("SELECT state FROM feeds"))


def _judge(truth: Sequence[dict[str, object]], watch: _Watch, options: argparse.Namespace) -> int:
    printed = {str(row["url"]): float(str(row["epoch"])) + float(str(row["printed_at"])) for row in truth}
    lags = sorted(at - printed[url] for url, at in watch.arrived.items() if url in printed)
    if not lags:
        print("nothing came")
        return 1
    bar = options.tick + options.busy_interval + 15
    print(f"lag from feed to sink: {_shares(lags)} (bar for p95: {bar:.0f} s)")
    came = [(printed[url], *watch.seen[url], at) for url, at in watch.arrived.items() if url in printed]
    print(f"  until it is found:   {_shares([seen - at for at, seen, _, _ in came])}")
    print(f"  then until fetched:  {_shares([fetched - seen for _, seen, fetched, _ in came])}")
    print(f"  then until written:  {_shares([arrived - fetched for _, _, fetched, arrived in came])}")
    return 0 if lags[int(0.95 * len(lags))] < bar else 1


def _shares(lags: Sequence[float]) -> str:
    ordered = sorted(lags)
    return ", ".join(f"p{share * 100:.0f} {ordered[int(share * len(ordered))]:.1f} s" for share in (0.5, 0.95, 0.99))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
