"""An index from hashes to the articles that have them, newest first: packed, and searched a batch at a time."""

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from newsbeam.transforms.duplicates.features import U32, U64

I64 = npt.NDArray[np.int64]

_PACKED = struct.Struct("<III")


class _Run(NamedTuple):
    """Part of the index: hashes ascending, each with the numbers of the articles that have it, ascending too."""

    hashes: U64
    articles: U32


class Index:
    """A few sorted runs that grow like those of a log-structured merge tree (O'Neil et al. 1996).

    Articles are numbered in the order in which they are added, which is their order in time. A hash that
    everybody has keeps only its newest articles, and what is older than the horizon goes.

    Args:
        most: articles that are ever asked for, of one hash.
        horizon: in microseconds.
    """

    def __init__(self, most: int, horizon: int) -> None:
        self._most = most
        self._horizon = horizon
        self._times = np.zeros(1024, np.int64)
        self._runs: list[_Run] = []
        self.count = 0

    def add(self, times: I64, hashes: U64, owners: U32) -> None:
        """Adds articles seen at `times` (microseconds); `owners` tells for each hash whose it is, counted from the
        first of these articles."""
        need = self.count + times.size
        if need > self._times.size:
            self._times = np.concatenate([self._times, np.zeros(need, np.int64)])
        # What comes late counts as seen when it came.
        latest = self._times[self.count - 1] if self.count else np.iinfo(np.int64).min
        self._times[self.count : need] = np.maximum.accumulate(np.maximum(times, latest))
        numbers = (owners + np.uint32(self.count)).astype(np.uint32)
        order = np.lexsort((numbers, hashes))
        self._runs.append(_Run(hashes[order], numbers[order]))
        self.count = need
        while len(self._runs) > 1 and self._runs[-2].hashes.size < 2 * self._runs[-1].hashes.size:
            self._merge()

    def oldest(self) -> int:
        """The number of the first article within the horizon of the newest."""
        if not self.count:
            return 0
        return int(np.searchsorted(self._times[: self.count], self._times[self.count - 1] - self._horizon))

    def _merge(self) -> None:
        newer, older = self._runs.pop(), self._runs.pop()
        hashes = np.concatenate([older.hashes, newer.hashes])
        articles = np.concatenate([older.articles, newer.articles])
        alive = articles >= self.oldest()
        hashes, articles = hashes[alive], articles[alive]
        order = np.argsort(hashes, kind="stable")  # each run is in order, so articles stay so
        hashes, articles = hashes[order], articles[order]
        limit = 2 * self._most
        if hashes.size > limit:
            crowded = np.zeros(hashes.size, np.bool_)
            crowded[:-limit] = hashes[:-limit] == hashes[limit:]
            hashes, articles = hashes[~crowded], articles[~crowded]
        self._runs.append(_Run(hashes, articles))

    def earlier(self, hashes: U64, owners: U32) -> tuple[I64, I64]:
        """For articles that are about to be added: who had their hashes before, in the index or among them.

        Returns pairs, unordered: the position in `hashes`, and the number of an earlier article; the `most` newest of
        each hash.
        """
        batch = np.lexsort((owners, hashes))
        sought, own = hashes[batch], owners[batch].astype(np.int64) + self.count
        room = np.full(sought.size, self._most, np.int64)
        position = np.arange(sought.size)
        asked: list[I64] = []
        found: list[I64] = []

        def collect(end: I64, there: I64, articles: I64 | U32) -> None:
            taken = np.minimum(there, room)
            offsets = np.arange(int(taken.sum())) - np.repeat(np.cumsum(taken) - taken, taken)
            asked.append(np.repeat(batch, taken))
            found.append(articles[np.repeat(end - taken, taken) + offsets].astype(np.int64))
            np.subtract(room, taken, out=room)

        collect(position, position - np.searchsorted(sought, sought, "left"), own)
        for run in reversed(self._runs):
            end = np.searchsorted(run.hashes, sought, "right")
            collect(end, end - np.searchsorted(run.hashes, sought, "left"), run.articles)
        return np.concatenate(asked), np.concatenate(found)

    def times_with(self, added: I64) -> I64:
        """When articles were seen, by their numbers; those that are about to be added, too."""
        return np.concatenate([self._times[: self.count], added])

    def size(self) -> int:
        """Hashes held."""
        return sum(run.hashes.size for run in self._runs)

    def compact(self) -> I64:
        """Merges all runs and numbers the articles that are left anew; returns their old numbers."""
        while len(self._runs) > 1:
            self._merge()
        if self._runs and self._runs[0].articles.size:
            alive = self._runs[0].articles >= self.oldest()
            self._runs = [_Run(self._runs[0].hashes[alive], self._runs[0].articles[alive])]
        numbers = np.arange(self.oldest(), self.count)
        self._runs = [
            _Run(run.hashes, (run.articles - np.uint32(self.oldest())).astype(np.uint32)) for run in self._runs
        ]
        self._times, self.count = self._times[numbers], numbers.size
        return numbers

    def packed(self) -> bytes:
        """The index, after `compact`."""
        hashes = self._runs[0].hashes if self._runs else np.zeros(0, np.uint64)
        articles = self._runs[0].articles if self._runs else np.zeros(0, np.uint32)
        return pack_hashes(self._times[: self.count], hashes, articles)


def pack_hashes(times: I64, hashes: U64, owners: U32) -> bytes:
    """What `Index.add` takes."""
    return _PACKED.pack(times.size, hashes.size, 0) + hashes.tobytes() + times.tobytes() + owners.tobytes()


def unpack_hashes(packed: bytes) -> tuple[I64, U64, U32, bytes]:
    """Times, hashes, owners, and what comes after."""
    articles, count, _ = _PACKED.unpack_from(packed)
    at = _PACKED.size
    hashes = np.frombuffer(packed, np.uint64, count, at)
    times = np.frombuffer(packed, np.int64, articles, at + 8 * count)
    at += 8 * count + 8 * articles
    return times, hashes, np.frombuffer(packed, np.uint32, count, at), packed[at + 4 * count :]
