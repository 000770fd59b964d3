"""The shard of an outlet: which of its articles were there before, and which sentences it prints under all of them."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.duplicates.anchors import question
from transforms.duplicates.config import DuplicatesConfig
from transforms.duplicates.features import ANCHORS, PLACE_BITS, U32, U64, Features, cut
from transforms.duplicates.index import Index, pack_hashes, unpack_hashes
from transforms.duplicates.prints import Print, Sighting, unpack_sighting
from transforms.order import KEY, id_of, id_shard, micros_of
from transforms.shards import Sent, Work

UNIQUE, REVISION, UNCHANGED = 0, 1, 2

BOILERPLATE_PRINTED = 2
"""A sentence that so many earlier articles of an outlet have is boilerplate ..."""
LEAST_LEFT = 0.25
"""... unless less than this part of the words would be left."""

_BASE = struct.Struct(f"<{KEY}sBHHI")
"""For candidates: key, standing, revision, number of anchor shards asked, bytes of the print that follows."""
_SETTLED = struct.Struct(f"<{KEY}sBHH")
"""For verdicts: key, standing, revision, number of sketch shards asked."""
_LEARNT = struct.Struct(f"<{KEY}s{KEY}s16sHB")


class _Known(NamedTuple):
    first: bytes
    latest: bytes
    content: bytes
    revision: int
    by_content: bool


class Base(NamedTuple):
    """What is known of an article before it is compared."""

    key: bytes
    standing: int
    revision: int
    asked: int
    """How many anchor shards answer."""
    print: bytes

    def packed(self) -> bytes:
        return _BASE.pack(self.key, self.standing, self.revision, self.asked, len(self.print)) + self.print


def unpack_base(packed: bytes) -> Base:
    """The base that `packed` made."""
    key, standing, revision, asked, length = _BASE.unpack_from(packed)
    return Base(key, standing, revision, asked, packed[_BASE.size : _BASE.size + length])


def settled(key: bytes, standing: int, revision: int, asked: int) -> bytes:
    """Tells the verdict shard how many answers to wait for."""
    return _SETTLED.pack(key, standing, revision, asked)


def unpack_settled(packed: bytes) -> tuple[bytes, int, int, int]:
    """Key, standing, revision, number of sketch shards asked."""
    return _SETTLED.unpack_from(packed)


class OutletMemory:
    """Remembers identities (id -> first and latest key, content, revision) and who has printed which sentence."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config
        self._horizon = round(config.horizon_hours * 3_600_000_000)
        self._known: dict[bytes, _Known] = {}
        self._printed = Index(2 * BOILERPLATE_PRINTED, self._horizon)
        self._newest = 0

    def replay(self, entry: bytes) -> None:
        times, sentences, owners, known = unpack_hashes(entry)
        self._printed.add(times, sentences, owners)
        for first, latest, content, revision, by_content in _LEARNT.iter_unpack(known):
            self._learn(_Known(first, latest, content, revision, bool(by_content)))

    def _learn(self, known: _Known) -> None:
        self._known[id_of(known.latest)] = known
        self._newest = max(self._newest, micros_of(known.latest))

    def work(self, messages: Sequence[bytes]) -> Work:
        sent: list[Sent] = []
        new: list[tuple[Sighting, _Known]] = []
        for packed in sorted(messages):  # a sighting begins with its key
            sighting = unpack_sighting(packed)
            known = self._identify(sighting)
            if known.latest != sighting.key:
                home = id_shard(id_of(sighting.key), self._config.shards)
                sent.append(Sent("verdicts", home, b"S" + settled(sighting.key, UNCHANGED, known.revision, 0)))
            else:
                new.append((sighting, known))
        if not new:
            return Work(sent=sent)
        questions = Questions(self._config.shards)
        learnt = []
        boilerplate = self._boilerplate(new)
        for (sighting, known), dropped in zip(new, boilerplate.sentences, strict=True):
            self._tell(sighting, known, dropped, sent, questions)
            learnt.append(_LEARNT.pack(*known))
        sent.extend(questions.sent())
        return Work(sent=sent, learnt=boilerplate.entry + b"".join(learnt))

    def _identify(self, sighting: Sighting) -> _Known:
        """What is known of the article with this; if there is nothing new in it, what was known before."""
        key = sighting.key
        known = self._known.get(id_of(key))
        if known is not None and micros_of(key) - micros_of(known.latest) > self._remembered(known):
            known = None
        if known is not None and known.content == sighting.content:
            return known
        first, revision = (known.first, min(known.revision + 1, 65535)) if known else (key, 1)
        now = _Known(first, key, sighting.content, revision, sighting.by_content)
        self._learn(now)
        return now

    def _remembered(self, known: _Known) -> int:
        """How long, in microseconds."""
        return self._horizon if known.by_content else round(self._config.revisions_days * 86_400_000_000)

    def _boilerplate(self, new: Sequence[tuple[Sighting, _Known]]) -> "_Boilerplate":
        """Which sentences of each article its outlet has printed in two earlier ones; learns the sentences."""
        times = np.array([micros_of(sighting.key) for sighting, _ in new], np.int64)
        own = [_own_sentences(sighting) for sighting, _ in new]
        sizes = [len(sentences) for sentences in own]
        hashes, at = np.concatenate(own), np.cumsum([0, *sizes])
        owners = np.repeat(np.arange(len(new), dtype=np.uint32), sizes)
        asked, found = self._printed.earlier(hashes, owners)
        self._printed.add(times, hashes, owners)
        near = times[owners[asked]] - self._printed.times(found) <= self._horizon
        printed = np.bincount(asked[near], minlength=hashes.size)
        dropped = []
        for i, (sighting, known) in enumerate(new):
            # The article itself has printed most of its sentences before, once in each revision.
            needed = min(BOILERPLATE_PRINTED + known.revision - 1, 2 * BOILERPLATE_PRINTED)
            repeated = own[i][printed[at[i] : at[i + 1]] >= needed]
            dropped.append(_dropped(sighting, repeated) if repeated.size else None)
        return _Boilerplate(dropped, pack_hashes(times, hashes, owners))

    def _tell(
        self,
        sighting: Sighting,
        known: _Known,
        dropped: npt.NDArray[np.bool_] | None,
        sent: list[Sent],
        questions: "Questions",
    ) -> None:
        """Tells the other shards of an article, without its boilerplate."""
        f = sighting.features
        anchors, sketch, numbers = f.anchors, f.sketch, f.numbers
        if dropped is not None:
            anchors = anchors[~dropped[f.anchor_sentences]]
            sketch = _without(sketch, f, dropped)
            numbers = numbers[~dropped[f.number_sentences]]
        anchors = anchors[:ANCHORS]
        kept, bits = cut(sketch)
        home = id_shard(id_of(known.latest), self._config.shards)
        standing = REVISION if known.revision > 1 else UNIQUE
        if not anchors.size:
            sent.append(Sent("verdicts", home, b"S" + settled(known.latest, standing, known.revision, 0)))
            return
        own = Print(
            *(known.latest, known.first, sighting.time, f.exact, f.words, known.revision, bits), kept, numbers
        ).packed()
        asked = questions.ask(known.latest, sighting.time, anchors)
        sent.append(Sent("candidates", home, b"B" + Base(known.latest, standing, known.revision, asked, own).packed()))
        sent.append(Sent("sketches", home, b"P" + own))

    def live_bytes(self) -> int:
        alive = self._printed.count - self._printed.oldest()
        return len(self._known) * _LEARNT.size + 12 * self._printed.size() * alive // max(self._printed.count, 1)

    def compacted(self) -> Iterable[bytes]:
        self._known = {
            article: known
            for article, known in self._known.items()
            if self._newest - micros_of(known.latest) <= self._remembered(known)
        }
        self._printed.compact()
        yield self._printed.packed() + b"".join(_LEARNT.pack(*known) for _, known in sorted(self._known.items()))


class _Boilerplate(NamedTuple):
    sentences: list[npt.NDArray[np.bool_] | None]
    """Of each article which sentences are boilerplate; None if none is, or too little else is left."""
    entry: bytes
    """For the log."""


def _own_sentences(sighting: Sighting) -> U64:
    """The sentences of an article that could be boilerplate, as hashes that no other outlet has."""
    if not sighting.outlet:
        return np.zeros(0, np.uint64)
    f = sighting.features
    own: U64 = np.unique(f.sentences[f.sentence_words >= 3]) ^ np.uint64(sighting.outlet)
    return own


def _dropped(sighting: Sighting, repeated: U64) -> npt.NDArray[np.bool_] | None:
    f = sighting.features
    dropped = np.isin(f.sentences ^ np.uint64(sighting.outlet), repeated)
    left = f.sentence_words[~dropped].sum()
    return None if left < LEAST_LEFT * f.sentence_words.sum() else dropped


def _without(sketch: U32, f: Features, dropped: npt.NDArray[np.bool_]) -> U32:
    """A sketch without what stands in dropped sentences, with quarters of what is left."""
    words = np.where(dropped, 0, f.sentence_words.astype(np.int64))
    quarters = (np.cumsum(words) * 2 - words) * 2 // max(int(words.sum()), 1)
    kept = ~dropped[f.sketch_sentences]
    place = np.minimum(quarters[f.sketch_sentences[kept]], 3).astype(np.uint32)
    return sketch[kept] >> np.uint32(PLACE_BITS) << np.uint32(PLACE_BITS) | place


class Questions:
    """Gathers what the shards of anchors are asked in one go: one message a shard."""

    def __init__(self, shards: int) -> None:
        self._shards = shards
        self._keys: list[bytes] = []
        self._times: list[int] = []
        self._anchors: list[U64] = []

    def ask(self, key: bytes, time: int, anchors: U64) -> int:
        """Adds an article; returns how many shards will answer."""
        self._keys.append(key)
        self._times.append(time)
        self._anchors.append(anchors)
        return len(set((anchors % np.uint64(self._shards)).tolist()))

    def sent(self) -> list[Sent]:
        """The messages."""
        if not self._keys:
            return []
        anchors = np.concatenate(self._anchors)
        asking = np.repeat(np.arange(len(self._keys), dtype=np.uint32), [len(own) for own in self._anchors])
        shards = (anchors % np.uint64(self._shards)).astype(np.int64)
        sent = []
        for shard in np.unique(shards).tolist():
            mine = shards == shard
            asked, owners = np.unique(asking[mine], return_inverse=True)
            keys = b"".join([self._keys[i] for i in asked.tolist()])
            times = np.array([self._times[i] for i in asked.tolist()], np.int64)
            sent.append(Sent("anchors", shard, question(keys, times, owners.astype(np.uint32), anchors[mine])))
        return sent


@dataclass(frozen=True)
class Outlets:
    """Makes the memory of each shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> OutletMemory:
        return OutletMemory(self.config)
