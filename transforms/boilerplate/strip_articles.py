"""`strip_boilerplate` as a stage; apart from it, since extraction needs its pure part where there is no Beam."""

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.boilerplate.strip import strip_boilerplate
from transforms.dead_letters import DeadLetters, MapOrDeadLetter
from transforms.records import Article


class StripBoilerplate(beam.PTransform[PCollection[Article], PCollection[Article]]):
    """Takes the boilerplate lines out of each article; see `strip_boilerplate`."""

    def __init__(self, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._dead_letters = dead_letters

    def expand(self, articles: PCollection[Article]) -> PCollection[Article]:
        return articles | "Strip" >> MapOrDeadLetter("strip", strip_boilerplate, Article, self._dead_letters)
