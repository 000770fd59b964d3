"""The one typed configuration: what a YAML file and the command line say, checked before anything starts."""

import argparse
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import newsbeam.configs
from newsbeam.pipeline.config.config_file import load
from newsbeam.transforms.boilerplate.site_repeats import SiteConfig
from newsbeam.transforms.cleaning.clean_articles import ExtractOptions
from newsbeam.transforms.duplicates import DuplicatesConfig
from newsbeam.transforms.http.addresses import AddressRules
from newsbeam.transforms.http.policy import FetchPolicy, SchedulePolicy
from newsbeam.transforms.language import LanguageConfig
from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import ConfigError, NewsbeamError, UsageError
from newsbeam.transforms.model.kafka_address import parse_kafka
from newsbeam.transforms.sinks.uri import absolute_sink, check_sink, folder_of
from newsbeam.transforms.sources.feed_source import (
    FeedSource,
    JoinedSources,
    ListedSources,
    Sources,
    SourcesFile,
    feed_at,
    is_queue,
)
from newsbeam.transforms.sources.kafka.check import check_topic
from newsbeam.transforms.stories.config import StoriesConfig
from newsbeam.transforms.topics import TopicsConfig, UserTopicsError, read_user_topics

DEFAULT_SINK = Address("sqlite:out/news.db")


@dataclass(frozen=True)
class SourceSettings:
    """One source as a user writes it. `url` may be a feed of any kind, a news sitemap or an index of them, an OPML
    list, a home page that names its feeds, or `kafka://broker:9092/topic`, onto which others push pages and URLs."""

    url: Address
    outlet: str = ""
    language: str = ""
    topic: str = ""
    interval_s: float = 0.0
    """Poll no more often than this; 0 for the policy's own minimum."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Config:
    """All settings, by stage. A YAML file has the same names; what it does not say is as in `configs/policy.yaml`."""

    schedule: SchedulePolicy
    fetch: FetchPolicy
    sources: Sequence[SourceSettings] = ()
    sources_file: str = ""
    """Feeds by URL alone, one a line: for very long lists."""
    contact: str = ""
    """An address for the sites that are polled: a web page or an e-mail. Required for live runs."""
    addresses: AddressRules = field(default_factory=AddressRules)
    tick_s: float = 5.0
    """How often feeds that are due are polled, and pages that came are taken in."""
    shards: int = 4
    """Of feeds and of hosts: 1-8 on one machine, 64-1024 on a cluster; fixed for the life of a job."""
    sinks: Sequence[Address] = ()
    spool: str = ""
    """A file in which records wait for a sink that is away, so that the other sinks go on; without one all wait."""
    metrics_port: int = 0
    """Serves Prometheus text at `http://metrics_host:metrics_port/metrics` while a run lasts; 0: does not."""
    metrics_host: str = "127.0.0.1"
    """Other machines reach it only at an address of this one; it tells feeds and counts, to whoever asks."""
    ledger: str = ""
    """The ledger's file; beside the first file sink if it is not given. `none` keeps no ledger, for clusters without
    a file system of their own: what is known is in the runner's state then, and the account in its counters."""
    extract: ExtractOptions = field(default_factory=ExtractOptions)
    sites: SiteConfig = field(default_factory=SiteConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    duplicates: DuplicatesConfig = field(default_factory=DuplicatesConfig)
    stories: StoriesConfig = field(default_factory=StoriesConfig)
    topics: TopicsConfig = field(default_factory=TopicsConfig)

    user_topics_file: str = ""
    """A YAML file of the user's own topics, by name: phrases with weights, required and excluded terms."""

    def feeds(self) -> Sources:
        """What a live run polls."""
        if self.sources_file:
            return SourcesFile(self.sources_file)
        return ListedSources(tuple(_feed(source) for source in self.sources if not is_queue(source.url.whole)))

    def queues(self) -> Sequence[tuple[Address, FeedSource]]:
        """The topics that a live run reads: each with its whole address, and as a source without what is secret."""
        listed = [source for source in self.sources if is_queue(source.url.whole)]
        return [(source.url, replace(_feed(source), url=parse_kafka(source.url).shown)) for source in listed]

    def feeds_and_queues(self) -> Sources:
        """All that entries may come from."""
        queues = ListedSources(tuple(source for _, source in self.queues()))
        return JoinedSources((self.feeds(), queues)) if queues.listed else self.feeds()


def _feed(source: SourceSettings) -> FeedSource:
    return feed_at(
        source.url,
        publisher=source.outlet,
        language_hint=source.language,
        topic_hints=(source.topic,) if source.topic else (),
        interval_s=source.interval_s,
        headers=source.headers,
        accept_page=True,
    )


def bundled(name: str) -> Path:
    """A file of `configs/`, in a clone or in an installed package."""
    return Path(newsbeam.configs.__file__).parent / name


def default_config() -> Config:
    """What holds where nobody says otherwise."""
    return load(bundled("policy.yaml"), Config)


def configured(options: argparse.Namespace) -> Config:
    """The configuration that the command line and its `--config` file ask for; the command line wins.

    Raises:
        ConfigError: all mistakes at once.
    """
    live = options.command == "live"
    own = options.config or (bundled("live.yaml") if live else None)
    config = load(own, Config, bundled("policy.yaml")) if own else default_config()
    config = replace(config, sinks=tuple(map(Address, options.to)) or tuple(config.sinks) or (DEFAULT_SINK,))
    if options.duplicates:
        config = replace(config, duplicates=replace(config.duplicates, policy=options.duplicates))
    if options.metrics_port is not None:
        config = replace(config, metrics_port=options.metrics_port)
    if options.workers is not None:
        config = replace(config, extract=replace(config.extract, workers=options.workers))
    ledger = options.ledger or config.ledger or _beside(config.sinks)
    config = replace(config, ledger="" if ledger == "none" else ledger)
    if live and options.contact:
        config = replace(config, contact=options.contact)
    if live and options.source:
        config = replace(config, sources=tuple(SourceSettings(Address(url)) for url in options.source), sources_file="")
    config, wrong_topics = _with_user_topics(config)
    if mistakes := [*wrong_topics, *_mistakes(config), *(_live_mistakes(config) if live else ())]:
        raise ConfigError(mistakes)
    return _as_workers_see_it(config)


def _with_user_topics(config: Config) -> tuple[Config, list[str]]:
    if not config.user_topics_file:
        return config, []
    try:
        topics = read_user_topics(Path(config.user_topics_file))
    except UserTopicsError as error:
        return config, [f"user_topics_file: {error}"]
    return replace(config, topics=replace(config.topics, user_topics=topics)), []


def _as_workers_see_it(config: Config) -> Config:
    """Paths made absolute: a worker may stand in another folder."""
    ledger = str(Path(config.ledger).absolute()) if config.ledger else ""
    spool = str(Path(config.spool).absolute()) if config.spool else ""
    return replace(config, sinks=tuple(map(absolute_sink, config.sinks)), ledger=ledger, spool=spool)


def _mistakes(config: Config) -> list[str]:
    mistakes = [] if config.extract.workers > 0 else [f"--workers: {config.extract.workers} is not a number above 0"]
    if config.metrics_port:
        try:
            with socket.create_server((config.metrics_host, config.metrics_port)):
                pass
        except (OSError, OverflowError) as error:
            mistakes.append(f"--metrics-port: cannot listen at {config.metrics_host}:{config.metrics_port} ({error})")
    for sink in config.sinks:
        try:
            check_sink(sink)
        except NewsbeamError as error:
            mistakes.append(f"--to {sink}: {error}")
    return mistakes


def _live_mistakes(config: Config) -> list[str]:
    mistakes = []
    if "@" not in config.contact and "://" not in config.contact:
        mistakes.append(
            "contact: the sites that are polled must be able to reach you; give an e-mail address or a web page,"
            " as `contact:` in the configuration or with --contact"
        )
    if not config.sources and not config.sources_file:
        mistakes.append("sources: nothing to poll; list feeds under `sources:`, each with its `url`")
    if config.sources_file and not Path(config.sources_file).is_file():
        mistakes.append(f"sources_file: there is no file {config.sources_file}")
    mistakes += _queue_mistakes(config)
    if config.tick_s <= 0:
        mistakes.append(f"tick_s: {config.tick_s} is not a number of seconds above 0")
    return mistakes


def _queue_mistakes(config: Config) -> list[str]:
    mistakes = []
    written = [uri for uri in config.sinks if is_queue(uri.whole)]
    for source in config.sources:
        if is_queue(source.url.whole):
            try:
                address = parse_kafka(source.url)
                check_topic(source.url)
                if any(parse_kafka(uri).shown == address.shown for uri in written):
                    mistakes.append(f"sources: {address.shown} is a sink too: its records would come round again")
            except NewsbeamError as error:
                mistakes.append(f"sources: {error}")
    return mistakes


def _beside(sinks: Sequence[Address]) -> str:
    """`ledger.db` beside the first sink of this machine, else in `out/`."""
    for sink in sinks:
        try:
            folder = folder_of(sink)
        except UsageError:
            continue
        if folder is not None:
            return str(folder / "ledger.db")
    return "out/ledger.db"
