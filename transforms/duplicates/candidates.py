"""The shard where an article waits for the answers about its anchors, and then asks those it may be a copy of."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from newsbeam.transforms.duplicates.anchors import unpack_answers
from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.messages import Base, settled, unpack_base
from newsbeam.transforms.duplicates.prints import unpack_print
from newsbeam.transforms.model.order import KEY, id_of, id_shard
from newsbeam.transforms.runtime.memories import Sent, Work


@dataclass
class _Asked:
    bases: list[Base] = field(default_factory=list)
    answers: int = 0
    found: Counter[bytes] = field(default_factory=Counter)


class CandidateMemory:
    """Counts answers; never goes by a timer. What is incomplete waits."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config

    def replay(self, entry: bytes) -> None:
        raise AssertionError("this memory learns nothing")

    def work(self, messages: Sequence[bytes]) -> Work:
        asked: dict[bytes, _Asked] = {}
        for message in messages:
            if message[:1] == b"B":
                base = unpack_base(message[1:])
                asked.setdefault(base.key, _Asked()).bases.append(base)
                continue
            for key, found in unpack_answers(message[1:]):
                one = asked.setdefault(key, _Asked())
                one.answers += 1
                for candidate, shared in found:
                    one.found[candidate] += shared
        sent: list[Sent] = []
        waiting: list[bytes] = []
        for key in sorted(asked):
            one = asked[key]
            expected = sum(base.asked for base in one.bases)
            if one.bases and one.answers >= expected:
                self._probe(key, one, sent)
            else:
                waiting.extend(b"B" + base.packed() for base in one.bases)
                waiting.extend(partial_answers(key, one.answers, one.found))
        return Work(sent=sent, waiting=waiting)

    def _probe(self, key: bytes, one: _Asked, sent: list[Sent]) -> None:
        base = one.bases[0]
        bound = unpack_print(base.print).bound
        home = id_shard(id_of(key), self._config.shards)
        earlier = [candidate for candidate in one.found if candidate < bound]
        # Those that share most, of these the newest; the order is total, so the choice is one.
        earlier.sort(key=lambda candidate: (one.found[candidate], candidate), reverse=True)
        shards: dict[int, list[bytes]] = {}
        for candidate in earlier[: self._config.compared]:
            shards.setdefault(id_shard(id_of(candidate), self._config.shards), []).append(candidate)
        for base in one.bases:
            sent.append(Sent("verdicts", home, b"S" + settled(key, base.standing, base.revision, len(shards))))
            for shard in sorted(shards):
                sent.append(Sent("sketches", shard, probe(shards[shard], base.print)))

    def live_bytes(self) -> int:
        return 0

    def compacted(self) -> Iterable[bytes]:
        return ()


def partial_answers(key: bytes, answers: int, found: Counter[bytes]) -> list[bytes]:
    """Answers that came before the others, put back as if they came again."""
    if not answers:
        return []
    one = (1).to_bytes(4, "little")
    listed = sorted(found)
    whole = one + key + len(listed).to_bytes(4, "little")
    whole += np.array([found[candidate] for candidate in listed], np.uint16).tobytes() + b"".join(listed)
    empty = one + key + (0).to_bytes(4, "little")
    return [b"A" + whole, *[b"A" + empty] * (answers - 1)]


def probe(candidates: Sequence[bytes], packed_print: bytes) -> bytes:
    """Asks a shard of sketches to compare a print with those of `candidates`."""
    return b"Q" + len(candidates).to_bytes(2, "little") + b"".join(candidates) + packed_print


def unpack_probe(packed: bytes) -> tuple[list[bytes], bytes]:
    """The candidates and the packed print."""
    count = int.from_bytes(packed[1:3], "little")
    return [packed[3 + i * KEY : 3 + i * KEY + KEY] for i in range(count)], packed[3 + count * KEY :]


@dataclass(frozen=True)
class Candidates:
    """Makes the memory of each shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> CandidateMemory:
        return CandidateMemory(self.config)
