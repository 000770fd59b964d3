"""Starts a newsroom and a live run, each in its own process; shared by the benchmarks of live runs."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Room:
    """A running newsroom and the folder that it writes to."""

    folder: Path
    process: subprocess.Popen[bytes]

    def truth(self) -> list[dict[str, object]]:
        """The stories printed so far."""
        return [json.loads(line) for line in (self.folder / "truth.jsonl").read_text().splitlines()]

    def stop(self) -> None:
        """Stops the newsroom; its list of stories is complete afterwards."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


@contextmanager
def newsroom(folder: Path, arguments: Sequence[str]) -> Iterator[Room]:
    """Runs `scripts/newsroom.py` with these arguments."""
    command = [sys.executable, str(ROOT / "scripts" / "newsroom.py"), "--folder", str(folder), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while not (folder / "truth.jsonl").exists():
            if process.poll() is not None:
                sys.exit("the newsroom did not start")
            time.sleep(0.1)
        yield Room(folder, process)
    finally:
        process.kill()
        process.wait()


def write_config(file: Path, room: Path, schedule: Mapping[str, float], tick_s: float, shards: int = 4) -> None:
    """Writes the configuration of a run that polls a newsroom, as JSON (which is YAML too)."""
    settings = {
        "contact": "https://example.org/about-our-crawler",
        "sources_file": str(room / "feeds.txt"),
        "tick_s": tick_s,
        "shards": shards,
        "addresses": {"allow": ["127.0.0.0/8"], "hosts": [[".newsroom.test", "127.0.0.1"]]},
        "schedule": dict(schedule),
        "fetch": {"per_address": 256, "min_delay_s": 0.05, "retry_first_s": 2, "robots_retry_s": 2},
    }
    file.write_text(json.dumps(settings))


def live_command(config: Path, folder: Path, more: Sequence[str] = ()) -> list[str]:
    """Returns the command line of a live run that writes into `folder`."""
    sink = f"sqlite:{folder / 'news.db'}"
    return [sys.executable, "-m", "newsbeam", "live", "--config", str(config), "--to", sink, *more]


def start_live(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Starts a live run in a process group of its own."""
    with log.open("ab") as out:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True, env=environment)


def outcomes(ledger: Path) -> list[tuple[str, str, str]]:
    """Returns (unit, outcome, url) of every unit in the ledger; the outcome is empty while the unit is pending."""
    if not ledger.exists():
        return []
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=60)) as database:
        try:
            return database.execute("SELECT unit, outcome, url FROM units").fetchall()
        except sqlite3.OperationalError:
            return []  # not made yet


def titles(sink: Path) -> dict[str, str]:
    """Returns the title of each record in a sink, by URL."""
    if not sink.exists():
        return {}
    with closing(sqlite3.connect(f"file:{sink}?mode=ro", uri=True, timeout=60)) as database:
        try:
            rows = database.execute("SELECT url, title FROM articles").fetchall()
        except sqlite3.OperationalError:
            return {}  # not made yet
    return {url.partition("?")[0]: title for url, title in rows}


def compared(truth: Sequence[dict[str, object]], ledger: Path, sink: Path) -> tuple[Counter[str], Counter[str]]:
    """Compares what was printed with the ledger. Returns the URLs without an outcome, and those with more outcomes than
    printed versions.

    Who was down while a story was printed and edited can only find the edit: that is nothing lost, if it was found.
    """
    printed = Counter(str(row["url"]) for row in truth)
    ended = Counter(
        url.partition("?")[0] for unit, outcome, url in outcomes(ledger) if unit.startswith("entry:") and outcome
    )
    title_of = titles(sink)
    edited = {str(row["url"]) for row in truth if row["edit"]}
    superseded = {url for url in edited if ended[url] == 1 and title_of.get(url, "").endswith("]")}
    lost = Counter({url: count for url, count in (printed - ended).items() if url not in superseded})
    return lost, ended - printed
