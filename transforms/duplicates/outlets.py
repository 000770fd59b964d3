"""The shard of an outlet: which of its articles were there before, and which sentences it prints under all of them."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.duplicates.config import DuplicatesConfig
from transforms.duplicates.features import ANCHORS, U64, cut
from transforms.duplicates.prints import Print, Sighting, unpack_sighting
from transforms.order import KEY, id_of, id_shard, micros_of
from transforms.shards import Sent, Work, pack, unpack

UNIQUE, REVISION, UNCHANGED = 0, 1, 2

RECENT = 32
"""Articles of an outlet whose sentences are remembered."""
BOILERPLATE_PRINTED = 2
"""A sentence that so many earlier of them have is boilerplate ..."""
LEAST_LEFT = 0.25
"""... unless less than this part of the words would be left."""

_BASE = struct.Struct(f"<{KEY}sBHHI")
"""For candidates: key, standing, revision, number of anchor shards asked, bytes of the print that follows."""
_SETTLED = struct.Struct(f"<{KEY}sBHH")
"""For verdicts: key, standing, revision, number of sketch shards asked."""
_LEARNT = struct.Struct(f"<{KEY}s{KEY}s16sQHB")


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
    """Remembers identities (id -> first and latest key, content, revision) and the sentences of recent articles."""

    def __init__(self, config: DuplicatesConfig) -> None:
        self._config = config
        self._known: dict[bytes, _Known] = {}
        self._sentences: dict[int, list[tuple[bytes, U64]]] = {}
        self._newest = 0

    def replay(self, entry: bytes) -> None:
        for one in unpack(entry):
            first, latest, content, outlet, revision, by_content = _LEARNT.unpack_from(one)
            sentences = np.frombuffer(one, np.uint64, offset=_LEARNT.size)
            self._learn(_Known(first, latest, content, revision, bool(by_content)), outlet, sentences)

    def _learn(self, known: _Known, outlet: int, sentences: U64) -> None:
        article = id_of(known.latest)
        self._known[article] = known
        self._newest = max(self._newest, micros_of(known.latest))
        if outlet and sentences.size:
            recent = [one for one in self._sentences.get(outlet, ()) if id_of(one[0]) != article]
            self._sentences[outlet] = [*recent[1 - RECENT :], (known.latest, sentences)]

    def work(self, messages: Sequence[bytes]) -> Work:
        sent: list[Sent] = []
        learnt: list[bytes] = []
        anchors: list[U64] = []
        asking: list[tuple[bytes, int]] = []
        for packed in sorted(messages):  # a sighting begins with its key
            sighting = unpack_sighting(packed)
            self._one(sighting, sent, learnt, asking, anchors)
        self._ask(asking, anchors, sent)
        return Work(sent=sent, learnt=pack(learnt) if learnt else b"")

    def _one(
        self,
        sighting: Sighting,
        sent: list[Sent],
        learnt: list[bytes],
        asking: list[tuple[bytes, int]],
        anchors: list[U64],
    ) -> None:
        key = sighting.key
        article = id_of(key)
        home = id_shard(article, self._config.shards)
        known = self._known.get(article)
        if known is not None and micros_of(key) - micros_of(known.latest) > self._remembered(known):
            known = None
        if known is not None and known.content == sighting.content:
            sent.append(Sent("verdicts", home, b"S" + settled(key, UNCHANGED, known.revision, 0)))
            return
        first, revision = (known.first, min(known.revision + 1, 65535)) if known else (key, 1)
        now = _Known(first, key, sighting.content, revision, sighting.by_content)
        f = sighting.features
        boilerplate = self._boilerplate(sighting, article)
        own = f.anchors
        sketch, numbers = f.sketch, f.numbers
        if boilerplate is not None:
            own = own[~boilerplate[f.anchor_sentences]]
            sketch = sketch[~boilerplate[f.sketch_sentences]]
            numbers = numbers[~boilerplate[f.number_sentences]]
        own = own[:ANCHORS]
        long_sentences = f.sentences[f.sentence_words >= 3]
        self._learn(now, sighting.outlet, long_sentences)
        learnt.append(
            _LEARNT.pack(first, key, sighting.content, sighting.outlet, revision, sighting.by_content)
            + long_sentences.tobytes()
        )
        kept, bits = cut(sketch)
        own_print = Print(key, first, sighting.time, f.exact, f.words, revision, bits, kept, numbers).packed()
        asked = len(set((own % np.uint64(self._config.shards)).tolist()))
        standing = REVISION if revision > 1 else UNIQUE
        base = Base(key, standing, revision, asked, own_print if asked else b"")
        if asked:
            sent.append(Sent("candidates", home, b"B" + base.packed()))
            sent.append(Sent("sketches", home, b"P" + own_print))
            asking.append((key, sighting.time))
            anchors.append(own)
        else:
            sent.append(Sent("verdicts", home, b"S" + settled(key, standing, revision, 0)))

    def _remembered(self, known: _Known) -> int:
        hours = self._config.horizon_hours if known.by_content else self._config.revisions_days * 24
        return round(hours * 3_600_000_000)

    def _boilerplate(self, sighting: Sighting, article: bytes) -> npt.NDArray[np.bool_] | None:
        """Which sentences are boilerplate; None if none is, or too little else is left."""
        recent = self._sentences.get(sighting.outlet)
        f = sighting.features
        if not sighting.outlet or not recent or len(recent) < BOILERPLATE_PRINTED:
            return None
        printed = np.concatenate(
            [np.zeros(0, np.uint64), *(np.unique(own) for key, own in recent if id_of(key) != article)]
        )
        if not printed.size:
            return None
        printed.sort()
        times = np.searchsorted(printed, f.sentences, "right") - np.searchsorted(printed, f.sentences, "left")
        boilerplate = times >= BOILERPLATE_PRINTED
        if not boilerplate.any():
            return None
        left = f.sentence_words[~boilerplate].sum()
        if left < LEAST_LEFT * f.sentence_words.sum():
            return None
        return boilerplate

    def _ask(self, asking: list[tuple[bytes, int]], anchors: list[U64], sent: list[Sent]) -> None:
        """One message a shard: the keys of all who ask, and which of them has which anchor."""
        if not asking:
            return
        everything = np.concatenate(anchors)
        whose = np.repeat(np.arange(len(asking), dtype=np.uint32), [len(own) for own in anchors])
        shards = (everything % np.uint64(self._config.shards)).astype(np.int64)
        for shard in np.unique(shards).tolist():
            mine = shards == shard
            owners, index = np.unique(whose[mine], return_inverse=True)
            keys = b"".join([asking[i][0] for i in owners.tolist()])
            times = np.array([asking[i][1] for i in owners.tolist()], np.int64)
            sent.append(Sent("anchors", shard, question(keys, times, index.astype(np.uint32), everything[mine])))

    def live_bytes(self) -> int:
        oldest = self._newest - self._remembered(_Known(b"", b"", b"", 0, False))
        alive = sum(1 for known in self._known.values() if micros_of(known.latest) >= oldest)
        recent = sum(len(one[1]) * 8 for outlet in self._sentences.values() for one in outlet)
        return alive * (_LEARNT.size + 4) + recent

    def compacted(self) -> Iterable[bytes]:
        """Every identity within its horizon; sentences only of the recent articles of each outlet."""
        self._known = {
            article: known
            for article, known in self._known.items()
            if self._newest - micros_of(known.latest) <= self._remembered(known)
        }
        places = {key: (outlet, sentences) for outlet, recent in self._sentences.items() for key, sentences in recent}
        entry: list[bytes] = []
        none = np.zeros(0, np.uint64)
        for known in sorted(self._known.values(), key=lambda known: known.latest):
            outlet, sentences = places.get(known.latest, (0, none))
            head = _LEARNT.pack(known.first, known.latest, known.content, outlet, known.revision, known.by_content)
            entry.append(head + sentences.tobytes())
            if len(entry) == 4096:
                yield pack(entry)
                entry = []
        if entry:
            yield pack(entry)


@dataclass(frozen=True)
class Outlets:
    """Makes the memory of each shard."""

    config: DuplicatesConfig

    def __call__(self, shard: int) -> OutletMemory:
        return OutletMemory(self.config)


_QUESTION = struct.Struct("<II")


def question(keys: bytes, times: npt.NDArray[np.int64], whose: npt.NDArray[np.uint32], anchors: U64) -> bytes:
    """For a shard of anchors: keys and event times of articles in their order, and for each anchor whose it is.

    What is asked is what is learnt: this is an entry of the log, too.
    """
    return _QUESTION.pack(times.size, anchors.size) + anchors.tobytes() + times.tobytes() + whose.tobytes() + keys


def unpack_question(packed: bytes) -> tuple[bytes, npt.NDArray[np.int64], npt.NDArray[np.uint32], U64]:
    """Keys, times, whose, anchors."""
    articles, count = _QUESTION.unpack_from(packed)
    at = _QUESTION.size
    anchors = np.frombuffer(packed, np.uint64, count, at)
    times = np.frombuffer(packed, np.int64, articles, at + 8 * count)
    at += 8 * count + 8 * articles
    return packed[at + 4 * count :], times, np.frombuffer(packed, np.uint32, count, at), anchors
