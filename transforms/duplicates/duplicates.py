"""Marks copies and revisions while the articles stream by."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Optional

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from newsbeam.transforms.duplicates.anchors import Anchors
from newsbeam.transforms.duplicates.candidates import Candidates
from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.credits import credited_names, own_names
from newsbeam.transforms.duplicates.features import TOGETHER, Features, features_of
from newsbeam.transforms.duplicates.outlets import Outlets
from newsbeam.transforms.duplicates.prints import Sighting
from newsbeam.transforms.duplicates.similarity import FEWEST_WORDS
from newsbeam.transforms.duplicates.sketches import Sketches
from newsbeam.transforms.duplicates.survivors import Survivors
from newsbeam.transforms.duplicates.verdicts import Verdicts, awaiting
from newsbeam.transforms.model.identity import event_time
from newsbeam.transforms.model.order import article_key, id_of, id_shard
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.runtime.memories import LogStore, Sent, shard_of
from newsbeam.transforms.runtime.shards import ShardLine, ShardStage

LOG_FORMAT = 2
_NOBODY = np.zeros(0, np.uint32)


class Seen(NamedTuple):
    """An article and what the shards are told of it."""

    article: Article
    sighting: Sighting


def see(articles: Sequence[Article], credited: bool = False) -> list[Seen]:
    """What the shards are told of articles that `identify` has seen.

    Args:
        articles: in any order.
        credited: whether anybody asks for whom they credit.
    """
    seen = features_of([article.text for article in articles])
    short = [i for i, own in enumerate(seen) if own.words < FEWEST_WORDS]
    # "Subscribe to read on" under two titles is two articles.
    titled = features_of([f"{articles[i].title}\n{articles[i].text}" for i in short])
    for i, with_title in zip(short, titled, strict=True):
        seen[i] = seen[i]._replace(exact=with_title.exact)
    return [Seen(article, _sighting(article, own, credited)) for article, own in zip(articles, seen, strict=True)]


def _sighting(article: Article, own: Features, credited: bool) -> Sighting:
    outlet = outlet_of(article)
    return Sighting(
        key=article_key(article),
        time=round(event_time(article) * 1_000_000),
        content=bytes.fromhex(article.content_hash),
        by_content=not article.url_canonical and not (article.guid and article.feed_url),
        from_feed=bool(article.origin.from_feed),
        outlet=int.from_bytes(hashlib.blake2b(outlet.encode(), digest_size=8).digest(), "little") if outlet else 0,
        features=own,
        names=own_names(article) if credited else _NOBODY,
        credits=credited_names(article) if credited else _NOBODY,
    )


def outlet_of(article: Article) -> str:
    """Whose boilerplate it is: the host, else the publisher."""
    return article.domain or article.publisher or article.origin.publisher


@dataclass(frozen=True)
class Address:
    """Gives the messages to send for one article: to the shard of its outlet, and to the one where it waits."""

    config: DuplicatesConfig

    def __call__(self, seen: Seen) -> Iterator[Sent]:
        article, told = seen
        shards = self.config.shards
        # All articles of one id are of one outlet, or have none: the shard of the outlet knows them all.
        outlet = outlet_of(article)
        at = shard_of(outlet.encode(), shards) if outlet else id_shard(id_of(told.key), shards)
        yield Sent("outlets", at, told.packed())
        yield Sent("verdicts", id_shard(id_of(told.key), shards), awaiting(told.key, article))


class _See(beam.DoFn):
    """Looks at several articles at once: in a bundle, but no more than are taken together."""

    def __init__(self, credited: bool) -> None:
        self._credited = credited

    def start_bundle(self) -> None:
        self._waiting: list[tuple[Article, Timestamp]] = []

    def process(self, article: Article, timestamp: Timestamp = beam.DoFn.TimestampParam) -> Iterator[WindowedValue]:
        self._waiting.append((article, timestamp))
        if len(self._waiting) == TOGETHER:
            yield from self.finish_bundle()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        waiting, self._waiting = self._waiting, []
        for seen, (_, timestamp) in zip(see([article for article, _ in waiting], self._credited), waiting, strict=True):
            yield WindowedValue(seen, timestamp, (GlobalWindow(),))


def stages(config: DuplicatesConfig) -> list[ShardStage]:
    """The shard stages in their order."""
    return [
        ShardStage("outlets", Outlets(config), LOG_FORMAT),
        ShardStage("anchors", Anchors(config), LOG_FORMAT),
        ShardStage("candidates", Candidates(config), LOG_FORMAT),
        ShardStage("sketches", Sketches(config), LOG_FORMAT),
        ShardStage("verdicts", Verdicts(config), LOG_FORMAT),
        *([] if config.survivor == "first" else [ShardStage("survivors", Survivors(config))]),
    ]


class MarkDuplicates(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Gives each article its `duplicate_kind`, `duplicate_of`, `duplicate_score`, `revision` and `wire_agency`.

    Every article comes out exactly once, whatever it is: `unique`; `revision` (new content at a known address, or by
    the policy `survivor` a better copy); `unchanged` (nothing new at a known address); or a copy of an earlier article:
    `exact`, `near`, `syndicated` (near, and credited to a wire agency) or `excerpt`. What is earlier goes by the total
    order of inputs (`model.order`), whatever the order of arrival, and `duplicate_of` always names an article that
    is earlier: there are no circles, and the first of a group always stays. Copies are looked for within the horizon of
    event times; articles whose time nobody knows are one moment, before all others, and so copies of each other only.

    Args:
        config: thresholds, horizon and number of shards; the defaults are those of one machine.
        store: of what is learnt, so that the next run knows it; None where the runner's state is durable.
    """

    def __init__(self, config: Optional[DuplicatesConfig] = None, store: Optional[LogStore] = None) -> None:
        super().__init__()
        self._config = config or DuplicatesConfig()
        self._store = store

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        seen = articles | "Features" >> beam.ParDo(_See(self._config.survivor == "original")).with_output_types(Seen)
        return seen | "Compare" >> ShardLine(
            Address(self._config),
            stages(self._config),
            output_type=Article,
            grain_seconds=self._config.grain_seconds,
            store=self._store,
            shards=self._config.shards,
        )
