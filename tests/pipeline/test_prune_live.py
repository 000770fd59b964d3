"""What `newsbeam prune` takes out of a ledger is not found anew by the next live run."""

import re
import signal
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

from newsbeam.pipeline.cli.prune import prune
from scripts.benchmarks.newsroom_run import outcomes
from scripts.press.site import Temper
from tests.pipeline.test_live_command import PLAN, is_complete, live, stopped, wait_for
from tests.support.live_pipeline import newsroom


def polls(ledger: Path) -> int:
    from newsbeam.pipeline.metrics.ledger_state import read_ledger

    return sum(feed.polls for feed in read_ledger(str(ledger)).feeds)


def test_entries_that_feeds_still_list_are_not_told_again_after_their_inputs_were_pruned(tmp_path: Path) -> None:
    ledger, archive = tmp_path / "ledger.db", tmp_path / "news.db"
    with newsroom(PLAN, Temper(slow=0.0, broken=0.0, flaky=0.0)) as site:
        with live(site, tmp_path, f"sqlite:{archive}") as process:
            wait_for(lambda: is_complete(site, tmp_path), process)
            stopped(process, signal.SIGTERM)
        with closing(sqlite3.connect(archive)) as read:
            before = read.execute("SELECT id, revision FROM articles ORDER BY id").fetchall()
        (_, pruned) = prune(
            f"sqlite:{archive}", str(ledger), timedelta(0), None, False, datetime(2000, 1, 1, tzinfo=timezone.utc)
        )
        assert pruned.rows == {"inputs": 0}, "nothing is that old"
        later = datetime.now(timezone.utc) + timedelta(seconds=1)
        pruned = prune("sqlite:nowhere.db", str(ledger), timedelta(0), None, False, later)[0]
        assert pruned.rows["inputs"] > 0
        assert outcomes(ledger) == []
        polled = polls(ledger)
        with live(site, tmp_path, f"sqlite:{archive}") as process:
            wait_for(lambda: polls(ledger) >= polled + 2 * PLAN.feeds, process)
            told = stopped(process, signal.SIGTERM)
    assert outcomes(ledger) == []
    assert not re.search(r"story [1-9]", told)
    with closing(sqlite3.connect(archive)) as read:
        assert read.execute("SELECT id, revision FROM articles ORDER BY id").fetchall() == before
