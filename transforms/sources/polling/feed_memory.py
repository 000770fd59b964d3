"""Where what is known of feeds survives the process: in the ledger for local runs, in the runner's state on a cluster.

Why nothing is lost: an entry is written down as pending, with all that the feed said of it, in the same transaction as
the state of the feed that says it has been seen. Killed before it, the next run polls the feed with the old validators
and finds the entry again; killed after it, the next run takes the pending entries up where they stand. Why nothing is
doubled: an entry's unit is made of what it is, so that finding it twice is writing it once, and only an entry whose
unit was not there before is handed on.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, Union

from newsbeam.transforms.ledger.database import open_ledger
from newsbeam.transforms.model.records import DeadLetter, Entry
from newsbeam.transforms.runtime.database import until_written, write_transaction
from newsbeam.transforms.sources.polling.feed_shard import Discovery, Settled

_SWEEP_EVERY = 200


Found = Union[Discovery, DeadLetter]
"""What a poll finds: entries, and what became of feeds and entries that failed."""


class FeedMemory(Protocol):
    """What a run knows of feeds from before, and what it leaves to the next."""

    def states(self) -> Mapping[str, bytes]:
        """Packed state by feed URL."""

    def known(self, feed_url: str) -> bytes:
        """What a feed has brought (`sources.polling.known_entries`)."""

    def pending(self) -> Sequence[Found]:
        """What was found and has no outcome yet, oldest first."""

    def save(self, settled: Sequence[Settled]) -> Sequence[Found]:
        """Makes what polls came to durable, all of it or nothing; answers with what is new."""


class MemoryFactory(Protocol):
    """Makes the memory on the worker. Picklable."""

    def open(self) -> FeedMemory:
        """The memory of this process."""


class LedgerFeedMemory:
    """The memory of local runs: three tables in the ledger's file.

    Args:
        file: the ledger's.
        run: the run's name in it.
    """

    def __init__(self, file: str, run: str) -> None:
        self._database = open_ledger(file)
        self._run = run
        self._saves = 0

    def states(self) -> Mapping[str, bytes]:
        return dict(self._database.execute("SELECT feed_url, state FROM feeds"))

    def known(self, feed_url: str) -> bytes:
        row = self._database.execute("SELECT known FROM feeds WHERE feed_url = ?", (feed_url,)).fetchone()
        return bytes(row[0]) if row else b""

    def pending(self) -> Sequence[Found]:
        rows = self._database.execute(
            "SELECT e.unit, e.seen_at, e.payload FROM entries e JOIN units u ON u.unit = e.unit"
            " WHERE u.settled_in = '' ORDER BY e.seen_at, e.unit"
        )
        return [_found(*row) for row in rows]

    def save(self, settled: Sequence[Settled]) -> Sequence[Found]:
        """Waits for as long as the disk is full or the file is locked, unless the run is to stop."""
        return until_written(lambda: self._save(settled))

    def _save(self, settled: Sequence[Settled]) -> Sequence[Found]:
        database = self._database
        with write_transaction(database):
            fresh = self._note(_found_in(settled))
            database.executemany(
                "INSERT INTO feeds (feed_url, state, known) VALUES (?, ?, coalesce(?, x''))"
                " ON CONFLICT (feed_url) DO UPDATE SET state = excluded.state, known = coalesce(?, known)",
                [(one.feed_url, one.state, one.known, one.known) for one in settled],
            )
            self._saves += 1
            if self._saves % _SWEEP_EVERY == 0:
                database.execute(
                    "DELETE FROM entries WHERE unit IN (SELECT e.unit FROM entries e JOIN units u ON u.unit = e.unit"
                    " WHERE u.settled_in <> '')"
                )
        return fresh

    def _note(self, found: Iterable[Found]) -> list[Found]:
        fresh = []
        for one in found:
            noted = self._database.execute(
                "INSERT INTO units (unit, noted_in) VALUES (?, ?) ON CONFLICT (unit) DO NOTHING",
                (one.unit, self._run),
            )
            if noted.rowcount:
                fresh.append(one)
                seen_at = one.seen_at if isinstance(one, Discovery) else one.first_failed_at or ""
                self._database.execute(
                    "INSERT OR REPLACE INTO entries (unit, seen_at, payload) VALUES (?, ?, ?)",
                    (one.unit, seen_at, _payload(one)),
                )
        return fresh


@dataclasses.dataclass(frozen=True)
class LedgerMemory:
    """Makes the `LedgerFeedMemory` of a run."""

    file: str
    run: str

    def open(self) -> FeedMemory:
        return LedgerFeedMemory(self.file, self.run)


class ShardMemory:
    """The memory of one shard on a cluster: a snapshot that the runner keeps."""

    def __init__(self, snapshot: bytes = b"") -> None:
        self._feeds: dict[str, tuple[bytes, bytes]] = {}
        if snapshot:
            for feed_url, state, known in json.loads(snapshot):
                self._feeds[feed_url] = (bytes.fromhex(state), bytes.fromhex(known))

    def states(self) -> Mapping[str, bytes]:
        return {feed_url: state for feed_url, (state, _) in self._feeds.items()}

    def known(self, feed_url: str) -> bytes:
        return self._feeds.get(feed_url, (b"", b""))[1]

    def pending(self) -> Sequence[Found]:
        return ()  # what was handed on is in the state of the stages behind

    def save(self, settled: Sequence[Settled]) -> Sequence[Found]:
        for one in settled:
            known = self.known(one.feed_url) if one.known is None else one.known
            self._feeds[one.feed_url] = (one.state, known)
        return list(_found_in(settled))

    def snapshot(self) -> bytes:
        """Everything, for the runner to keep."""
        return json.dumps([[url, state.hex(), known.hex()] for url, (state, known) in self._feeds.items()]).encode()


def _found_in(settled: Sequence[Settled]) -> Iterator[Found]:
    for one in settled:
        yield from one.discoveries
        yield from one.letters


def _payload(found: Found) -> str:
    if isinstance(found, DeadLetter):
        return json.dumps({"letter": dataclasses.asdict(found)})
    return json.dumps({"entry": dataclasses.asdict(found.entry), "edited": found.edited})


def _found(unit: str, seen_at: str, payload: str) -> Found:
    read = json.loads(payload)
    if "letter" in read:
        return DeadLetter(**read["letter"])
    entry: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in read["entry"].items()}
    return Discovery(unit, Entry(**entry), seen_at, read["edited"])
