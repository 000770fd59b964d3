"""`stdout:`: articles as JSON lines on standard output. For local runs: a worker of a cluster has no screen."""

import sys
from collections.abc import Sequence

from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.serialization import to_json
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts


class StdoutSink:
    """Writes articles, in the order they come. Dead letters go to the other sinks and the closing table."""

    def open(self) -> None:
        pass

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        lines = [to_json(record) + "\n" for record in batch if isinstance(record, Article)]
        sys.stdout.buffer.write("".join(lines).encode())
        sys.stdout.buffer.flush()
        return WriteCounts(inserted=len(lines))

    def close(self) -> None:
        pass


def make(target: str, *, live: bool) -> Sink:
    """See `table.SinkModule`."""
    return StdoutSink()


def check(target: str) -> None:
    """There is nothing that could be wrong."""


def finalize(target: str) -> WriteCounts:
    """Nothing is left to do: every batch was complete when it was written."""
    return WriteCounts()
