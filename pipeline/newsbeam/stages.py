"""The stages of newsbeam for a pipeline of one's own.

What cannot become a record goes to the `DeadLetters` that a stage is given: `DeadLetters().gather()` is all of them as
one collection in a bounded pipeline; a live one gives `DeadLetters` a transform that writes them.

>>> import json, pathlib
>>> import apache_beam as beam, newsbeam
>>> text = "<p>It rained all day in the north, and the rivers rose, the weather service said on Monday.</p>"
>>> page = f"<html lang='en'><body><article><h1>Rain</h1>{text * 5}</article></body></html>".encode()
>>> urls = ["https://a.example/rain", "https://b.example/rain"]
>>> letters = newsbeam.DeadLetters()
>>> with beam.Pipeline(newsbeam.FlowingRunner()) as pipeline:
...     _ = (
...         pipeline
...         | beam.Create([newsbeam.Page(url=url, body=page) for url in urls])
...         | newsbeam.CleanArticles(letters)
...         | newsbeam.TagTopics()
...         | newsbeam.MarkDuplicates()
...         | newsbeam.LinkStories()
...         | newsbeam.WriteArticles(["jsonl:rain.jsonl"], letters, policy="label")
...     )
>>> for line in pathlib.Path("rain.jsonl").read_text().splitlines():
...     record = json.loads(line)
...     print(record["title"], record["duplicate_kind"], record["topics"][0]["name"])
Rain unique weather
Rain exact weather
"""

from collections.abc import Sequence
from typing import Optional

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from newsbeam import __version__
from newsbeam.pipeline.config.config import default_config
from newsbeam.transforms.cleaning.clean_articles import CleanArticles as _CleanArticles
from newsbeam.transforms.cleaning.clean_articles import ExtractOptions, cleaner
from newsbeam.transforms.duplicates import MarkDuplicates
from newsbeam.transforms.http.addresses import AddressRules
from newsbeam.transforms.language import LanguageConfig
from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.records import Article, Outcome, Page
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.sinks.uri import check_sink, finalize_sink
from newsbeam.transforms.sinks.write import WriteArticles as _WriteArticles
from newsbeam.transforms.sources.event_loop import HttpOptions
from newsbeam.transforms.sources.feed_source import ListedSources, feed_at
from newsbeam.transforms.sources.fetching.fetch import FetchOptions, FetchPages
from newsbeam.transforms.sources.polling.discover import Discover, DiscoverOptions
from newsbeam.transforms.sources.ticks import EmitTicks, TickPlan
from newsbeam.transforms.stories.stories import LinkStories
from newsbeam.transforms.topics import TopicsConfig, TopicTagger, UserTopic

__all__ = [
    "CleanArticles",
    "DeadLetters",
    "LinkStories",
    "MarkDuplicates",
    "ReadFeeds",
    "TagTopics",
    "WriteArticles",
]


class ReadFeeds(beam.PTransform[PBegin, PCollection[Page]]):
    """Polls feeds politely and fetches the pages that they list, each once, from now on.

    Needs an engine on which elements flow while the source runs: `newsbeam.FlowingRunner`, Flink or Dataflow.

    Args:
        feeds: addresses of feeds, sitemaps, OPML files or home pages.
        contact: an address or a page where publishers find you; it is part of the User-Agent.
        dead_letters: get feeds and pages that cannot be read. In a pipeline that never ends they need a transform that
            writes them: `DeadLetters(lambda: ...)`.
        seconds: the source ends after so long; 0: never.
        shards: 1 to 8 on one machine, 64 to 1024 on a cluster; fixed for the life of a job.
        rules: what may be reached beyond the public Internet; nothing by default.

    >>> import apache_beam as beam, newsbeam
    >>> def pages(pipeline: beam.Pipeline, letters: newsbeam.DeadLetters) -> beam.PCollection[newsbeam.Page]:
    ...     feeds = newsbeam.ReadFeeds(["https://news.example/rss"], "desk@news.example", letters)
    ...     return pipeline | feeds
    """

    def __init__(
        self,
        feeds: Sequence[str],
        contact: str,
        dead_letters: DeadLetters,
        *,
        seconds: float = 0.0,
        shards: int = 4,
        rules: Optional[AddressRules] = None,
    ) -> None:
        super().__init__()
        policy = default_config()
        sources = ListedSources(tuple(feed_at(Address(feed), accept_page=True) for feed in feeds))
        http = HttpOptions(policy.fetch, f"newsbeam/{__version__} (+{contact})", rules=rules or AddressRules())
        self._polls = DiscoverOptions(sources, policy.schedule, http, shards)
        self._fetches = FetchOptions(sources, policy.schedule, http, shards)
        self._ticks = TickPlan(seconds=seconds)
        self._dead_letters = dead_letters

    def expand(self, root: PBegin) -> PCollection[Page]:
        ticks = root | "Ticks" >> EmitTicks(self._ticks)
        entries = ticks | "Discover" >> Discover(self._polls, self._dead_letters)
        return entries | "Fetch" >> FetchPages(ticks, self._fetches, self._dead_letters)


class CleanArticles(_CleanArticles):
    """Makes an article of every page: text, what was removed and by which rule, language, topics, identity.

    Each page is parsed in a child process that can be killed: a hostile page costs one dead letter.

    Args:
        dead_letters: get the pages that are no article.
        workers: child processes in each worker of the runner; each uses a core.
        user_topics: topics of your own, given beside those of IPTC.
    """

    def __init__(self, dead_letters: DeadLetters, *, workers: int = 1, user_topics: Sequence[UserTopic] = ()) -> None:
        topics = TopicsConfig(user_topics=tuple(user_topics))
        super().__init__(cleaner(ExtractOptions(workers=workers), LanguageConfig(), topics), dead_letters)


class TagTopics(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Gives each article its topics; `CleanArticles` has done so already with the topics that it was given.

    Args:
        user_topics: topics of your own, given beside those of IPTC.
    """

    def __init__(self, user_topics: Sequence[UserTopic] = ()) -> None:
        super().__init__()
        self._tag = TopicTagger(TopicsConfig(user_topics=tuple(user_topics)))

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        return articles | "Tag" >> beam.Map(self._tag).with_output_types(Article)


class WriteArticles(beam.PTransform[PCollection[Article], PCollection[Outcome]]):
    """Writes articles to every sink in turn, and gives the outcome of each input once all of them have accepted it.

    Articles of an unbounded collection can be seen as they come; else a JSONL file appears at the end, complete and
    sorted.

    Args:
        sinks: addresses such as `sqlite:news.db`, `jsonl:stories.jsonl` or `postgresql://host/database`.
        dead_letters: get the articles that a sink will never take.
        policy: `drop` keeps copies out of the sinks, `label` writes them with their `duplicate_kind`.

    Raises:
        UsageError, SinkError: a sink cannot be written; says what would be right.
    """

    def __init__(self, sinks: Sequence[str], dead_letters: DeadLetters, policy: str = "drop") -> None:
        super().__init__()
        for sink in sinks:
            check_sink(sink)
        self._sinks = tuple(sinks)
        self._dead_letters = dead_letters
        self._policy = policy

    def expand(self, articles: PCollection[Article]) -> PCollection[Outcome]:
        live = not articles.is_bounded
        outcomes = articles | "Write" >> _WriteArticles(self._sinks, self._dead_letters, self._policy, live)
        if not live:
            count = outcomes | "Count" >> beam.combiners.Count.Globally()
            count | "Finalize" >> beam.Map(_finalize, self._sinks)
        return outcomes


def _finalize(_: int, sinks: Sequence[str]) -> None:
    for sink in sinks:
        finalize_sink(sink)
