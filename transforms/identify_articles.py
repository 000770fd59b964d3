"""`identify` as a stage; apart from it, since reading feeds needs identities where there is no Beam."""

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.dead_letters import DeadLetters, MapOrDeadLetter
from transforms.identity import identify
from transforms.records import Article


class IdentifyArticles(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """`identify` as a stage."""

    def __init__(self, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._dead_letters = dead_letters

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        return articles | "Identify" >> MapOrDeadLetter("identify", identify, Article, self._dead_letters)
