"""What the shard of an outlet tells the other shards of an article."""

import struct
from typing import NamedTuple

import numpy as np

from newsbeam.transforms.duplicates.anchors import question
from newsbeam.transforms.duplicates.features import U64
from newsbeam.transforms.model.order import KEY
from newsbeam.transforms.runtime.memories import Sent

UNIQUE, REVISION, UNCHANGED = 0, 1, 2

_BASE = struct.Struct(f"<{KEY}sBHHI")
_SETTLED = struct.Struct(f"<{KEY}sBHH")


class Base(NamedTuple):
    """What is known of an article before it is compared."""

    key: bytes
    standing: int
    """`UNIQUE`, `REVISION` or `UNCHANGED`."""
    revision: int
    asked: int
    """How many anchor shards answer."""
    print: bytes

    def packed(self) -> bytes:
        return _BASE.pack(self.key, self.standing, self.revision, self.asked, len(self.print)) + self.print


def unpack_base(packed: bytes) -> Base:
    """The base that `packed` made."""
    key, standing, revision, asked, length = _BASE.unpack_from(packed)
    return Base(key, standing, revision, asked, packed[_BASE.size : _BASE.size + length])


def settled(key: bytes, standing: int, revision: int, asked: int) -> bytes:
    """Tells the verdict shard how many answers to wait for."""
    return _SETTLED.pack(key, standing, revision, asked)


def unpack_settled(packed: bytes) -> tuple[bytes, int, int, int]:
    """Key, standing, revision, number of sketch shards asked."""
    return _SETTLED.unpack_from(packed)


class Questions:
    """Gathers what the shards of anchors are asked in one go: one message a shard."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._keys: list[bytes] = []
        self._times: list[int] = []
        self._anchors: list[U64] = []

    def ask(self, key: bytes, time: int, anchors: U64) -> int:
        """Adds an article; returns how many shards will answer."""
        self._keys.append(key)
        self._times.append(time)
        self._anchors.append(anchors)
        return len(set((anchors % np.uint64(self._shards)).tolist()))

    def sent(self) -> list[Sent]:
        """The messages."""
        if not self._keys:
            return []
        anchors = np.concatenate(self._anchors)
        asking = np.repeat(np.arange(len(self._keys), dtype=np.uint32), [len(own) for own in self._anchors])
        shards = (anchors % np.uint64(self._shards)).astype(np.int64)
        sent = []
        for shard in np.unique(shards).tolist():
            mine = shards == shard
            asked, owners = np.unique(asking[mine], return_inverse=True)
            keys = b"".join([self._keys[i] for i in asked.tolist()])
            times = np.array([self._times[i] for i in asked.tolist()], np.int64)
            sent.append(Sent("anchors", shard, question(keys, times, owners.astype(np.uint32), anchors[mine])))
        return sent
