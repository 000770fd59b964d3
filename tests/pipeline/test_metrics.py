"""What a run serves as Prometheus text, beside what its ledger says."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.metrics import monitoring_infos
from apache_beam.portability.api import beam_job_api_pb2
from apache_beam.runners.portability.portable_runner import PipelineResult
from prometheus_client.parser import text_string_to_metric_families

from newsbeam.pipeline.cli.status import status
from newsbeam.pipeline.metrics.ledger_state import quantile
from newsbeam.pipeline.metrics.metrics_server import serve_metrics
from newsbeam.pipeline.runners.flowing_runner import FlowingRunner
from newsbeam.pipeline.runners.running_metrics import Totals, totals_of
from newsbeam.transforms.ledger.units import Ledger
from newsbeam.transforms.model.errors import UsageError
from newsbeam.transforms.model.records import Article, Origin, Outcome, Page
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.runtime.measures import CountPages, lag_seconds
from newsbeam.transforms.sinks.write import WriteArticles
from scripts.press.publishing import PressPlan
from scripts.press.site import Temper
from tests.support.live_pipeline import newsroom
from tests.support.places import ROOT
from tests.support.sinks_servers import free_port, until


def scraped(port: int) -> dict[tuple[str, ...], float]:
    """(name, label values by the names of the labels…) -> value."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/plain")
        text = answer.read().decode()
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(ledger: str, query: str) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as database:
        return dict(database.execute(query).fetchall())


def test_a_live_run_serves_what_its_ledger_says(tmp_path: Path) -> None:
    plan = PressPlan(feeds=8, hosts=4, stories_per_s=20, lasting=40, reprinted=0.2, edited=0.0, reprint_after_s=1)
    port, ledger = free_port(), f"{tmp_path}/ledger.db"
    with newsroom(plan, Temper(slow=0.0, broken=0.0, flaky=0.0)) as site:
        settings = {
            "contact": "https://example.org/about-our-crawler",
            "sources": [{"url": site.press.feed_url(number)} for number in range(plan.feeds)]
            + [{"url": "http://127.0.0.1:9/feed.xml"}],
            "tick_s": 0.3,
            "addresses": {"allow": ["127.0.0.0/8"], "hosts": [[".newsroom.test", "127.0.0.1"]]},
            "schedule": {
                "min_interval_s": 0.5,
                "default_interval_s": 0.5,
                "max_interval_s": 2,
                "backoff_first_s": 30,
                "catch_up_per_s": 1000,
            },
            "fetch": {"per_address": 64, "min_delay_s": 0, "robots_retry_s": 0.3},
        }
        (tmp_path / "live.yaml").write_text(json.dumps(settings))
        command = [sys.executable, "-m", "newsbeam", "live", "--config", f"{tmp_path}/live.yaml"]
        command += ["--to", f"sqlite:{tmp_path}/news.db", "--metrics-port", str(port)]
        with (tmp_path / "log").open("wb") as log:
            run = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            quiet = _Quiet(ledger, plan.lasting, seconds=5)  # longer than a reprint and the poll that finds it take
            until(lambda: run.poll() is not None or quiet(), 90)
            assert run.poll() is None, (tmp_path / "log").read_text()[-3000:]
            before = Ledger(ledger).account()
            until(lambda: sum(_outcomes(scraped(port)).values()) >= before.inputs)  # the bundle may not have ended
            seen = scraped(port)
        finally:
            run.send_signal(signal.SIGTERM)
            assert run.wait(30) == 0
    outcomes = counted(ledger, "SELECT outcome, count(*) FROM units WHERE outcome <> '' GROUP BY outcome")
    assert _outcomes(seen) == outcomes
    reasons = counted(ledger, "SELECT reason, count(*) FROM units WHERE outcome = 'dead_letter' GROUP BY reason")
    assert reasons == {"discover:connect": 1}
    assert seen["newsbeam_dead_letters_total", "connect", "discover"] == 1
    assert seen["newsbeam_inputs_total",] == before.inputs == sum(outcomes.values())
    assert seen["newsbeam_pages_total",] == seen["newsbeam_page_bytes_count",] == before.inputs - 1
    assert seen["newsbeam_page_bytes_sum",] > 200 * before.inputs
    assert seen["newsbeam_lines_removed_total",] == before.lines_removed
    assert seen["newsbeam_pending",] == 0
    assert seen["newsbeam_feeds", "healthy"] == plan.feeds
    assert seen["newsbeam_feeds", "failing"] == 1
    lags = Ledger(ledger).lags()
    assert seen["newsbeam_publication_lag_seconds_count",] == len(lags) > 0
    assert seen["newsbeam_publication_lag_seconds", "0.5"] == quantile(lags, 0.5)
    assert seen["newsbeam_sink_records_total", "inserted", "sqlite"] > 0
    assert seen["newsbeam_polls_total",] > plan.feeds
    assert seen["newsbeam_stage_seconds_total", "Clean"] > 0
    assert seen["process_resident_memory_bytes",] > 50e6


def _outcomes(seen: dict[tuple[str, ...], float]) -> dict[str, float]:
    return {key[1]: value for key, value in seen.items() if key[0] == "newsbeam_outcomes_total"}


class _Quiet:
    """Whether all stories were found and settled, and for some seconds nothing came to them."""

    def __init__(self, ledger: str, stories: int, seconds: float) -> None:
        self._ledger = ledger
        self._stories = stories
        self._seconds = seconds
        self._inputs = 0
        self._since = time.monotonic()

    def __call__(self) -> bool:
        if not Path(self._ledger).exists():
            return False
        try:
            account = Ledger(self._ledger).account()
        except sqlite3.OperationalError:
            return False  # being made at this moment
        if account.pending or account.inputs != self._inputs:
            self._inputs, self._since = account.inputs, time.monotonic()
        return account.inputs > self._stories and time.monotonic() - self._since > self._seconds


class _Scraping(BaseHTTPRequestHandler):
    """A receiver of webhooks that looks at the metrics of the run that calls it."""

    port = 0
    seen: dict[tuple[str, ...], float]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        _Scraping.seen = scraped(self.port)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_replay_serves_them_too(tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Scraping)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _Scraping.port = free_port()
    (tmp_path / "a.txt").write_text("The harbour bridge was opened on Monday.\n" * 5)
    command = [sys.executable, "-m", "newsbeam", "replay", f"{tmp_path}/a.txt", "--ledger", f"{tmp_path}/ledger.db"]
    command += ["--to", f"webhook+http://127.0.0.1:{server.server_port}/", "--metrics-port", str(_Scraping.port)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60).returncode == 0
    server.shutdown()
    server.server_close()
    assert _Scraping.seen["newsbeam_pending",] == 1, "read, and not yet in its sink"
    with pytest.raises(OSError, match="refused"):
        scraped(_Scraping.port)


def test_the_local_engine_knows_beams_metrics_while_it_runs_and_the_result_says_the_same() -> None:
    runner = FlowingRunner()
    pipeline = beam.Pipeline(runner=runner)
    pages = [Page(url=f"https://example.org/{n}", body=b"x" * n) for n in (10, 30, 20)]
    pipeline | beam.Create(pages) | CountPages()
    result = pipeline.run()
    live, told = runner.totals.read(), totals_of(result)
    assert live.counters == told.counters == {("newsbeam.pages", "pages"): 3}
    bytes_ = live.distributions["newsbeam.pages", "bytes"]
    assert bytes_ == told.distributions["newsbeam.pages", "bytes"]
    assert (bytes_.count, bytes_.sum, bytes_.least, bytes_.most) == (3, 60, 10, 30)


class _JobServer:
    """Answers as Prism does: with more each time it is asked."""

    def __init__(self) -> None:
        self.pages = 0

    def GetJobMetrics(self, request: object) -> beam_job_api_pb2.GetJobMetricsResponse:
        self.pages += 1
        key = ("newsbeam.pages", "pages")
        count = monitoring_infos.int64_user_counter(*key, self.pages, "Count pages")
        return beam_job_api_pb2.GetJobMetricsResponse(metrics=beam_job_api_pb2.MetricResults(attempted=[count]))


def test_a_job_server_is_asked_anew_each_time() -> None:
    result = PipelineResult(_JobServer(), "job", (), ())
    counts = [totals_of(result).counters["newsbeam.pages", "pages"] for _ in range(3)]
    assert counts == [1, 2, 3]
    assert result.metrics().query()["counters"][0].result == 4, "the account of the run's end is of its end"


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Path]:
    """A spool in which two records wait for a sink that is away, beside a ledger."""
    spool = tmp_path / "spool.db"
    news = [Article(id=f"n{n}", origin=Origin(unit=f"n{n}")) for n in range(2)]
    pipeline = beam.Pipeline(runner="FnApiRunner")
    pipeline | beam.Create(news) | WriteArticles(["webhook+http://127.0.0.1:1/"], DeadLetters(), spool=str(spool))
    pipeline.run()
    ledger = Ledger(f"{tmp_path}/ledger.db")
    ledger.create()
    ledger.note("run", ["n0", "n1"])
    ledger.settle("run", [Outcome("n0", "story"), Outcome("n1", "story")])
    return spool


def test_what_waits_for_a_sink_shows_in_status_and_metrics(away: Path, tmp_path: Path) -> None:
    ledger, port = f"{tmp_path}/ledger.db", free_port()
    shown = status(ledger)
    assert "spool                  2 records wait for sinks that are away" in shown
    assert "2 for webhook+http://127.0.0.1:1/" in shown
    with serve_metrics(Totals, "127.0.0.1", port, ledger, str(away)):
        assert scraped(port)["newsbeam_spool_waiting_records", "webhook+http://127.0.0.1:1/"] == 2
    elsewhere = away.rename(tmp_path / "elsewhere.db")
    assert "records wait" not in status(ledger)
    assert "2 for webhook+http://127.0.0.1:1/" in status(ledger, elsewhere)
    with pytest.raises(UsageError, match="no such spool"):
        status(ledger, away)


def test_a_lag_is_told_only_of_a_time_whose_zone_is_known() -> None:
    at_noon = 1_711_368_000.0  # 2024-03-25T12:00:00Z
    assert lag_seconds("2024-03-25T11:58:30Z", at_noon) == 90
    assert lag_seconds("2024-03-25T11:58Z", at_noon) == 120
    assert lag_seconds("2024-03-25T12:00:05Z", at_noon) == 0, "a clock that is ahead"
    for unknown in (None, "2024-03-25", "2024-03-25T11:58:30"):
        assert lag_seconds(unknown, at_noon) is None
