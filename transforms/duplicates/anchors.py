"""The shard of anchors: who had this anchor before?"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.features import U32, U64
from newsbeam.transforms.duplicates.index import I64, Index, pack_hashes, unpack_hashes
from newsbeam.transforms.model.order import ID_AT, KEY
from newsbeam.transforms.runtime.memories import Sent, Work

_KEYS = np.dtype(f"V{KEY}")
_Keys = npt.NDArray[np.void]
_ANSWER = struct.Struct("<I")


def question(keys: bytes, times: I64, owners: U32, anchors: U64) -> bytes:
    """For a shard of anchors: keys and event times (microseconds) of articles, and for each anchor whose it is.

    What is asked is what is learnt: this is an entry of the log, too.
    """
    return pack_hashes(times, anchors, owners) + keys


class AnchorMemory:
    """Remembers which articles had an anchor, with their keys and times: 12 bytes an anchor, 46 an article."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config
        self._horizon = round(config.horizon_hours * 3_600_000_000)
        self._index = Index(config.candidates, self._horizon)
        self._keys = np.zeros(1024, _KEYS)
        self._times = np.zeros(1024, np.int64)

    def replay(self, entry: bytes) -> None:
        times, anchors, owners, keys = unpack_hashes(entry)
        self._add(np.frombuffer(keys, _KEYS), times, owners, anchors)

    def _add(self, keys: _Keys, times: I64, owners: U32, anchors: U64) -> None:
        first, need = self._index.count, self._index.count + keys.size
        if need > self._keys.size:
            self._keys = np.concatenate([self._keys, np.zeros(need, _KEYS)])
            self._times = np.concatenate([self._times, np.zeros(need, np.int64)])
        self._keys[first:need] = keys
        self._times[first:need] = times
        self._index.add(_micros(keys), anchors, owners)

    def work(self, messages: Sequence[bytes]) -> Work:
        questions = [unpack_hashes(message) for message in messages]
        keys = np.frombuffer(b"".join([own[3] for own in questions]), _KEYS)
        times = np.concatenate([own[0] for own in questions])
        anchors = np.concatenate([own[1] for own in questions])
        starts = np.cumsum([0, *(own[0].size for own in questions)])
        owners = np.concatenate([own[2] + np.uint32(start) for own, start in zip(questions, starts, strict=False)])
        listed = keys.tolist()
        order = sorted(range(len(listed)), key=listed.__getitem__)
        position = np.empty(len(listed), np.uint32)
        position[order] = np.arange(len(listed), dtype=np.uint32)
        keys, times, owners = keys[order], times[order], position[owners]
        asked, found = self._index.earlier(anchors, owners)
        self._add(keys, times, owners, anchors)
        asking = owners[asked].astype(np.int64)
        near = np.abs(self._times[found] - times[asking]) <= self._horizon
        near &= self._keys[found] != keys[asking]  # itself, as an earlier run has learnt it
        pairs, counts = np.unique(asking[near] << 32 | found[near], return_counts=True)
        return Work(
            sent=self._replies(keys, pairs >> 32, pairs & 0xFFFFFFFF, counts),
            learnt=question(keys.tobytes(), times, owners, anchors),
        )

    def _replies(self, keys: _Keys, asking: I64, found: I64, counts: I64) -> list[Sent]:
        """For each shard of candidates one message that answers all its askers, also those to whom there is nothing to
        say: they count the answers."""
        shards = _id_shards(keys, self._config.shards)
        each = np.bincount(asking, minlength=keys.size)
        sent = []
        for shard in np.unique(shards).tolist():
            own = np.flatnonzero(shards == shard)
            mine = shards[asking] == shard
            body = (
                keys[own].tobytes(),
                each[own].astype(np.uint32).tobytes(),
                counts[mine].astype(np.uint16).tobytes(),
                self._keys[found[mine]].tobytes(),
            )
            sent.append(Sent("candidates", shard, b"A" + _ANSWER.pack(own.size) + b"".join(body)))
        return sent

    def live_bytes(self) -> int:
        alive = self._index.count - self._index.oldest()
        return alive * (KEY + 8) + 12 * self._index.size() * alive // max(self._index.count, 1)

    def compacted(self) -> Iterable[bytes]:
        numbers = self._index.compact()
        self._keys, self._times = self._keys[numbers], self._times[numbers]
        _, hashes, owners, _ = unpack_hashes(self._index.packed())
        yield question(self._keys.tobytes(), self._times, owners, hashes)


def unpack_answers(packed: bytes) -> list[tuple[bytes, list[tuple[bytes, int]]]]:
    """For each asker its key and the earlier articles: key, and number of anchors shared."""
    (askers,) = _ANSWER.unpack_from(packed)
    at = _ANSWER.size
    keys = [packed[at + i * KEY : at + i * KEY + KEY] for i in range(askers)]
    at += askers * KEY
    each = np.frombuffer(packed, np.uint32, askers, at).tolist()
    at += 4 * askers
    total = sum(each)
    counts = np.frombuffer(packed, np.uint16, total, at).tolist()
    at += 2 * total
    answers = []
    done = 0
    for key, number in zip(keys, each, strict=True):
        found = [(packed[at + i * KEY : at + i * KEY + KEY], counts[i]) for i in range(done, done + number)]
        answers.append((key, found))
        done += number
    return answers


def _micros(keys: _Keys) -> I64:
    columns = np.ascontiguousarray(keys.view(np.uint8).reshape(-1, KEY)[:, :8])
    return (columns.view(">u8").ravel().astype(np.uint64) - np.uint64(1 << 62)).astype(np.int64)


def _id_shards(keys: _Keys, shards: int) -> I64:
    columns = np.ascontiguousarray(keys.view(np.uint8).reshape(-1, KEY)[:, ID_AT : ID_AT + 4])
    return columns.view("<u4").ravel().astype(np.int64) % shards


@dataclass(frozen=True)
class Anchors:
    """Makes the memory of each shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> AnchorMemory:
        return AnchorMemory(self.config)
