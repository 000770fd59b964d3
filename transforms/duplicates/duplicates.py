"""Marks copies and revisions while the articles stream by."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.duplicates.anchors import Anchors
from transforms.duplicates.candidates import Candidates
from transforms.duplicates.config import DuplicatesConfig
from transforms.duplicates.features import features
from transforms.duplicates.outlets import Outlets
from transforms.duplicates.prints import Sighting
from transforms.order import id_of, id_shard, article_key
from transforms.duplicates.sketches import Sketches
from transforms.duplicates.verdicts import Verdicts, awaiting
from transforms.identity import event_time
from transforms.records import Article
from transforms.shards import Sent, ShardLine, ShardStage, WarmStart, shard_of

HOPS = 5
"""Shard stages of `MarkDuplicates`: what comes after it in a pipeline begins at this hop."""

_FEWEST_WORDS = 20


def sighting(article: Article) -> Sighting:
    """What the shards are told of an article that `identify` has seen."""
    outlet = outlet_of(article)
    seen = features(article.text)
    if seen.words < _FEWEST_WORDS:
        # "Subscribe to read on" under two titles is two articles.
        seen = seen._replace(exact=features(f"{article.title}\n{article.text}").exact)
    return Sighting(
        key=article_key(article),
        time=round(event_time(article) * 1_000_000),
        content=bytes.fromhex(article.content_hash),
        by_content=not article.url_canonical and not (article.guid and article.feed_url),
        outlet=int.from_bytes(hashlib.blake2b(outlet.encode(), digest_size=8).digest(), "little") if outlet else 0,
        features=seen,
    )


def outlet_of(article: Article) -> str:
    """Whose boilerplate it is: the host, else the publisher."""
    return article.domain or article.publisher or article.origin.publisher


@dataclass(frozen=True)
class Address:
    """Tells the shards of one article."""

    config: DuplicatesConfig

    def __call__(self, article: Article) -> Iterator[Sent]:
        told = sighting(article)
        shards = self.config.shards
        # All articles of one id are of one outlet, or have none: the shard of the outlet knows them all.
        outlet = outlet_of(article)
        at = shard_of(outlet.encode(), shards) if outlet else id_shard(id_of(told.key), shards)
        yield Sent("outlets", at, told.packed())
        yield Sent("verdicts", id_shard(id_of(told.key), shards), awaiting(told.key, article))


class MarkDuplicates(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Gives each article its `duplicate_kind`, `duplicate_of`, `duplicate_score`, `revision` and `wire_agency`.

    Every article comes out exactly once, whatever it is: `unique`, `revision` (new content at a known address, or by the
    policy `survivor` a better copy), `unchanged` (nothing new at a known address), or a copy of an earlier article:
    `exact`, `near`, `syndicated` (near, and credited to a wire agency), `excerpt`. What is earlier goes by the
    total order of inputs (`order_time`, `origin.rank`, id), whatever the order of arrival, and `duplicate_of` always names an article that is earlier:
    there are no circles, and the first of a group always stays.

    Args:
        config: thresholds, horizon and number of shards.
        first_hop: how many shard stages the pipeline has before this one.
        warm: what is known from before this job.
    """

    def __init__(self, config: DuplicatesConfig, first_hop: int = 0, warm: Optional[WarmStart] = None) -> None:
        super().__init__()
        self._config = config
        self._first_hop = first_hop
        self._warm = warm

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        stages = [
            ShardStage("outlets", Outlets(self._config)),
            ShardStage("anchors", Anchors(self._config)),
            ShardStage("candidates", Candidates(self._config)),
            ShardStage("sketches", Sketches(self._config)),
            ShardStage("verdicts", Verdicts(self._config)),
        ]
        return articles | "Compare" >> ShardLine(
            Address(self._config), stages, Article, self._config.grain_seconds, self._first_hop, self._warm
        )
