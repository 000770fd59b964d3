"""What to poll: feeds as the configuration names them."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from newsbeam.transforms.http.addresses import host_of
from newsbeam.transforms.model.address import Address
from newsbeam.transforms.runtime.memories import shard_of


@dataclass(frozen=True)
class FeedSource:
    """One feed, sitemap, list of feeds or home page.

    Attributes:
        url: also its name, in the ledger and in records, wherever redirects may lead.
        publisher: the outlet's name.
        language_hint: BCP 47.
        topic_hints: as a user would write them.
        interval_s: poll no more often than this; 0 for the policy's own minimum.
        headers: sent to this site only.
        accept_page: a home page that names its feeds will do.
    """

    url: str
    publisher: str = ""
    language_hint: str = ""
    topic_hints: Sequence[str] = ()
    interval_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    accept_page: bool = False


def feed_at(address: Address, **settings: Any) -> FeedSource:
    """A source whose address may hold user and password: they become a header (RFC 7617), and no part of its name.

    Args:
        settings: the other attributes of `FeedSource`.
    """
    headers = dict(settings.pop("headers", {}))
    if address.authorization and not any(name.lower() == "authorization" for name in headers):
        headers["Authorization"] = address.authorization
    return FeedSource(address.without_credentials, headers=headers, **settings)


class Sources(Protocol):
    """Where the list of feeds comes from. Picklable; read on the worker."""

    def feeds(self) -> Sequence[FeedSource]:
        """All feeds, each URL once."""


@dataclass(frozen=True)
class ListedSources:
    """Feeds that are listed in the configuration itself."""

    listed: Sequence[FeedSource]

    def feeds(self) -> Sequence[FeedSource]:
        return self.listed


@dataclass(frozen=True)
class SourcesFile:
    """Feeds of a text file: a URL a line, empty lines and those that begin with `#` left out.

    For lists that are too long to travel with the pipeline.
    """

    file: str

    def feeds(self) -> Sequence[FeedSource]:
        return _listed_in(self.file, Path(self.file).stat().st_mtime_ns)


@dataclass(frozen=True)
class JoinedSources:
    """Several lists as one; of two with the same URL the first counts."""

    parts: Sequence[Sources]

    def feeds(self) -> Sequence[FeedSource]:
        joined: dict[str, FeedSource] = {}
        for part in self.parts:
            for source in part.feeds():
                joined.setdefault(source.url, source)
        return tuple(joined.values())


def is_queue(url: str) -> bool:
    """Whether this is no feed that is polled but a topic that others push onto."""
    return url.startswith("kafka://")


@functools.lru_cache(maxsize=2)
def _listed_in(file: str, changed: int) -> Sequence[FeedSource]:
    """Read once a process: several stages ask for the list."""
    with Path(file).open(encoding="utf-8") as lines:
        urls = dict.fromkeys(line.strip() for line in lines)
    return tuple(feed_at(Address(url)) for url in urls if url and not url.startswith("#"))


def shard_of_url(url: str, shards: int) -> int:
    """All URLs of one host are in one shard, so that its politeness is kept in one place."""
    return shard_of(host_of(url).encode(), shards)
