"""What a live run remembers of messages: in the ledger for local runs.

A message is noted before it is handed on, and its offset is committed to the broker only when the ledger has its
outcome. Killed in between, the next run reads it again from the broker, under the same unit and the moment at which it
was first seen: what has an outcome by then is passed over, what has none is worked through again.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from newsbeam.transforms.ledger.database import open_ledger
from newsbeam.transforms.runtime.database import write_transaction

_WAIT_S = 10.0


class QueueMemory(Protocol):
    """What is known of messages. Picklable until it is first used."""

    def note(self, units: Sequence[str], seen_at: str) -> Mapping[str, str]:
        """Makes messages known, durably; those that have no outcome yet, with when each was first seen.

        Raises:
            sqlite3.OperationalError: not now; nothing was noted.
        """

    def settled(self, units: Iterable[str]) -> set[str]:
        """Those that have their outcome."""


@dataclass(frozen=True)
class LedgerQueueMemory:
    """The memory of local runs: a table beside the ledger's units.

    Attributes:
        file: the ledger's.
        run: the run's name in it.
    """

    file: str
    run: str

    def note(self, units: Sequence[str], seen_at: str) -> Mapping[str, str]:
        with closing(open_ledger(self.file, _WAIT_S)) as database, write_transaction(database):
            database.executemany(
                "INSERT INTO units (unit, noted_in) VALUES (?, ?) ON CONFLICT (unit) DO UPDATE"
                " SET noted_in = excluded.noted_in WHERE units.noted_in = ''",
                ((unit, self.run) for unit in units),
            )
            database.executemany(
                "INSERT INTO messages (unit, seen_at) SELECT unit, ? FROM units WHERE unit = ? AND settled_in = ''"
                " ON CONFLICT (unit) DO NOTHING",
                ((seen_at, unit) for unit in units),
            )
            rows = database.execute(
                "SELECT m.unit, m.seen_at FROM json_each(?) j JOIN messages m ON m.unit = j.value"
                " JOIN units u ON u.unit = m.unit WHERE u.settled_in = ''",
                (json.dumps(list(units)),),
            )
            return dict(rows.fetchall())

    def settled(self, units: Iterable[str]) -> set[str]:
        with closing(open_ledger(self.file, _WAIT_S)) as database:
            rows = database.execute(
                "SELECT u.unit FROM json_each(?) j JOIN units u ON u.unit = j.value WHERE u.settled_in <> ''",
                (json.dumps(list(units)),),
            )
            done = {unit for (unit,) in rows}
            if done:
                with write_transaction(database):
                    database.executemany("DELETE FROM messages WHERE unit = ?", ((unit,) for unit in sorted(done)))
            return done
