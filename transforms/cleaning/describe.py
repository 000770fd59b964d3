"""Everything that is computed from the clean text: identity, topics, the words for stories. Computed again if lines are
removed later."""

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
    """Fills the fields that depend on the article's text alone. Applying it twice changes nothing."""
    return Steps((("identify", identify), ("topics", TopicTagger(topics)), ("terms", with_terms)))


@dataclass(frozen=True)
class _WhereLinesWent:
    describe: Callable[[Article], Article]

    def __call__(self, article: Article) -> Article:
        return self.describe(article) if lost_repeats(article) else article


class DescribeAgain(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Describes again the articles that lost lines to the memory of their site; passes the others on unchanged."""

    def __init__(self, topics: TopicsConfig, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._topics = topics
        self._dead_letters = dead_letters

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        again = _WhereLinesWent(description(self._topics))
        return articles | "Describe" >> MapOrDeadLetter("describe", again, Article, self._dead_letters)
