"""The whole pipeline, one stage a line. Live and replay differ only in where pages come from."""

import apache_beam as beam
from apache_beam.pvalue import PCollection

from pipeline.config import Config
from transforms.boilerplate import StripBoilerplate
from transforms.dead_letters import DeadLetters
from transforms.duplicates import MarkDuplicates
from transforms.extract import ExtractArticles
from transforms.identity import IdentifyArticles
from transforms.language import IdentifyLanguage
from transforms.ledger import NoteUnits, SettleOutcomes, unit_of
from transforms.reading.read import Plan, ReadPlan
from transforms.records import Outcome, Page
from transforms.sinks.write import WriteArticles, WriteDeadLetters
from transforms.stories import LinkStories
from transforms.topics import TagTopics


def replay(root: beam.Pipeline, plan: Plan, config: Config, run: str) -> None:
    """Recorded pages, in the order of the plan, through every stage; every unit ends in the ledger."""
    unread = DeadLetters()
    pages = root | "Read" >> ReadPlan(plan, unread)
    units = (
        pages | "Units of pages" >> beam.Map(unit_of).with_output_types(str),
        unread.gather("Unread") | "Units of unread" >> beam.Map(unit_of).with_output_types(str),
    ) | "Units" >> beam.Flatten()
    units | "Note units" >> NoteUnits(config.ledger, run)
    outcomes = tell_stories(pages, config, unread)
    outcomes | "Settle outcomes" >> SettleOutcomes(config.ledger, run)


def tell_stories(pages: PCollection[Page], config: Config, dead_letters: DeadLetters) -> PCollection[Outcome]:
    """From pages to what became of each of them."""
    articles = (
        pages
        | "Extract" >> ExtractArticles(config.extract, dead_letters)
        | "Strip boilerplate" >> StripBoilerplate(config.boilerplate, dead_letters)
        | "Identify" >> IdentifyArticles(dead_letters)
        | "Language" >> IdentifyLanguage(config.language, dead_letters)
        | "Topics" >> TagTopics(config.topics, dead_letters)
        | "Duplicates" >> MarkDuplicates(config.duplicates)
        | "Stories" >> LinkStories(config.stories)
    )
    written = articles | "Write" >> WriteArticles(config.sinks, dead_letters, config.duplicates.policy)
    buried = dead_letters.gather("Dead letters") | "Write dead letters" >> WriteDeadLetters(config.sinks)
    return (written, buried) | "Outcomes" >> beam.Flatten()
