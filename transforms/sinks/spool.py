"""What a sink could not take while it was away, on the disk of this machine: the other sinks go on meanwhile.

For local runs. A spool is one SQLite file, for all sinks and processes of a run and for the next run: what it holds is
durable, so that the outcome of a record may be told once it is here. It is bounded: when it is full, the sink is waited
for after all.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Optional, Union

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import Rejected, SinkAway
from newsbeam.transforms.model.records import Article, DeadLetter
from newsbeam.transforms.model.serialization import DEAD_LETTER_FIELDS, article_from_json, to_json
from newsbeam.transforms.runtime.backoff import backoff
from newsbeam.transforms.runtime.database import open_database, open_read_only, write_transaction
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts
from newsbeam.transforms.sinks.uri import open_sink

SPOOL_BYTES = 1_000_000_000
DRAINED_AT_ONCE = 500
DRAINED_CHARS = 8_000_000
TRIED_AT_FIRST = 10
"""Records that a sink is asked to take after it was away: little is read in vain while it still is."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0

_TABLES = """
CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY, sink TEXT NOT NULL, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS waiting_by_sink ON waiting (sink, number);
CREATE TABLE IF NOT EXISTS refused (number INTEGER PRIMARY KEY, sink TEXT NOT NULL, reason TEXT, record TEXT NOT NULL);
"""

_log = logging.getLogger(__name__)


class SpoolingSink:
    """A sink that is never away until the spool is full. What waits goes first, in its order.

    Args:
        sink: the real one.
        name: of the sink in the spool: the same in the next run.
        path: the spool.
        limit_bytes: of text that may wait, for all sinks together.
        clock: seconds; a test's own.
    """

    def __init__(
        self,
        sink: Sink,
        name: str,
        path: Path,
        limit_bytes: int = SPOOL_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink = sink
        self._name = name
        self._path = path
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._spool: Optional[sqlite3.Connection] = None
        self._is_open = False
        self._next_try = 0.0
        self._failures = 0

    def open(self) -> None:
        try:
            self._spool = open_database(self._path, synchronous="FULL")
            self._spool.executescript(_TABLES)
        except sqlite3.OperationalError as error:
            raise SinkAway(f"{self._path}: {error}") from error

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        if self._spool is None:
            raise RuntimeError("open() comes before write()")
        if self._clock() >= self._next_try:
            try:
                counts = self._drain(self._spool)
                return counts + self._write(batch)
            except SinkAway as error:
                _log.warning("%s is away (%s); what comes waits in %s", self._name, str(error), self._path)
                self._is_open = False
                self._sink.close()
                self._failures += 1
                self._next_try = self._clock() + backoff(self._failures, FIRST_WAIT_S, LONGEST_WAIT_S)
        try:
            self._keep(self._spool, batch)
        except sqlite3.OperationalError as error:
            raise SinkAway(f"{self._path}: {error}") from error
        return WriteCounts()

    def close(self) -> None:
        self._is_open = False
        self._sink.close()
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def drain(self) -> WriteCounts:
        """Writes all that waits, now. Raises `SinkAway`: what is left waits on."""
        if self._spool is None:
            raise RuntimeError("open() comes before drain()")
        return self._drain(self._spool)

    def _write(self, batch: Sequence[Record]) -> WriteCounts:
        if not self._is_open:
            self._sink.open()
            self._is_open = True
        counts = self._sink.write(batch)
        self._failures = 0
        return counts

    def _keep(self, spool: sqlite3.Connection, batch: Sequence[Record]) -> None:
        lines = [to_json(record) for record in batch]
        held = spool.execute("SELECT coalesce(sum(length(record)), 0) FROM waiting").fetchone()[0]
        if held + sum(map(len, lines)) > self._limit_bytes:
            raise SinkAway(f"{self._name} is away, and {self._path} is full ({held} characters wait)")
        with write_transaction(spool):
            rows = [(self._name, line) for line in lines]
            spool.executemany("INSERT INTO waiting (sink, record) VALUES (?, ?)", rows)

    def _drain(self, spool: sqlite3.Connection) -> WriteCounts:
        counts = WriteCounts()
        most = TRIED_AT_FIRST
        while rows := self._first(spool, most):
            counts += self._drain_some(spool, rows)
            most = DRAINED_AT_ONCE
        return counts

    def _first(self, spool: sqlite3.Connection, most: int) -> list[tuple[int, str]]:
        rows: list[tuple[int, str]] = []
        size = 0
        query = "SELECT number, record FROM waiting WHERE sink = ? ORDER BY number LIMIT ?"
        for number, record in spool.execute(query, (self._name, most)):
            rows.append((number, record))
            size += len(record)
            if size >= DRAINED_CHARS:
                break
        return rows

    def _drain_some(self, spool: sqlite3.Connection, rows: Sequence[tuple[int, str]]) -> WriteCounts:
        try:
            counts = self._write([_record(line) for _, line in rows])
        except Rejected as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                return self._drain_some(spool, rows[:middle]) + self._drain_some(spool, rows[middle:])
            _log.error("%s will never take a record that waited; it is kept in %s: %s", self._name, self._path, error)
            keep = "INSERT INTO refused (sink, reason, record) VALUES (?, ?, ?)"
            spool.execute(keep, (self._name, error.message, rows[0][1]))
            counts = WriteCounts()
        # after the sink has them: a crash in between writes them twice, which every sink stands
        spool.executemany("DELETE FROM waiting WHERE number = ?", [(number,) for number, _ in rows])
        return counts


def _record(line: str) -> Record:
    values = json.loads(line)
    if "id" in values:
        article: Article = article_from_json(line)
        return article
    return DeadLetter(**{name: values[name] for name in DEAD_LETTER_FIELDS if name in values})


def drain_spool(uri: Union[str, Address], path: Path, live: bool = False) -> WriteCounts:
    """Tries once more, at the end of a run, to write what waits for the sink `uri`; what it does not take waits for the
    next run."""
    name = str(Address.of(uri))
    if name not in waiting(path):
        return WriteCounts()
    sink = SpoolingSink(open_sink(uri, live=live), name, path)
    try:
        sink.open()
        return sink.drain()
    except SinkAway as error:
        _log.warning("%s is away (%s); what is for it waits in %s for the next run", name, str(error), path)
        return WriteCounts()
    finally:
        sink.close()


def waiting(path: Path) -> dict[str, int]:
    """How many records wait for each sink."""
    if not path.exists():
        return {}
    with closing(open_read_only(path)) as spool:
        try:
            return dict(spool.execute("SELECT sink, count(*) FROM waiting GROUP BY sink ORDER BY sink"))
        except sqlite3.OperationalError:  # being made at this moment
            return {}
