"""The shard of an outlet: which of its articles were there before, and which sentences it prints under all of them."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from newsbeam.transforms.duplicates.boilerplate import Dropped, PrintedSentences, without
from newsbeam.transforms.duplicates.config import DuplicatesConfig
from newsbeam.transforms.duplicates.features import ANCHORS, cut
from newsbeam.transforms.duplicates.index import unpack_hashes
from newsbeam.transforms.duplicates.messages import REVISION, UNCHANGED, UNIQUE, Base, Questions, settled
from newsbeam.transforms.duplicates.prints import Print, Sighting, unpack_sighting
from newsbeam.transforms.model.order import KEY, id_of, id_shard, micros_of
from newsbeam.transforms.runtime.memories import Sent, Work

_KNOWN = struct.Struct(f"<{KEY}s{KEY}s16sHB")


class _Known(NamedTuple):
    first: bytes
    latest: bytes
    content: bytes
    revision: int
    by_content: bool
    from_feed: bool

    def packed(self) -> bytes:
        flags = self.by_content | self.from_feed << 1
        return _KNOWN.pack(self.first, self.latest, self.content, self.revision, flags)


class OutletMemory:
    """Remembers identities (id -> first and latest key, content, revision) and who has printed which sentence."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config
        self._horizon = round(config.horizon_hours * 3_600_000_000)
        self._known: dict[bytes, _Known] = {}
        self._printed = PrintedSentences(self._horizon)
        self._newest = 0
        self._restored: set[bytes] = set()
        """Keys that an earlier run has learnt. It may have been killed before their articles were written: one that
        comes again is told again as it was told then, and is no `unchanged`."""

    def replay(self, entry: bytes) -> None:
        times, sentences, owners, known = unpack_hashes(entry)
        self._printed.index.add(times, sentences, owners)
        for first, latest, content, revision, flags in _KNOWN.iter_unpack(known):
            self._learn(_Known(first, latest, content, revision, bool(flags & 1), bool(flags & 2)))
            self._restored.add(latest)

    def _learn(self, known: _Known) -> None:
        self._known[id_of(known.latest)] = known
        self._newest = max(self._newest, micros_of(known.latest))

    def work(self, messages: Sequence[bytes]) -> Work:
        sent: list[Sent] = []
        new: list[tuple[Sighting, _Known]] = []
        for packed in sorted(messages):  # a sighting begins with its key
            sighting = unpack_sighting(packed)
            known = self._before(sighting)
            if known is not None and known.latest == sighting.key and sighting.key in self._restored:
                self._restored.remove(sighting.key)
                new.append((sighting, known))
                continue
            # The text of a feed, which may be shortened, never replaces that of the page.
            worse = known is not None and sighting.from_feed and not known.from_feed
            if known is not None and (known.content == sighting.content or worse):
                home = id_shard(id_of(sighting.key), self._config.shards)
                sent.append(Sent("verdicts", home, b"S" + settled(sighting.key, UNCHANGED, known.revision, 0)))
                continue
            first, revision = (known.first, min(known.revision + 1, 65535)) if known else (sighting.key, 1)
            now = _Known(first, sighting.key, sighting.content, revision, sighting.by_content, sighting.from_feed)
            self._learn(now)
            new.append((sighting, now))
        if not new:
            return Work(sent=sent)
        questions = Questions(self._config.shards)
        boilerplate, entry = self._printed.look([sighting for sighting, _ in new])
        for (sighting, known), dropped in zip(new, boilerplate, strict=True):
            self._tell(sighting, known, dropped, sent, questions)
        sent.extend(questions.sent())
        return Work(sent=sent, learnt=entry + b"".join([known.packed() for _, known in new]))

    def _before(self, sighting: Sighting) -> _Known | None:
        """What is known of the article from before."""
        known = self._known.get(id_of(sighting.key))
        if known is not None and micros_of(sighting.key) - micros_of(known.latest) > self._remembered(known):
            return None
        return known

    def _remembered(self, known: _Known) -> int:
        """How long, in microseconds."""
        return self._horizon if known.by_content else round(self._config.revisions_days * 86_400_000_000)

    def _tell(
        self, sighting: Sighting, known: _Known, dropped: Dropped, sent: list[Sent], questions: Questions
    ) -> None:
        """Tells the other shards of an article, without its boilerplate."""
        f = sighting.features
        anchors, sketch, numbers = without(f, dropped)
        anchors = anchors[:ANCHORS]
        home = id_shard(id_of(known.latest), self._config.shards)
        standing = REVISION if known.revision > 1 else UNIQUE
        if not anchors.size:
            sent.append(Sent("verdicts", home, b"S" + settled(known.latest, standing, known.revision, 0)))
            return
        kept, bits = cut(sketch)
        own = Print(
            key=known.latest,
            bound=known.first,
            time=sighting.time,
            exact=f.exact,
            words=f.words,
            revision=known.revision,
            bits=bits,
            sketch=kept,
            numbers=numbers,
            names=sighting.names,
            credits=sighting.credits,
        ).packed()
        asked = questions.ask(known.latest, sighting.time, anchors)
        sent.append(Sent("candidates", home, b"B" + Base(known.latest, standing, known.revision, asked, own).packed()))
        sent.append(Sent("sketches", home, b"P" + own))

    def live_bytes(self) -> int:
        index = self._printed.index
        alive = index.count - index.oldest()
        return len(self._known) * _KNOWN.size + 12 * index.size() * alive // max(index.count, 1)

    def compacted(self) -> Iterable[bytes]:
        self._known = {
            article: known
            for article, known in self._known.items()
            if self._newest - micros_of(known.latest) <= self._remembered(known)
        }
        self._printed.index.compact()
        yield self._printed.index.packed() + b"".join(
            [known.packed() for known in sorted(self._known.values(), key=lambda known: known.latest)]
        )


@dataclass(frozen=True)
class Outlets:
    """Makes the memory of each shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> OutletMemory:
        return OutletMemory(self.config)
