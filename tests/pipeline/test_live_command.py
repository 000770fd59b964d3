"""`newsbeam live` as a user has it: a process that polls a newsroom, is stopped, starved and started again."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from newsbeam.pipeline.cli.status import status
from newsbeam.transforms.ledger.units import Ledger
from scripts.benchmarks.newsroom_run import compared, outcomes
from scripts.press.publishing import PressPlan
from scripts.press.site import Site, Temper
from tests.support.live_pipeline import newsroom
from tests.support.places import ROOT

PLAN = PressPlan(feeds=6, hosts=3, stories_per_s=4.0, lasting=30, edited=0.1, edit_after_s=3.0, reprint_after_s=2.0)
SCHEDULE = {"min_interval_s": 1, "default_interval_s": 1, "max_interval_s": 2, "backoff_first_s": 1}
FETCH = {"per_address": 64, "min_delay_s": 0.02, "retry_first_s": 1, "robots_retry_s": 1}


@contextmanager
def live(site: Site, folder: Path, *sinks: str) -> Iterator[subprocess.Popen[str]]:
    """A live run that polls `site`."""
    settings = {
        "contact": "https://example.org/about-our-crawler",
        "sources": [{"url": site.press.feed_url(feed)} for feed in range(site.press.plan.feeds)],
        "tick_s": 0.5,
        "shards": 2,
        "ledger": str(folder / "ledger.db"),
        "addresses": {"allow": ["127.0.0.0/8"], "hosts": [[".newsroom.test", "127.0.0.1"]]},
        "schedule": SCHEDULE,
        "fetch": FETCH,
    }
    config = folder / "live.json"
    config.write_text(json.dumps(settings))
    to = [word for sink in sinks for word in ("--to", sink)]
    process = subprocess.Popen(
        [sys.executable, "-m", "newsbeam", "live", "--config", str(config), *to],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def stopped(process: subprocess.Popen[str], number: int) -> str:
    """What a run says that is told to stop: within 30 seconds, and with exit code 0."""
    process.send_signal(number)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 0, told
    return told


def wait_for(so: Callable[[], bool], process: subprocess.Popen[str], at_most_s: float = 60.0) -> None:
    end = time.monotonic() + at_most_s
    while not so():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.2)


def is_complete(site: Site, folder: Path) -> bool:
    """Whether everything is printed, and found, and has its outcome."""
    ended = [outcome for _, outcome, _ in outcomes(folder / "ledger.db")]
    whole = len({row["story"] for row in site.press.truth()}) == PLAN.lasting and not site.press._later
    return whole and all(ended) and not compared([*site.press.truth()], folder / "ledger.db", folder / "news.db")[0]


class Posted(BaseHTTPRequestHandler):
    """Takes what a webhook is sent."""

    records: Counter[tuple[str, int]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = body if isinstance(body, list) else body.get("articles", body.get("records", [body]))
        self.records.update((row["id"], row["revision"]) for row in rows if "revision" in row)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_run_stops_while_a_sink_is_away_and_the_next_one_brings_everything_once(tmp_path: Path) -> None:
    Posted.records = Counter()
    server = HTTPServer(("127.0.0.1", 0), Posted, bind_and_activate=False)
    server.server_bind()  # its port is taken, and nobody listens
    sinks = (f"webhook+http://127.0.0.1:{server.server_port}/", f"sqlite:{tmp_path / 'news.db'}", f"jsonl:{tmp_path}/")
    with newsroom(PLAN, Temper(slow=0.0, broken=0.0, flaky=0.0)) as site:
        with live(site, tmp_path, *sinks) as process:
            wait_for(lambda: len(outcomes(tmp_path / "ledger.db")) > 0, process)
            time.sleep(2.0)
            told = stopped(process, signal.SIGINT)
        assert "waits for the next start" in told
        assert re.search(r"^pending +[1-9]", told, re.MULTILINE)
        server.server_activate()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with live(site, tmp_path, *sinks) as process:
            wait_for(lambda: is_complete(site, tmp_path), process)
            seen = status(str(tmp_path / "ledger.db"))
            told = stopped(process, signal.SIGTERM)
        truth = [*site.press.truth()]
    server.shutdown()
    server.server_close()
    assert compared(truth, tmp_path / "ledger.db", tmp_path / "news.db") == (Counter(), Counter())
    for line in (r"^feeds +6$", r"^  healthy +6$", r"^polls +\d+ +\d+% unchanged", r"^  story +\d+$", r"^lag +\d+ s"):
        assert re.search(line, seen, re.MULTILINE), seen
    assert "all entries are accounted for" in seen
    account = Ledger(str(tmp_path / "ledger.db")).account()
    assert account.adds_up
    written = account.outcomes["story"] + account.outcomes.get("revision", 0)
    assert len(Posted.records) == written
    lines = [
        line
        for file in tmp_path.glob("stories-*.jsonl")
        for line in file.read_text().splitlines()
        if "dead" not in file.name
    ]
    assert len(lines) == written
    in_this_run = re.search(r"^in this run.*story (\d+)", told, re.MULTILINE)
    assert in_this_run, told
    revisions = re.search(r"^in this run.*revision (\d+)", told, re.MULTILINE)
    now = int(in_this_run[1]) + (int(revisions[1]) if revisions else 0)
    for sink in ("webhook", "sqlite", "jsonl"):
        (line,) = re.findall(rf"^output +{sink}.*   (.*)$", told, re.MULTILINE)
        assert (
            sum(int(number) for number in re.findall(r"(\d+) (?:accepted|inserted|updated|unchanged)", line)) == now
        ), told


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="the limit can be lifted on Linux only")
def test_a_full_disk_is_waited_for_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    # Of a copy that is edited while nothing is polled, only the edit could be found: the account would be one short.
    with newsroom(replace(PLAN, edited=0.0), Temper(slow=0.0, broken=0.0, flaky=0.0)) as site:
        with live(site, tmp_path, f"sqlite:{tmp_path / 'news.db'}", f"jsonl:{tmp_path}/") as process:
            wait_for(lambda: len(outcomes(tmp_path / "ledger.db")) > 3, process)
            limited = psutil.Process(process.pid)
            before = limited.rlimit(psutil.RLIMIT_FSIZE)
            limited.rlimit(psutil.RLIMIT_FSIZE, (1, before[1]))  # no file can grow
            time.sleep(4.0)
            found = len(outcomes(tmp_path / "ledger.db"))
            time.sleep(1.0)
            assert len(outcomes(tmp_path / "ledger.db")) == found
            limited.rlimit(psutil.RLIMIT_FSIZE, before)
            wait_for(lambda: is_complete(site, tmp_path), process)
            told = stopped(process, signal.SIGTERM)
        truth = [*site.press.truth()]
    assert "next try in" in told
    assert compared(truth, tmp_path / "ledger.db", tmp_path / "news.db") == (Counter(), Counter())
    assert Ledger(str(tmp_path / "ledger.db")).account().adds_up
