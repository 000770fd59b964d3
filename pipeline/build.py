"""The whole pipeline, one stage a line. Live and replay differ only in where pages come from."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Optional

import apache_beam as beam
from apache_beam.pvalue import PCollection

from newsbeam import __version__
from newsbeam.pipeline.config.config import Config
from newsbeam.transforms.boilerplate.site_repeats import StripSiteRepeats
from newsbeam.transforms.cleaning.clean_articles import CleanArticles, cleaner
from newsbeam.transforms.cleaning.describe import DescribeAgain
from newsbeam.transforms.duplicates import MarkDuplicates
from newsbeam.transforms.ledger.account import NoteUnits, SettleOutcomes
from newsbeam.transforms.ledger.logs import LedgerLogs
from newsbeam.transforms.ledger.revisions import NumberRevisions
from newsbeam.transforms.model.records import DeadLetter
from newsbeam.transforms.runtime.dead_letters import DeadLetters
from newsbeam.transforms.runtime.measures import CountPages
from newsbeam.transforms.runtime.sandbox.sandboxed_map import SharedSandbox
from newsbeam.transforms.sinks.write import WriteArticles, WriteDeadLetters, is_written
from newsbeam.transforms.sources.event_loop import HttpOptions
from newsbeam.transforms.sources.fetching.fetch import FetchOptions, FetchPages
from newsbeam.transforms.sources.files.open_feeds import OpenFeeds
from newsbeam.transforms.sources.files.read import Plan, ReadPlan, Upcoming
from newsbeam.transforms.sources.kafka.memory import LedgerQueueMemory
from newsbeam.transforms.sources.kafka.read import QueueOptions, ReadQueue
from newsbeam.transforms.sources.polling.discover import Discover, DiscoverOptions
from newsbeam.transforms.sources.polling.feed_memory import LedgerMemory
from newsbeam.transforms.sources.ticks import EmitTicks, TickPlan
from newsbeam.transforms.stories.stories import LinkStories


def cleaner_of(config: Config, plan: str = "") -> SharedSandbox:
    """What cleans pages; it works ahead where the file of a replay's plan tells what comes next."""
    return cleaner(config.extract, config.language, config.topics, Upcoming(plan) if plan else None)


def replay(root: beam.Pipeline, plan: Plan, config: Config, run: str, cleans: Optional[SharedSandbox] = None) -> None:
    """Recorded pages, in the order of the plan, through every stage; every unit ends in the ledger."""
    unread = DeadLetters(lambda: Bury(config, run, note=True))
    pages = root | "Plan" >> ReadPlan(plan, unread) | "Open feeds" >> OpenFeeds(unread)
    pages | "Note units" >> NoteUnits(config.ledger, run)
    tell_stories(pages, cleans or cleaner_of(config), config, run)


def live(root: beam.Pipeline, plan: TickPlan, config: Config, run: str) -> None:
    """What the feeds bring from now on, through every stage; every entry ends in the ledger."""
    dead_letters = DeadLetters(lambda: Bury(config, run, live=True))
    http = HttpOptions(config.fetch, f"newsbeam/{__version__} (+{config.contact})", rules=config.addresses)
    memory = LedgerMemory(config.ledger, run) if config.ledger else None
    polls = DiscoverOptions(config.feeds(), config.schedule, http, config.shards, memory)
    fetches = FetchOptions(config.feeds_and_queues(), config.schedule, http, config.shards)
    ticks = root | "Ticks" >> EmitTicks(plan)
    entries = ticks | "Discover" >> Discover(polls, dead_letters)
    queued = [
        ticks | f"Queue {number}" >> ReadQueue(options, dead_letters)
        for number, options in enumerate(_queues(config, run), 1)
    ]
    if queued:
        entries = (entries, *(queue.entries for queue in queued)) | "Feeds and queues" >> beam.Flatten()
    pages = entries | "Fetch" >> FetchPages(ticks, fetches, dead_letters)
    if queued:
        pages = (pages, *(queue.pages for queue in queued)) | "Fetched and pushed" >> beam.Flatten()
    tell_stories(pages, cleaner_of(config), config, run, live=True)


def tell_stories(pages: PCollection[Any], cleans: SharedSandbox, config: Config, run: str, live: bool = False) -> None:
    """From pages, and units of a replay that are still to be read, to records in the sinks, and the outcome of each in
    the ledger."""
    dead_letters = DeadLetters(lambda: Bury(config, run, live=live))
    articles = (
        pages
        | "Count pages" >> CountPages()
        | "Clean" >> CleanArticles(cleans, dead_letters)
        | "Strip site repeats" >> StripSiteRepeats(config.sites, _logs(config, live, config.sites.shards))
        | "Describe again" >> DescribeAgain(config.topics, dead_letters)
        | "Duplicates" >> MarkDuplicates(config.duplicates, _logs(config, live, config.duplicates.shards))
        | "Stories" >> LinkStories(config.stories, _logs(config, live, config.stories.shards))
    )
    if config.ledger:
        written = partial(is_written, policy=config.duplicates.policy)
        articles = articles | "Number revisions" >> NumberRevisions(config.ledger, written)
    outcomes = articles | "Write" >> WriteArticles(
        config.sinks, dead_letters, config.duplicates.policy, live, spool=config.spool
    )
    outcomes | "Settle" >> SettleOutcomes(config.ledger, run)


def _queues(config: Config, run: str) -> Iterator[QueueOptions]:
    """With a ledger there is one machine, and one shard; without one, offsets are in the runner's state."""
    for uri, source in config.queues():
        memory = LedgerQueueMemory(config.ledger, run) if config.ledger else None
        yield QueueOptions(uri, source, 1 if memory else config.shards, memory)


def _logs(config: Config, live: bool, shards: int) -> LedgerLogs | None:
    """Where stages with memory keep what they learn: a replay depends on nothing but its input, and keeps nothing."""
    return LedgerLogs(config.ledger, f"1/{shards}") if live and config.ledger else None


class Bury(beam.PTransform[PCollection[DeadLetter], PCollection[None]]):
    """Dead letters to the sinks, and their outcome to the ledger; those of discovery are noted too."""

    def __init__(self, config: Config, run: str, note: bool = False, live: bool = False) -> None:
        super().__init__()
        self._config = config
        self._run = run
        self._note = note
        self._live = live

    def expand(self, letters: PCollection[DeadLetter]) -> PCollection[None]:
        if self._note:
            letters | "Note units" >> NoteUnits(self._config.ledger, self._run)
        outcomes = letters | "Write" >> WriteDeadLetters(self._config.sinks, self._live, spool=self._config.spool)
        return outcomes | "Settle" >> SettleOutcomes(self._config.ledger, self._run)
