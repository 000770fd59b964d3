"""Makes clean articles of pages. Each page is parsed in a child process that can be killed: a hostile page costs one
dead letter, not the stream."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from newsbeam.transforms.boilerplate.strip import strip_boilerplate
from newsbeam.transforms.cleaning.describe import description
from newsbeam.transforms.extraction.page import extract
from newsbeam.transforms.language import LanguageConfig, LanguageIdentifier
from newsbeam.transforms.model.records import Article, Page
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.runtime.sandbox.sandboxed_map import SandboxMapOrDeadLetter, SandboxOptions, SharedSandbox
from newsbeam.transforms.runtime.steps import Steps
from newsbeam.transforms.sources.files.payload import read_page
from newsbeam.transforms.topics import TopicsConfig

_WARM_UP = Page(
    url="https://warm.up/", body=b"<html><body><article><p>" + b"Warm words. " * 60 + b"</p></article></html>"
)


@dataclass(frozen=True)
class ExtractOptions:
    """Limits and processes for cleaning pages."""

    workers: int = 1
    """Number of child processes; each uses a core."""
    seconds: float = 20.0
    """CPU time that one page may take; the slowest honest page measured took under 3 s."""
    memory_mb: int = 1024
    """Resident memory of one process."""


def cleaning_steps(language: LanguageConfig, topics: TopicsConfig) -> Steps:
    """Reads, extracts and cleans a page, identifies its language, and does what `description` does.

    Raises:
        ValueError: if the language backend is not known or not installed.
    """
    return Steps(
        (
            ("read", read_page),
            ("extract", extract),
            ("strip", strip_boilerplate),
            ("language", LanguageIdentifier(language)),
            *description(topics).steps,
        )
    )


def cleaner(
    options: ExtractOptions,
    language: LanguageConfig,
    topics: TopicsConfig,
    ahead: Callable[[Any], Iterator[Any]] | None = None,
) -> SharedSandbox:
    """Returns the sandbox that does `cleaning_steps`.

    Args:
        ahead: a guess at what comes after a page, as in `SandboxOptions`.

    Raises:
        ValueError: if the language backend is not known or not installed.
    """
    sandbox = SandboxOptions(
        seconds=options.seconds,
        memory_mb=options.memory_mb,
        workers=options.workers,
        in_flight=8 * options.workers,
        ahead=ahead,
        most_ahead=48 * options.workers,
        warm_up=_WARM_UP,
    )
    return SharedSandbox(cleaning_steps(language, topics), sandbox)


class CleanArticles(beam.PTransform[PCollection[Any], PCollection[Article]]):
    """Makes an article of every page, or of every unit of a replay that is still to be read.

    It is one stage since all that depends on one page alone belongs where workers share the load. A dead letter names
    the step that refused (`read`, `extract`, `strip`, `language`, or one of `description`); what broke a limit is
    `extract`'s.
    """

    def __init__(self, cleaner: SharedSandbox, dead_letters: DeadLetters) -> None:
        super().__init__()
        self._cleaner = cleaner
        self._dead_letters = dead_letters

    def expand(self, pages: PCollection[Any]) -> PCollection[Article]:
        return pages | "In sandbox" >> SandboxMapOrDeadLetter("extract", self._cleaner, Article, self._dead_letters)
