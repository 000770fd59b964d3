"""A small memory for tests of shards: it counts visits by name."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from newsbeam.transforms.runtime.memories import Sent, Work, shard_of
from newsbeam.transforms.runtime.shards import ShardLine, ShardStage


class Visit(NamedTuple):
    time: int
    name: str


class VisitMemory:
    """Counts the visits of each name."""

    def __init__(self, next_stage: str = "", fills: int = 0) -> None:
        self.next = next_stage
        self.counts: dict[str, int] = {}
        self.padding = b" " * fills

    def replay(self, entry: bytes) -> None:
        for word in entry.decode().split():
            name, count = word.split("=")
            self.counts[name] = int(count)

    def work(self, messages: Sequence[bytes]) -> Work:
        visits = sorted(Visit(int(t), n) for t, n in (m.decode().split(":") for m in messages))
        results = []
        learnt = []
        for visit in visits:
            self.counts[visit.name] = self.counts.get(visit.name, 0) + 1
            learnt.append(f"{visit.name}={self.counts[visit.name]}")
            results.append((visit.name, visit.time, self.counts[visit.name]))
        sent = [Sent(self.next, 0, f"{visit.time}:all".encode()) for visit in visits if self.next]
        return Work(sent, () if self.next else results, " ".join(learnt).encode() + self.padding)

    def live_bytes(self) -> int:
        return 10 * len(self.counts)

    def compacted(self) -> Iterable[bytes]:
        yield " ".join(f"{n}={c}" for n, c in sorted(self.counts.items())).encode()


@dataclass(frozen=True)
class Visits:
    next_stage: str = ""
    fills: int = 0

    def __call__(self, shard: int) -> VisitMemory:
        return VisitMemory(self.next_stage, self.fills)


@dataclass(frozen=True)
class ByName:
    shards: int
    first: str

    def __call__(self, visit: Visit) -> Iterator[Sent]:
        yield Sent(self.first, shard_of(visit.name.encode(), self.shards), f"{visit.time}:{visit.name}".encode())


def counting(count: int, *names: str, grain: float = 1000.0, store: Any = None) -> ShardLine:
    stages = [ShardStage(name, Visits(after)) for name, after in zip(names, [*names[1:], ""], strict=True)]
    return ShardLine(ByName(count, names[0]), stages, tuple[str, int, int], grain, store)
