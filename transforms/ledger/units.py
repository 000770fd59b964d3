"""The account of inputs: which units were discovered and how each one ended.

A unit is noted when it is discovered and settled after the sinks have accepted the record it stands for. What is noted
and not settled is pending; what would be lost without a word shows here.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

from newsbeam.transforms.ledger.database import check_ledger, open_ledger, read_ledger_file
from newsbeam.transforms.model.records import Outcome
from newsbeam.transforms.runtime.database import write_transaction
from newsbeam.transforms.runtime.measures import INPUTS


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


class Ledger:
    """One ledger file. Every call is a transaction of its own, so that any number of processes can share it."""

    def __init__(self, file: str) -> None:
        self._file = file

    def create(self) -> None:
        """Makes the file and its tables where they are missing.

        Raises:
            LedgerError: it cannot be used or written; the message is one sentence.
        """
        check_ledger(self._file)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with closing(open_ledger(self._file)) as database, write_transaction(database):
            yield database

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with closing(read_ledger_file(self._file)) as database:
            yield database

    def note(self, run: str, units: Iterable[str]) -> None:
        """Notes units as discovered in `run`; noting one again changes nothing."""
        with self._writing() as database:
            database.executemany(
                "INSERT INTO units (unit, noted_in) VALUES (?, ?)"
                " ON CONFLICT (unit) DO UPDATE SET noted_in = excluded.noted_in",
                ((unit, run) for unit in units),
            )

    def settle(self, run: str, outcomes: Iterable[Outcome], now: float = 0.0) -> None:
        """Writes how units ended, at `now` (seconds since 1970); the last word counts."""
        with self._writing() as database:
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
        with self._reading() as database:
            rows = database.execute(
                "SELECT settled_at - strftime('%s', published_at) FROM units WHERE outcome IN ('story', 'revision')"
                " AND published_at LIKE '%Z' ORDER BY settled_at DESC LIMIT ?",
                (most,),
            )
            return sorted(lag for (lag,) in rows if lag is not None)

    def account(self, run: str = "") -> Account:
        """Adds up one run, or all that the ledger holds."""
        noted, settled = ("noted_in = :run", "settled_in = :run") if run else ("noted_in <> ''", "settled_in <> ''")
        with self._reading() as database:
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
        with self._reading() as database:
            rows = database.execute(
                "SELECT reason, count(*) FROM units WHERE settled_in = ? AND outcome = 'dead_letter'"
                " GROUP BY reason ORDER BY count(*) DESC, reason",
                (run,),
            )
            return dict(rows.fetchall())


def counted(counters: Mapping[str, int], lines_removed: int = 0) -> Account:
    """The account of a run that kept no ledger, from the counters of `measures.OUTCOMES`."""
    outcomes = {name: count for name, count in sorted(counters.items()) if name != INPUTS}
    missing = counters.get(INPUTS, 0) - sum(outcomes.values())
    return Account(counters.get(INPUTS, 0), outcomes, max(missing, 0), max(-missing, 0), lines_removed)
