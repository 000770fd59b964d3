"""What a host prints again and again leaves its articles while they stream by; see `site_memory` for the judgement."""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

import apache_beam as beam
from apache_beam.pvalue import PCollection

from newsbeam.transforms.boilerplate.site_memory import (
    HORIZON_HOURS,
    Printed,
    SiteMemory,
    drop_repeats,
    printed,
    unpack_printed,
)
from newsbeam.transforms.model.identity import order_time
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.runtime.memories import LogStore, Sent, Work, shard_of
from newsbeam.transforms.runtime.shards import ShardLine, ShardStage


@dataclass(frozen=True)
class SiteConfig:
    """Settings of `StripSiteRepeats`."""

    shards: int = 4
    """1-8 on one machine, 64-1024 on a cluster; fixed for the life of a job."""
    horizon_hours: float = HORIZON_HOURS
    """How long a line is remembered."""
    grain_seconds: float = 1.0
    """How much event time is worked through together."""


def message(article: Article) -> bytes:
    """The signature of an article's lines, and the article itself."""
    return printed(article, round(order_time(article) * 1_000_000)).packed() + pickle.dumps(article, -1)


def _unpacked(packed: bytes) -> tuple[Printed, bytes]:
    one = unpack_printed(packed)
    return one, packed[len(one.packed()) :]


class SiteShard:
    """The memory of a shard of hosts. Articles travel with their signature, and come out judged: nobody waits."""

    def __init__(self, config: SiteConfig) -> None:
        self._memory = SiteMemory(config.horizon_hours)

    def replay(self, entry: bytes) -> None:
        self._memory.replay(entry)

    def work(self, messages: Sequence[bytes]) -> Work:
        results = []
        learnt = []
        for one, packed in sorted(map(_unpacked, messages)):
            article = pickle.loads(packed)  # noqa: S301 - packed by `message`
            if article.domain:  # pages of no known host have nothing in common
                article = drop_repeats(article, self._memory.read(one))
                learnt.append(one.packed())
            results.append(article)
        self._memory.forget()
        return Work(results=results, learnt=b"".join(learnt))

    def live_bytes(self) -> int:
        return self._memory.live_bytes()

    def compacted(self) -> Iterable[bytes]:
        return self._memory.compacted()


@dataclass(frozen=True)
class SiteShards:
    """Makes the memory of each shard."""

    config: SiteConfig

    def __call__(self, shard: int) -> SiteShard:
        return SiteShard(self.config)


@dataclass(frozen=True)
class Address:
    """Gives the message to send for an article: to the shard of its host."""

    shards: int

    def __call__(self, article: Article) -> Iterator[Sent]:
        yield Sent("sites", shard_of((article.domain or article.id).encode(), self.shards), message(article))


class StripSiteRepeats(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Takes out of each article the lines that earlier, different articles of its host have.

    Args:
        config: horizon and number of shards; the defaults are those of one machine.
        store: of what is learnt, so that the next run knows it; None where the runner's state is durable.
    """

    def __init__(self, config: Optional[SiteConfig] = None, store: Optional[LogStore] = None) -> None:
        super().__init__()
        self._config = config or SiteConfig()
        self._store = store

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        config = self._config
        stages = [ShardStage("sites", SiteShards(config))]
        return articles | "Repeats" >> ShardLine(
            Address(config.shards), stages, Article, config.grain_seconds, store=self._store
        )
