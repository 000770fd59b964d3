"""The ledger: which input units were discovered and how each one ended, in SQLite beside the output.

A unit is noted when it is discovered and settled after the sinks have accepted the record it stands for. What is noted
and not settled is pending; what would be lost without a word shows here.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.pvalue import PCollection

from newsbeam.transforms.model.records import DeadLetter, Outcome, Page
from newsbeam.transforms.model.units import Unit
from newsbeam.transforms.runtime.measures import INPUTS, count_input, count_outcome
from newsbeam.transforms.runtime.stopping import pause, stop_requested

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS units (
    unit TEXT PRIMARY KEY,
    noted_in TEXT NOT NULL DEFAULT '',
    settled_in TEXT NOT NULL DEFAULT '',
    outcome TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    url TEXT NOT NULL DEFAULT '',
    article_id TEXT NOT NULL DEFAULT '',
    of TEXT NOT NULL DEFAULT '',
    lines_removed INTEGER NOT NULL DEFAULT 0,
    published_at TEXT,
    settled_at REAL
);
CREATE INDEX IF NOT EXISTS units_by_run ON units (noted_in, settled_in, outcome);
"""
_WAIT_SECONDS = 60.0
FLUSH_ROWS = 500

_LONGEST_PAUSE_S = 30.0
_PASSING = (5, 6, 8, 10, 13, 14)
"""https://www.sqlite.org/rescode.html: BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN."""
_log = logging.getLogger(__name__)
R = TypeVar("R")


@dataclass(frozen=True)
class Account:
    """How the units of one run ended."""

    inputs: int
    outcomes: dict[str, int]
    """Number of units by outcome."""
    pending: int
    """Noted, not settled: lost, or still under way."""
    unknown: int
    """Settled, never noted: doubled, or invented."""
    lines_removed: int

    @property
    def adds_up(self) -> bool:
        """Whether every input has exactly one outcome."""
        return self.pending == 0 and self.unknown == 0 and self.inputs == sum(self.outcomes.values())


def connect(file: str, wait_seconds: float = _WAIT_SECONDS) -> sqlite3.Connection:
    """The ledger's file, for whatever table; another writer is waited for."""
    database = sqlite3.connect(file, timeout=wait_seconds)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    return database


def until_written(write: Callable[[], R]) -> R:
    """What `write` returns, once it can: while the disk is full or the file locked, it is waited and tried again.

    Raises:
        sqlite3.OperationalError: the run is to stop, or waiting would not help. What was not written is still pending.
    """
    wait_s = 0.5
    while True:
        try:
            return write()
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", _PASSING[0])  # not told before Python 3.11
            if stop_requested() or code & 0xFF not in _PASSING:
                raise
            _log.warning("the ledger cannot be written (%s): next try in %.1f s", error, wait_s)
            pause(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_PAUSE_S)


class Ledger:
    """One ledger file. Every call is a transaction of its own, so that any number of processes can share it."""

    def __init__(self, file: str) -> None:
        self._file = file

    def create(self) -> None:
        """Makes the file and its tables where they are missing.

        Raises:
            ValueError: the file was written by a newer newsbeam.
        """
        Path(self._file).parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise ValueError(
                    f"{self._file}: written by a newer newsbeam (version {version}; this one knows {SCHEMA_VERSION})"
                )
            database.executescript(_SCHEMA)
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(connect(self._file)) as database, database:
            yield database

    def note(self, run: str, units: Iterable[str]) -> None:
        """Notes units as discovered in `run`; noting one again changes nothing."""
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO units (unit, noted_in) VALUES (?, ?)"
                " ON CONFLICT (unit) DO UPDATE SET noted_in = excluded.noted_in",
                ((unit, run) for unit in units),
            )

    def settle(self, run: str, outcomes: Iterable[Outcome], now: float = 0.0) -> None:
        """Writes how units ended, at `now` (seconds since 1970); the last word counts."""
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO units (unit, settled_in, outcome, reason, url, article_id, of, lines_removed,"
                " published_at, settled_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (unit) DO UPDATE SET"
                " settled_in = excluded.settled_in, outcome = excluded.outcome, reason = excluded.reason,"
                " url = excluded.url, article_id = excluded.article_id, of = excluded.of,"
                " lines_removed = excluded.lines_removed, published_at = excluded.published_at,"
                " settled_at = excluded.settled_at",
                (
                    (o.unit, run, o.outcome, o.reason, o.url, o.article_id, o.of, o.lines_removed, o.published_at, now)
                    for o in outcomes
                ),
            )

    def lags(self, most: int = 10_000) -> list[float]:
        """Seconds from publication to the sinks, sorted, of the last stories whose publication has a time and zone."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT settled_at - strftime('%s', published_at) FROM units WHERE outcome IN ('story', 'revision')"
                " AND published_at LIKE '%Z' ORDER BY settled_at DESC LIMIT ?",
                (most,),
            )
            return sorted(lag for (lag,) in rows if lag is not None)

    def account(self, run: str = "") -> Account:
        """Adds up one run, or all that the ledger holds."""
        noted, settled = ("noted_in = :run", "settled_in = :run") if run else ("noted_in <> ''", "settled_in <> ''")
        with self._transaction() as database:
            outcomes = dict(
                database.execute(
                    f"SELECT outcome, count(*) FROM units WHERE {settled} GROUP BY outcome ORDER BY outcome",  # noqa: S608 - ours
                    {"run": run},
                ).fetchall()
            )
            inputs, pending, unknown, lines = database.execute(
                f"SELECT coalesce(sum({noted}), 0), coalesce(sum({noted} AND NOT {settled}), 0),"  # noqa: S608 - ours
                f" coalesce(sum({settled} AND NOT {noted}), 0),"
                f" coalesce(sum(iif({settled}, lines_removed, 0)), 0) FROM units WHERE {noted} OR {settled}",
                {"run": run},
            ).fetchone()
        return Account(inputs, outcomes, pending, unknown, lines)

    def dead_letter_reasons(self, run: str) -> dict[str, int]:
        """Number of dead letters of one run by reason, commonest first."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT reason, count(*) FROM units WHERE settled_in = ? AND outcome = 'dead_letter'"
                " GROUP BY reason ORDER BY count(*) DESC, reason",
                (run,),
            )
            return dict(rows.fetchall())


def unit_of(record: Page | Unit | DeadLetter) -> str:
    """The ledger's name of the input that a record stands for."""
    return record.unit if isinstance(record, DeadLetter) else record.origin.unit


class _WriteBatches(beam.DoFn):
    """Writes elements to the ledger, a batch a transaction, and counts them."""

    def __init__(self, file: str, run: str) -> None:
        self._file = file
        self._run = run
        self._batch: list[Any] = []

    def start_bundle(self) -> None:
        self._batch = []

    def process(self, element: Any) -> None:
        self._count(element)
        if self._file:
            self._batch.append(self._kept(element))
            if len(self._batch) >= FLUSH_ROWS:
                self.finish_bundle()

    def finish_bundle(self) -> None:
        if self._batch:
            until_written(lambda: self._write(Ledger(self._file), self._batch))
            self._batch = []

    def _count(self, element: Any) -> None:
        raise NotImplementedError

    def _kept(self, element: Any) -> Any:
        """What the batch keeps of an element."""
        return element

    def _write(self, ledger: Ledger, batch: list[Any]) -> None:
        raise NotImplementedError


class _Note(_WriteBatches):
    def _count(self, element: Page | Unit | DeadLetter) -> None:
        count_input()

    def _kept(self, element: Page | Unit | DeadLetter) -> str:
        return unit_of(element)  # and not the page: hundreds of them are a hundred megabytes

    def _write(self, ledger: Ledger, batch: list[str]) -> None:
        ledger.note(self._run, batch)


class _Settle(_WriteBatches):
    def _count(self, element: Outcome) -> None:
        count_outcome(element, time.time())

    def _write(self, ledger: Ledger, batch: list[Outcome]) -> None:
        ledger.settle(self._run, batch, time.time())


class NoteUnits(beam.PTransform[PCollection[Any], PCollection[None]]):
    """Notes the unit of every page or dead letter as discovered; without a ledger's file it only counts them."""

    def __init__(self, file: str, run: str) -> None:
        super().__init__()
        self._writer = _Note(file, run)

    def expand(self, records: PCollection[Any]) -> PCollection[None]:
        return records | "To ledger" >> beam.ParDo(self._writer)


class SettleOutcomes(beam.PTransform[PCollection[Outcome], PCollection[None]]):
    """Writes how units ended; without a ledger's file it only counts."""

    def __init__(self, file: str, run: str) -> None:
        super().__init__()
        self._writer = _Settle(file, run)

    def expand(self, outcomes: PCollection[Outcome]) -> PCollection[None]:
        return outcomes | "To ledger" >> beam.ParDo(self._writer)


def counted(counters: Mapping[str, int], lines_removed: int = 0) -> Account:
    """The account of a run that kept no ledger, from the counters of `measures.OUTCOMES`."""
    outcomes = {name: count for name, count in sorted(counters.items()) if name != INPUTS}
    missing = counters.get(INPUTS, 0) - sum(outcomes.values())
    return Account(counters.get(INPUTS, 0), outcomes, max(missing, 0), max(-missing, 0), lines_removed)
