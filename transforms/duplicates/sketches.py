"""The shard of sketches: is this a copy of that?"""

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

from newsbeam.transforms.duplicates.candidates import unpack_probe
from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.prints import unpack_print
from newsbeam.transforms.duplicates.similarity import Verdict, verdict, with_credit
from newsbeam.transforms.model.order import KEY, id_of, id_shard, micros_of
from newsbeam.transforms.runtime.memories import Sent, Work, pack, unpack

_HOUR = 3_600_000_000
_VOTE = struct.Struct(f"<{KEY}sBBd{KEY}sHdI?")


class SketchMemory:
    """Holds the print of every article within the horizon, as the bytes it came in."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config
        self._horizon = round(config.horizon_hours * 3_600_000_000)
        self._prints: dict[bytes, bytes] = {}
        self._newest = 0
        self._bytes_of_hour: Counter[int] = Counter()

    def replay(self, entry: bytes) -> None:
        for packed in unpack(entry):
            self._learn(packed)

    def _learn(self, packed: bytes) -> None:
        key = packed[:KEY]
        if key not in self._prints:
            self._bytes_of_hour[micros_of(key) // _HOUR] += len(packed) + 4
        self._prints[key] = packed
        self._newest = max(self._newest, micros_of(key))

    def work(self, messages: Sequence[bytes]) -> Work:
        prints = sorted(message[1:] for message in messages if message[:1] == b"P")
        for packed in prints:
            self._learn(packed)
        sent: list[Sent] = []
        waiting: list[bytes] = []
        for message in sorted(message for message in messages if message[:1] == b"Q"):
            candidates, packed = unpack_probe(message)
            key = packed[:KEY]
            # One that is not here and could not have been forgotten is still on its way.
            if any(one not in self._prints and micros_of(one) >= self._oldest() for one in candidates):
                waiting.append(message)
                continue
            best = self._compare(packed, candidates)
            sent.append(Sent("verdicts", id_shard(id_of(key), self._config.shards), vote(key, best)))
        return Work(sent=sent, learnt=pack(prints) if prints else b"", waiting=waiting)

    def _compare(self, packed: bytes, candidates: Sequence[bytes]) -> Optional[Verdict]:
        later = unpack_print(packed)
        prints = [self._prints[candidate] for candidate in candidates if candidate in self._prints]
        verdicts = [verdict(later, unpack_print(earlier), self._config) for earlier in prints]
        return with_credit(min((found for found in verdicts if found is not None), default=None), verdicts)

    def live_bytes(self) -> int:
        oldest = self._oldest() // _HOUR
        return sum(size for hour, size in self._bytes_of_hour.items() if hour >= oldest)

    def _oldest(self) -> int:
        return self._newest - self._horizon

    def compacted(self) -> Iterable[bytes]:
        alive = sorted(key for key in self._prints if micros_of(key) >= self._oldest())
        self._prints = {key: self._prints[key] for key in alive}
        self._bytes_of_hour = Counter()
        for key, packed in self._prints.items():
            self._bytes_of_hour[micros_of(key) // _HOUR] += len(packed) + 4
        for i in range(0, len(alive), 1024):
            yield pack([self._prints[key] for key in alive[i : i + 1024]])


def vote(key: bytes, best: Optional[Verdict]) -> bytes:
    """What one shard of sketches says of an article; also if it has nothing to say."""
    if best is None:
        return b"V" + _VOTE.pack(key, 0, 0, 0.0, bytes(KEY), 0, 0.0, 0, False)
    return b"V" + _VOTE.pack(key, 1, *best)


def unpack_vote(packed: bytes) -> tuple[bytes, Optional[Verdict]]:
    """The article and the verdict on it."""
    key, is_copy, *rest = _VOTE.unpack_from(packed, 1)
    return key, Verdict._make(rest) if is_copy else None


@dataclass(frozen=True)
class Sketches:
    """Makes the memory of each shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> SketchMemory:
        return SketchMemory(self.config)
