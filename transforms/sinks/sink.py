"""What a sink is: small, and safe to write the same record to twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Union

from newsbeam.transforms.model.records import Article, DeadLetter

Record = Union[Article, DeadLetter]


@dataclass(frozen=True)
class WriteCounts:
    """What a sink did with the records it was given, where it can tell."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: "WriteCounts") -> "WriteCounts":
        return WriteCounts(
            self.inserted + other.inserted, self.updated + other.updated, self.unchanged + other.unchanged
        )


class Sink(Protocol):
    """One place that records go to. Made and used by one worker, never pickled."""

    def open(self) -> None:
        """Connects. Raises `SinkAway` if it cannot now; is then called again."""

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        """Stores the batch durably, idempotent by `id` and `revision` (dead letters: by what failed where).

        Raises:
            SinkAway: try the whole batch again later; `open` is called first.
            Rejected: this sink will never take a record of the batch.
        """

    def close(self) -> None:
        """Lets go of what `open` took. Is also called after a failure, and more than once."""
