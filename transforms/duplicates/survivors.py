"""The shard of records, where a later text may stand for its group: under the policies `original` and `fullest`.

There is one such shard. It knows which articles have become a revision of another's record, so that their own
revisions, and copies of them, belong to that record, too: there is never a second one.
"""

import pickle
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Optional

from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.model.order import ID, KEY, micros_of
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.runtime.memories import Work

_PLACE = struct.Struct(f"<{KEY}s{ID}s{ID}sH")
_DAY = 86_400_000_000


class _Place(NamedTuple):
    """Where an article belongs."""

    key: bytes
    article: bytes
    record: bytes
    """The id of the record: its own, or that of the first of its group."""
    revision: int
    """Of the record, if it was made one; 0 of a mere copy."""


def standing_for(key: bytes, article: Article, takes_over: bool) -> bytes:
    """An article with its verdict, for the shard of records."""
    return key + bytes((takes_over,)) + pickle.dumps(article, pickle.HIGHEST_PROTOCOL)


class SurvivorMemory:
    """Remembers to which record a copy belongs, who stands in whose, and the latest revision of such records."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._kept = round(config.revisions_days * _DAY)
        self._places: dict[bytes, _Place] = {}
        """By article, the latest."""
        self._given: dict[bytes, _Place] = {}
        """By key, those that are revisions: an input that is delivered twice is told the same."""
        self._revision: dict[bytes, int] = {}
        self._newest = 0

    def replay(self, entry: bytes) -> None:
        for fields in _PLACE.iter_unpack(entry):
            self._learn(_Place._make(fields))

    def _learn(self, place: _Place) -> None:
        self._places[place.article] = place
        if place.revision:
            self._given[place.key] = place
            self._revision[place.record] = max(place.revision, self._revision.get(place.record, 1))
        self._newest = max(self._newest, micros_of(place.key))

    def work(self, messages: Sequence[bytes]) -> Work:
        results: list[Article] = []
        learnt: list[_Place] = []
        for message in sorted(messages):
            key, takes_over = message[:KEY], bool(message[KEY])
            article: Article = pickle.loads(message[KEY + 1 :])  # noqa: S301 - packed by `standing_for`
            own = bytes.fromhex(article.id)
            place = self._given.get(key) or self._place(key, own, article, takes_over)
            if place and place != self._places.get(own):
                self._learn(place)
                learnt.append(place)
            results.append(_placed(article, place))
        return Work(results=results, learnt=b"".join([_PLACE.pack(*place) for place in learnt]))

    def _place(self, key: bytes, own: bytes, article: Article, takes_over: bool) -> Optional[_Place]:
        """Where an article belongs; None if it is its own record, and was never anything else."""
        before = self._places.get(own)
        stands = before is not None and before.revision > 0
        source = bytes.fromhex(article.duplicate_of) if article.duplicate_of else own
        if article.duplicate_kind == "unchanged":
            return before
        if article.duplicate_kind in ("unique", "revision"):
            if not stands and own not in self._revision:
                return before and _Place(key, own, own, 0)
            record = before.record if before and stands else own
        else:
            known = self._places.get(own if stands else source)
            record = known.record if known else source
            if not takes_over and not stands and record != own:
                return _Place(key, own, record, 0)
        return _Place(key, own, record, min(max(article.revision, self._revision.get(record, 1) + 1), 65535))

    def live_bytes(self) -> int:
        return len(self._places) * _PLACE.size

    def compacted(self) -> Iterable[bytes]:
        places = sorted({*self._places.values(), *self._given.values()})
        kept = [place for place in places if self._newest - micros_of(place.key) <= self._kept]
        self._places, self._given, self._revision = {}, {}, {}
        for place in kept:
            self._learn(place)
        yield b"".join([_PLACE.pack(*place) for place in kept])


def _placed(article: Article, place: Optional[_Place]) -> Article:
    if place is None or (place.revision == 0 and place.record == place.article):
        return article
    record = place.record.hex()
    if article.duplicate_kind == "unchanged":
        return replace(article, id=record if place.revision else article.id, duplicate_of=record)
    if not place.revision:
        return replace(article, duplicate_of=record)
    return replace(article, id=record, revision=place.revision, duplicate_kind="revision", duplicate_of=record)


@dataclass(frozen=True)
class Survivors:
    """Makes the memory of the shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> SurvivorMemory:
        return SurvivorMemory(self.config)
