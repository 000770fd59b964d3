"""What an outlet prints under all of its articles: sentences that say nothing of whose copy a text is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from newsbeam.transforms.duplicates.features import PLACE_BITS, U32, U64, Features
from newsbeam.transforms.duplicates.index import I64, Index, pack_hashes
from newsbeam.transforms.duplicates.prints import Sighting
from newsbeam.transforms.model.order import micros_of

PRINTED = 2
"""A sentence that so many earlier articles of an outlet have is boilerplate ..."""
VERSION = 0.5
"""(one that has this part of the words of another is a version of it, and its sentences are not counted again) ..."""
LEAST_LEFT = 0.25
"""... unless less than this part of the words would be left."""
ASKED = 64
"""Newest articles with a sentence that are looked at: so many that versions among them, which are not counted, leave
enough whatever was worked through together."""
SHORTEST = 3
"""Words of a sentence that is looked at."""

Dropped = npt.NDArray[np.bool_] | None
"""Which sentences of an article are boilerplate; None if none is, or too little else is left."""


class PrintedSentences:
    """Remembers who has printed which sentence, within the horizon (in microseconds)."""

    def __init__(self, horizon: int) -> None:
        self._horizon = horizon
        self.index = Index(ASKED, horizon)

    def look(self, articles: Sequence[Sighting]) -> tuple[list[Dropped], bytes]:
        """The boilerplate of articles, which come in their order; learns their sentences, and returns the entry for the
        log."""
        times = np.array([micros_of(article.key) for article in articles], np.int64)
        own = [_sentences(article) for article in articles]
        at = np.cumsum([0, *(sentences.hashes.size for sentences in own)])
        hashes = np.concatenate([sentences.hashes for sentences in own])
        owners = np.repeat(np.arange(len(articles), dtype=np.uint32), np.diff(at))
        asked, found = self.index.earlier(hashes, owners)
        order = np.argsort(asked, kind="stable")
        asked, found = asked[order], found[order]
        bounds = np.searchsorted(asked, at)
        learnt = np.ones(hashes.size, np.bool_)
        versions: dict[int, U64] = {}
        dropped: list[Dropped] = []
        seen = self.index.times_with(times)
        for i, article in enumerate(articles):
            if bounds[i] == bounds[i + 1]:
                dropped.append(None)
                continue
            here = slice(bounds[i], bounds[i + 1])
            position, earlier = asked[here] - at[i], found[here]
            near = times[i] - seen[earlier] <= self._horizon
            for number in versions.keys() & set(earlier.tolist()):
                near &= (earlier != number) | ~np.isin(own[i].hashes[position], versions[number])
            position, earlier = position[near], earlier[near]
            again = _version_of(own[i], position, earlier)
            if again.size:
                learnt[at[i] + again] = False
                versions[self.index.count + i] = own[i].hashes[again]
            repeated = own[i].hashes[np.bincount(position, minlength=own[i].hashes.size) >= PRINTED]
            dropped.append(_dropped(article, repeated) if repeated.size else None)
        self.index.add(times, hashes[learnt], owners[learnt])
        return dropped, pack_hashes(times, hashes[learnt], owners[learnt])


class _Sentences(NamedTuple):
    """The sentences of an article that could be boilerplate, each once."""

    hashes: U64
    """No other outlet has the same."""
    words: I64
    leads: npt.NDArray[np.bool_]
    """Whether it begins in the first third of the text."""


def _sentences(article: Sighting) -> _Sentences:
    f = article.features
    long = np.flatnonzero(f.sentence_words >= SHORTEST) if article.outlet else np.zeros(0, np.int64)
    hashes, first = np.unique(f.sentences[long], return_index=True)
    words = f.sentence_words.astype(np.int64)
    begins = np.cumsum(words) - words
    at = long[first]
    return _Sentences(hashes ^ np.uint64(article.outlet), words[at], begins[at] * 3 < words.sum())


def _version_of(own: _Sentences, position: I64, earlier: I64) -> I64:
    """The sentences that an article has from an earlier one of which it is another version: one that has most of its
    words, and not only those under the text. They do not count as printed once more."""
    if not position.size:
        return position
    which = np.unique(earlier, return_inverse=True)[1]
    common = np.bincount(which, own.words[position])
    common[np.bincount(which, own.leads[position]) == 0] = 0
    most = int(np.argmax(common))
    again: I64 = position[which == most]
    return again if common[most] >= VERSION * own.words.sum() else again[:0]


def _dropped(article: Sighting, repeated: U64) -> Dropped:
    f = article.features
    dropped = np.isin(f.sentences ^ np.uint64(article.outlet), repeated)
    left = f.sentence_words[~dropped].sum()
    return None if left < LEAST_LEFT * f.sentence_words.sum() else dropped


def without(f: Features, dropped: Dropped) -> tuple[U64, U32, U32]:
    """Anchors, sketch and numbers of an article without what stands in dropped sentences; the quarters in the sketch
    are those of what is left."""
    if dropped is None:
        return f.anchors, f.sketch, f.numbers
    words = np.where(dropped, 0, f.sentence_words.astype(np.int64))
    quarters = (np.cumsum(words) * 2 - words) * 2 // max(int(words.sum()), 1)
    kept = ~dropped[f.sketch_sentences]
    places = np.minimum(quarters[f.sketch_sentences[kept]], 3).astype(np.uint32)
    sketch: U32 = f.sketch[kept] >> np.uint32(PLACE_BITS) << np.uint32(PLACE_BITS) | places
    return f.anchors[~dropped[f.anchor_sentences]], sketch, f.numbers[~dropped[f.number_sentences]]
