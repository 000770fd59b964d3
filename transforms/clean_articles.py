"""Pages become clean articles, each read and worked on in a process that can be killed: a hostile page costs itself,
not the stream."""

from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.boilerplate.strip import strip_boilerplate
from transforms.dead_letters import DeadLetters
from transforms.describe import description
from transforms.extraction.page import extract
from transforms.language import LanguageConfig, LanguageIdentifier
from transforms.reading.payload import read_page
from transforms.records import Article, Page
from transforms.sandboxed_map import SandboxMapOrDeadLetter, SandboxOptions
from transforms.steps import Steps
from transforms.topics import TopicsConfig

_WARM_UP = Page(
    url="https://warm.up/", body=b"<html><body><article><p>" + b"Warm words. " * 60 + b"</p></article></html>"
)


@dataclass(frozen=True)
class ExtractOptions:
    """How pages are worked on."""

    workers: int = 1
    """Processes; each takes a core."""
    seconds: float = 20.0
    """CPU time that one page may take; the slowest honest page measured took under 3 s."""
    memory_mb: int = 1024
    """Resident memory of one process."""


class CleanArticles(beam.PTransform[PCollection[Any], PCollection[Article]]):
    """Reads what is no page yet but a unit of a replay, extracts every page's article, strips its boilerplate,
    tells its language, its identity and its topics.

    They are one stage since all that depends on one page alone belongs where workers share the load. A dead letter
    names the one that refused (`read`, `extract`, `strip`, `language`, `identify`, `topics`); what broke a limit is
    `extract`'s.

    Raises:
        ValueError: while the pipeline is built, if the language backend is not known or not installed.
    """

    def __init__(
        self, options: ExtractOptions, language: LanguageConfig, topics: TopicsConfig, dead_letters: DeadLetters
    ) -> None:
        super().__init__()
        self._options = options
        self._language = LanguageIdentifier(language)
        self._topics = topics
        self._dead_letters = dead_letters

    def expand(self, pages: PCollection[Any]) -> PCollection[Article]:
        steps = Steps(
            (
                ("read", read_page),
                ("extract", extract),
                ("strip", strip_boilerplate),
                ("language", self._language),
                *description(self._topics).steps,
            )
        )
        sandbox = SandboxOptions(
            seconds=self._options.seconds,
            memory_mb=self._options.memory_mb,
            workers=self._options.workers,
            in_flight=8 * self._options.workers,
            warm_up=_WARM_UP,
        )
        return pages | "In sandbox" >> SandboxMapOrDeadLetter("extract", steps, Article, self._dead_letters, sandbox)
