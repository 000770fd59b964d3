"""What one shard of a stage remembers, and how it talks to others: all that such a stage has to know. Knows nothing of
Beam; `runtime.shards` gives memories a place to live.
"""

import hashlib
import itertools
import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

_COUNT = struct.Struct("<I")


class Sent(NamedTuple):
    """A message to a shard of a stage further down the line."""

    to: str
    """The name of the stage."""
    shard: int
    message: bytes


class Work(NamedTuple):
    """What came of one go."""

    sent: Sequence[Sent] = ()
    results: Sequence[Any] = ()
    """What leaves the line; only its last stage has some."""
    learnt: bytes = b""
    """One entry for the log; empty where there is nothing to remember."""
    waiting: Sequence[bytes] = ()
    """Messages put back: they come again with the next go."""


class Memory(Protocol):
    """What one shard knows. Equal logs must make equal memories: no clock, no chance, no order of arrival."""

    def replay(self, entry: bytes) -> None:
        """Learns one entry of the log again. Entries come in their order, each once."""

    def work(self, messages: Sequence[bytes]) -> Work:
        """Works through the messages of one grain of time, which come in no order: sorting is its part."""

    def live_bytes(self) -> int:
        """About how long the log would be if only what is still within the horizon were in it."""

    def compacted(self) -> Iterable[bytes]:
        """The entries of such a log."""


class LogStore(Protocol):
    """Where the logs of local runs are kept, so that the next run knows what this one learnt. On a cluster the runner's
    own state is durable. Picklable; opened on the worker."""

    def entries(self, stage: str, shard: int) -> Iterable[bytes]:
        """The log of one shard of a stage, oldest entry first."""

    def append(self, stage: str, shard: int, entries: Iterable[bytes], instead: bool) -> None:
        """Adds to a log, durably; `instead` of all that is there if the log was compacted."""


def shard_of(key: bytes, shards: int) -> int:
    """The shard of `key`, the same in every process."""
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") % shards


def pack(messages: Sequence[bytes]) -> bytes:
    """Many messages as one: their number, their lengths, their bytes."""
    lengths = struct.pack(f"<I{len(messages)}I", len(messages), *map(len, messages))
    return lengths + b"".join(messages)


def unpack(packed: bytes) -> list[bytes]:
    """The messages that `pack` put together."""
    (count,) = _COUNT.unpack_from(packed)
    ends = itertools.accumulate(struct.unpack_from(f"<{count}I", packed, 4), initial=4 + 4 * count)
    return [packed[start:end] for start, end in itertools.pairwise(ends)]
