"""The logs of stages with memory, kept in the ledger: what one live run learnt, the next one knows.

An entry may be written and its article still be pending when a run is killed. The next run works that article through
again under the same key, which is as good as once; so the logs need not wait for outcomes.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from newsbeam.transforms.ledger.database import open_ledger
from newsbeam.transforms.runtime.database import until_written, write_transaction


@dataclass(frozen=True)
class LedgerLogs:
    """A `LogStore` in a ledger file.

    Attributes:
        file: the ledger's.
        layout: what the logs depend on (the number of shards): logs of another layout are not read.
    """

    file: str
    layout: str

    def entries(self, stage: str, shard: int) -> Iterator[bytes]:
        with closing(open_ledger(self.file)) as database:
            rows = database.execute(
                "SELECT entry FROM logs WHERE stage = ? AND shard = ? ORDER BY number", (self._name(stage), shard)
            )
            for (entry,) in rows:
                yield entry

    def append(self, stage: str, shard: int, entries: Iterable[bytes], instead: bool) -> None:
        kept = list(entries)
        until_written(lambda: self._append(self._name(stage), shard, kept, instead))

    def _append(self, name: str, shard: int, entries: Sequence[bytes], instead: bool) -> None:
        with closing(open_ledger(self.file)) as database, write_transaction(database):
            (last,) = database.execute(
                "SELECT coalesce(max(number), 0) FROM logs WHERE stage = ? AND shard = ?", (name, shard)
            ).fetchone()
            if instead:
                database.execute("DELETE FROM logs WHERE stage = ? AND shard = ?", (name, shard))
            database.executemany(
                "INSERT INTO logs VALUES (?, ?, ?, ?)",
                ((name, shard, last + number, entry) for number, entry in enumerate(entries, 1)),
            )

    def _name(self, stage: str) -> str:
        return f"{stage} {self.layout}"
