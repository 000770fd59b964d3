"""The shard of anchors: who had this anchor before?"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.duplicates.config import DuplicatesConfig
from transforms.duplicates.features import U32, U64
from transforms.duplicates.outlets import question, unpack_question
from transforms.order import ID_AT, KEY
from transforms.shards import Sent, Work

_KEYS = np.dtype(f"V{KEY}")
_ANSWER = struct.Struct("<I")


class _Run(NamedTuple):
    """Part of the index: anchors ascending, each with the numbers of the articles that have it, ascending too."""

    anchors: U64
    articles: U32


class AnchorMemory:
    """An index from anchors to articles, as a few sorted runs that grow like those of a log-structured merge tree.

    Articles are numbered in their order. Per article and anchor it holds 12 bytes; an anchor that everybody has keeps
    only its newest articles.
    """

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config
        self._horizon = round(config.horizon_hours * 3_600_000_000)
        self._keys = np.zeros(1024, _KEYS)
        self._times = np.zeros(1024, np.int64)
        self._count = 0
        self._runs: list[_Run] = []

    def replay(self, entry: bytes) -> None:
        keys, times, whose, anchors = unpack_question(entry)
        self._add(np.frombuffer(keys, _KEYS), times, whose, anchors)

    def _add(self, keys: npt.NDArray[np.void], times: npt.NDArray[np.int64], whose: U32, anchors: U64) -> None:
        """Articles come in their order, and none twice in one call."""
        if self._count and keys.size and keys[0].tobytes() <= self._keys[self._count - 1].tobytes():
            known = set(self._keys[: self._count].tolist())
            if all(key in known for key in keys.tolist()):
                return
        need = self._count + keys.size
        if need > self._keys.size:
            self._keys = np.concatenate([self._keys, np.zeros(need, _KEYS)])
            self._times = np.concatenate([self._times, np.zeros(need, np.int64)])
        self._keys[self._count : need] = keys
        self._times[self._count : need] = times
        numbers = (whose + np.uint32(self._count)).astype(np.uint32)
        order = np.lexsort((numbers, anchors))
        self._runs.append(_Run(anchors[order], numbers[order]))
        self._count = need
        while len(self._runs) > 1 and self._runs[-2].anchors.size < 2 * self._runs[-1].anchors.size:
            self._merge()

    def _merge(self) -> None:
        newer, older = self._runs.pop(), self._runs.pop()
        anchors = np.concatenate([older.anchors, newer.anchors])
        articles = np.concatenate([older.articles, newer.articles])
        alive = articles >= self._oldest()
        anchors, articles = anchors[alive], articles[alive]
        order = np.argsort(anchors, kind="stable")  # each run is in order, so articles stay so
        anchors, articles = anchors[order], articles[order]
        # Beyond twice what is ever answered, an anchor forgets its oldest.
        limit = 2 * self._config.candidates
        if anchors.size > limit:
            crowded = np.zeros(anchors.size, np.bool_)
            crowded[:-limit] = anchors[:-limit] == anchors[limit:]
            anchors, articles = anchors[~crowded], articles[~crowded]
        self._runs.append(_Run(anchors, articles))

    def work(self, messages: Sequence[bytes]) -> Work:
        questions = [unpack_question(message) for message in messages]
        keys = np.frombuffer(b"".join([own[0] for own in questions]), _KEYS)
        starts = np.cumsum([0, *(len(own[0]) // KEY for own in questions)])
        whose = np.concatenate([own[2] + np.uint32(start) for own, start in zip(questions, starts, strict=False)])
        times = np.concatenate([own[1] for own in questions])
        anchors = np.concatenate([own[3] for own in questions])
        listed = keys.tolist()
        order = sorted(range(len(listed)), key=listed.__getitem__)
        place = np.empty(len(listed), np.uint32)
        place[order] = np.arange(len(listed), dtype=np.uint32)
        keys, times, whose = keys[order], times[order], place[whose]
        asks, answers, counts = self._answer(keys, times, whose, anchors)
        return Work(self._replies(keys, asks, answers, counts), learnt=question(keys.tobytes(), times, whose, anchors))

    def _answer(
        self, keys: npt.NDArray[np.void], times: npt.NDArray[np.int64], whose: U32, anchors: U64
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Learns the articles, and gives for each pair of an asker and an earlier article how many anchors they share.

        Askers are numbered as in `keys`, earlier articles as in the index.
        """
        before, runs = self._count, list(self._runs)
        batch = np.lexsort((whose, anchors))
        mine, own = anchors[batch], whose[batch].astype(np.int64)
        # Within the batch: those before it in the run of its anchor.
        position = np.arange(mine.size)
        start = np.searchsorted(mine, mine, "left")
        room = np.full(mine.size, self._config.candidates, np.int64)
        askers: list[npt.NDArray[np.int64]] = []
        found: list[npt.NDArray[np.int64]] = []
        taken = np.minimum(position - start, room)
        self._collect(own, position - taken, taken, own + before, askers, found)
        room -= taken
        for run in reversed(runs):
            if not room.any():
                break
            end = np.searchsorted(run.anchors, mine, "right")
            taken = np.minimum(end - np.searchsorted(run.anchors, mine, "left"), room)
            self._collect(own, end - taken, taken, run.articles, askers, found)
            room -= taken
        self._add(keys, times, whose, anchors)
        asking, earlier = np.concatenate(askers), np.concatenate(found)
        near = np.abs(self._times[earlier] - times[asking]) <= self._horizon
        pairs, counts = np.unique(asking[near] << 32 | earlier[near], return_counts=True)
        return pairs >> 32, pairs & 0xFFFFFFFF, counts

    @staticmethod
    def _collect(
        own: npt.NDArray[np.int64],
        start: npt.NDArray[np.int64],
        taken: npt.NDArray[np.int64],
        articles: npt.NDArray[np.int64] | U32,
        askers: list[npt.NDArray[np.int64]],
        found: list[npt.NDArray[np.int64]],
    ) -> None:
        """Adds a pair for each of the `taken` articles from `start` on."""
        total = int(taken.sum())
        offsets = np.arange(total) - np.repeat(np.cumsum(taken) - taken, taken)
        askers.append(np.repeat(own, taken))
        found.append(articles[np.repeat(start, taken) + offsets].astype(np.int64))

    def _replies(
        self,
        keys: npt.NDArray[np.void],
        asks: npt.NDArray[np.int64],
        answers: npt.NDArray[np.int64],
        counts: npt.NDArray[np.int64],
    ) -> list[Sent]:
        """For each shard of candidates one message that answers all its askers, also those to whom there is nothing to
        say: they count the answers."""
        shards = _id_shards(keys, self._config.shards)
        each = np.bincount(asks, minlength=keys.size)
        sent = []
        for shard in np.unique(shards).tolist():
            own = np.flatnonzero(shards == shard)
            mine = shards[asks] == shard
            body = (
                keys[own].tobytes(),
                each[own].astype(np.uint32).tobytes(),
                counts[mine].astype(np.uint16).tobytes(),
                self._keys[answers[mine]].tobytes(),
            )
            sent.append(Sent("candidates", shard, b"A" + _ANSWER.pack(own.size) + b"".join(body)))
        return sent

    def live_bytes(self) -> int:
        if not self._count:
            return 0
        alive = self._count - self._oldest()
        return alive * (KEY + 8) + 12 * sum(run.anchors.size for run in self._runs) * alive // self._count

    def _oldest(self) -> int:
        """The number of the first article that is not forgotten."""
        seen = _micros(self._keys[: self._count])
        return int(np.searchsorted(seen, seen[-1] - self._horizon))

    def compacted(self) -> Iterable[bytes]:
        while len(self._runs) > 1:
            self._merge()
        if not self._runs:
            return
        run = self._runs[0]
        numbers, whose = np.unique(run.articles, return_inverse=True)
        keys = self._keys[numbers]
        self._keys, self._times, self._count = keys.copy(), self._times[numbers], numbers.size
        self._runs = [_Run(run.anchors, whose.astype(np.uint32))]
        yield question(keys.tobytes(), self._times, self._runs[0].articles, run.anchors)


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


def _micros(keys: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    columns = keys.view(np.uint8).reshape(-1, KEY)[:, :8]
    big = np.ascontiguousarray(columns).view(">u8").ravel().astype(np.uint64)
    return (big - np.uint64(1 << 62)).astype(np.int64)


def _id_shards(keys: npt.NDArray[np.void], shards: int) -> npt.NDArray[np.int64]:
    columns = keys.view(np.uint8).reshape(-1, KEY)[:, ID_AT : ID_AT + 4]
    return np.ascontiguousarray(columns).view("<u4").ravel().astype(np.int64) % shards


@dataclass(frozen=True)
class Anchors:
    """Makes the memory of each shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> AnchorMemory:
        return AnchorMemory(self.config)
