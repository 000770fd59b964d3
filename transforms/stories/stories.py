"""Gathers articles about one event into a story, while they stream by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Optional

import apache_beam as beam
from apache_beam.pvalue import PCollection

from newsbeam.transforms.model.identity import event_time, seconds
from newsbeam.transforms.model.order import ID, article_key, id_of, id_shard
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.runtime.memories import LogStore, Sent, shard_of
from newsbeam.transforms.runtime.shards import ShardLine, ShardStage
from newsbeam.transforms.stories.articles import ArticleShards, awaiting
from newsbeam.transforms.stories.config import StoriesConfig
from newsbeam.transforms.stories.memory import Notice, StoryShards
from newsbeam.transforms.stories.terms import terms_of

_DAY = 86400.0


def story_time(article: Article) -> float:
    """When the article was published, if that can be true (no later than a day after it was seen), else its event time;
    in seconds since 1970 UTC."""
    seen, published = event_time(article), seconds(article.published_at)
    return published if published is not None and published <= seen + _DAY else seen


def notice(article: Article) -> Notice:
    """What the shard of its language is told of an article."""
    return Notice(
        key=article_key(article),
        time=round(story_time(article) * 1_000_000),
        copies=bytes.fromhex(article.duplicate_of) if article.duplicate_of else bytes(ID),
        language=article.language.partition("-")[0].lower(),
        terms=terms_of(article),
    )


@dataclass(frozen=True)
class Address:
    """Gives the messages to send for one article: to the shard of its language, and to the one where it waits."""

    config: StoriesConfig

    def __call__(self, article: Article) -> Iterator[Sent]:
        told = notice(article)
        yield Sent("stories", shard_of(told.language.encode(), self.config.shards), told.packed())
        yield Sent("articles", id_shard(id_of(told.key), self.config.shards), awaiting(told.key, article))


class LinkStories(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Gives each article its `story_id` (the id of the story's first article) and `story_score` (cosine with the story,
    1 for the first article). Copies and revisions belong to the story of what they copy or revise, if that
    is in the same language.

    The same articles make the same stories, whatever the order of arrival. Articles that nobody has seen at a known
    time are gathered with each other, not with those that have one; that a time of publication is not known says
    nothing against one event.

    Args:
        config: thresholds and number of shards; the defaults are those of one machine.
        store: of what is learnt, so that the next run knows it; None where the runner's state is durable.
    """

    def __init__(self, config: Optional[StoriesConfig] = None, store: Optional[LogStore] = None) -> None:
        super().__init__()
        self._config = config or StoriesConfig()
        self._store = store

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        stages = [ShardStage("stories", StoryShards(self._config)), ShardStage("articles", ArticleShards())]
        return articles | "Link" >> ShardLine(
            Address(self._config),
            stages,
            output_type=Article,
            grain_seconds=self._config.grain_seconds,
            store=self._store,
            shards=self._config.shards,
        )
