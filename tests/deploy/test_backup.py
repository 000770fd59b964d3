"""Backups are made while a run writes, and can be restored; nothing is lost if the ledger is older than the archive."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from deploy.backup import BackupError, back_up
from newsbeam.transforms.ledger.units import Ledger
from scripts.benchmarks.newsroom_run import compared, outcomes
from scripts.press.site import Temper
from tests.pipeline.test_live_command import PLAN, is_complete, live, stopped, wait_for
from tests.support.live_pipeline import newsroom
from tests.support.places import ROOT

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def database(file: Path, rows: int = 1) -> Path:
    with closing(sqlite3.connect(file)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE numbers (a INTEGER, b INTEGER)")
        made.executemany("INSERT INTO numbers VALUES (?, ?)", [(number, number) for number in range(rows)])
        made.commit()
    return file


def test_a_database_is_copied_whole_while_it_is_written(tmp_path: Path) -> None:
    source, done = database(tmp_path / "news.db", 20_000), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(source, timeout=30)) as writer:
            while not done.is_set():
                writer.execute("UPDATE numbers SET a = a + 1")
                writer.execute("UPDATE numbers SET b = b + 1")
                writer.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        folder = back_up([source], tmp_path / "backups", NOON)
    finally:
        done.set()
        writer.join()
    with closing(sqlite3.connect(folder / "news.db")) as copied:
        assert copied.execute("SELECT count(*), sum(a = b) FROM numbers").fetchone() == (20_000, 20_000)


def test_a_backup_that_fails_leaves_nothing_and_takes_nothing_away(tmp_path: Path) -> None:
    good = database(tmp_path / "ledger.db")
    kept = back_up([good], tmp_path / "backups", NOON, keep=1)
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    for bad in (tmp_path / "missing.db", tmp_path / "torn.db"):
        with pytest.raises(BackupError, match=bad.name):
            back_up([good, bad], tmp_path / "backups", NOON + timedelta(hours=1), keep=1)
    assert list((tmp_path / "backups").iterdir()) == [kept]


def test_only_the_newest_backups_are_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "backups/mine").mkdir(parents=True)
    for day in range(4):
        back_up([database(tmp_path / f"{day}.db")], tmp_path / "backups", NOON + timedelta(days=day), keep=2)
    names = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert names == ["20260303T120000Z", "20260304T120000Z", "mine"]


def test_the_command_says_where_the_backup_is_or_what_is_wrong(tmp_path: Path) -> None:
    def run(*names: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, str(ROOT / "deploy/backup.py"), "--to", "backups", *names]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    database(tmp_path / "ledger.db")
    done = run("ledger.db")
    assert done.returncode == 0
    assert (tmp_path / done.stdout.strip() / "ledger.db").is_file()
    done = run("ledger.db", "news.db")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "news.db: there is no such file\n")


def test_a_ledger_older_than_its_archive_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    ledger, archive = tmp_path / "ledger.db", tmp_path / "news.db"
    with newsroom(PLAN, Temper(slow=0.0, broken=0.0, flaky=0.0)) as site:
        with live(site, tmp_path, f"sqlite:{archive}") as process:
            wait_for(lambda: len([end for _, end, _ in outcomes(ledger) if end]) > 3, process)
            folder = back_up([ledger], tmp_path / "backups", NOON)
            settled = len([end for _, end, _ in outcomes(folder / "ledger.db") if end])
            wait_for(lambda: is_complete(site, tmp_path), process)
            stopped(process, signal.SIGTERM)
        complete = len([end for _, end, _ in outcomes(ledger) if end])
        assert settled < complete
        for file in tmp_path.glob("ledger.db*"):
            file.unlink()
        shutil.copy(folder / "ledger.db", ledger)
        with live(site, tmp_path, f"sqlite:{archive}") as process:
            wait_for(lambda: is_complete(site, tmp_path), process)
            stopped(process, signal.SIGTERM)
        truth = [*site.press.truth()]
    assert compared(truth, ledger, archive)[0] == Counter()
    assert Ledger(str(ledger)).account().adds_up
    with closing(sqlite3.connect(archive)) as read:
        (doubled,) = read.execute("SELECT count(*) - count(DISTINCT url) FROM articles").fetchone()
    assert doubled == 0
