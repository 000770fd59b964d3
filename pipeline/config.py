"""The one typed configuration: what a YAML file and the command line say, checked before anything starts."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.config_file import ConfigError, load
from transforms.duplicates import DuplicatesConfig
from transforms.extract import ExtractOptions
from transforms.language import LanguageConfig
from transforms.sinks.sink import SinkError
from transforms.sinks.uri import check_sink, parse_sink
from transforms.stories import StoriesConfig
from transforms.topics import TopicsConfig

DEFAULT_SINK = "sqlite:out/news.db"


@dataclass(frozen=True)
class Config:
    """All settings, by stage. A YAML file has the same names."""

    sinks: Sequence[str] = ()
    ledger: str = ""
    """The ledger's file; beside the first file sink if it is not given."""
    extract: ExtractOptions = field(default_factory=ExtractOptions)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    duplicates: DuplicatesConfig = field(default_factory=DuplicatesConfig)
    stories: StoriesConfig = field(default_factory=StoriesConfig)
    topics: TopicsConfig = field(default_factory=TopicsConfig)


def configured(options: argparse.Namespace) -> Config:
    """The configuration that the command line and its `--config` file ask for; the command line wins.

    Raises:
        ConfigError: all mistakes at once.
    """
    config = load(options.config, Config) if options.config else Config()
    config = replace(config, sinks=tuple(options.to or config.sinks or (DEFAULT_SINK,)))
    if options.duplicates:
        config = replace(config, duplicates=replace(config.duplicates, policy=options.duplicates))
    if options.workers is not None:
        config = replace(config, extract=replace(config.extract, workers=options.workers))
    config = replace(config, ledger=options.ledger or config.ledger or _beside(config.sinks))
    mistakes = [] if config.extract.workers > 0 else [f"--workers: {config.extract.workers} is not a number above 0"]
    for sink in config.sinks:
        try:
            check_sink(sink)
        except SinkError as error:
            mistakes.append(f"--to {sink}: {error}")
    if mistakes:
        raise ConfigError(mistakes)
    return config


def _beside(sinks: Sequence[str]) -> str:
    """`ledger.db` in the folder of the first sink that is a file, else in `out/`."""
    for sink in sinks:
        try:
            spec = parse_sink(sink)
        except SinkError:
            continue
        if spec.scheme in ("sqlite", "jsonl", "parquet"):
            folder = Path(spec.target) if spec.target.endswith("/") else Path(spec.target).parent
            return str(folder / "ledger.db")
    return "out/ledger.db"
