"""What a clean text tells of its article: identity, topics, what stories go by. Told anew where lines go later."""

from collections.abc import Callable
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.pvalue import PCollection

from newsbeam.transforms.boilerplate.site_memory import lost_repeats
from newsbeam.transforms.model.identity import identify
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.runtime.dead_letters import DeadLetters, MapOrDeadLetter
from newsbeam.transforms.runtime.steps import Steps
from newsbeam.transforms.stories.terms import with_terms
from newsbeam.transforms.topics import TopicsConfig, TopicTagger


def description(topics: TopicsConfig) -> Steps:
    """Fills what depends on the text of an article and on nothing else; the same again for an article that has it."""
    return Steps((("identify", identify), ("topics", TopicTagger(topics)), ("terms", with_terms)))


@dataclass(frozen=True)
class _WhereLinesWent:
    describe: Callable[[Article], Article]

    def __call__(self, article: Article) -> Article:
        return self.describe(article) if lost_repeats(article) else article


class DescribeAgain(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Describes the articles from which the memory of their site has taken lines; lets the others pass."""

    def __init__(self, topics: TopicsConfig, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._topics = topics
        self._dead_letters = dead_letters

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        again = _WhereLinesWent(description(self._topics))
        return articles | "Describe" >> MapOrDeadLetter("describe", again, Article, self._dead_letters)
