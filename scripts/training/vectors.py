"""Computes TF-IDF vectors of words and pairs of words, as the tables add them up at run time."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from newsbeam.transforms.topics.table import SEGMENTS

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Vocabulary:
    """Sorted words, sorted pairs of their indices, and the inverse document frequency of each, words first."""

    words: list[str]
    pairs: list[tuple[int, int]]
    idf: Floats

    def rows(self, words: Sequence[str]) -> set[int]:
        """The rows of the distinct words and pairs of a text."""
        places = [self._places.get(word, -1) for word in words]
        found = {place for place in places if place >= 0}
        return found | {self._pair_places[pair] for pair in pairwise(places) if pair in self._pair_places}

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {word: place for place, word in enumerate(self.words)})
        pairs = {pair: len(self.words) + place for place, pair in enumerate(self.pairs)}
        object.__setattr__(self, "_pair_places", pairs)


def build_vocabulary(texts: Sequence[Sequence[str]], extra: Iterable[str], least: int, least_pair: int) -> Vocabulary:
    """Builds the vocabulary: words in at least `least` texts or in `extra`, pairs in at least `least_pair` texts."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(text))
    words = sorted({word for word, times in counts.items() if times >= least} | set(extra))
    known = set(words)
    pairs: Counter[tuple[str, str]] = Counter()
    for text in texts:
        pairs.update({pair for pair in pairwise(text) if pair[0] in known and pair[1] in known})
    kept = sorted(pair for pair, times in pairs.items() if times >= least_pair)
    places = {word: place for place, word in enumerate(words)}
    frequencies = [counts[word] + 3 for word in words] + [pairs[pair] * 1.3 + 3 for pair in kept]
    idf = np.log((len(texts) + 1) / np.array(frequencies)).astype(np.float32)
    return Vocabulary(words, [(places[first], places[second]) for first, second in kept], np.maximum(idf, 0.1))


def vectors(vocabulary: Vocabulary, documents: Iterable[tuple[Sequence[str], Sequence[str]]]) -> sparse.csr_matrix:
    """Returns a row for each (title, text), scaled as at run time: title and lead count more than once."""
    starts, columns, values = [0], [], []
    for title, text in documents:
        counts: dict[int, float] = {}
        squares = 0.0
        for segment in SEGMENTS:
            words = title if segment.of_title else text[: segment.words]
            for row in vocabulary.rows(words):
                counts[row] = counts.get(row, 0.0) + segment.times
                squares += segment.squares * float(vocabulary.idf[row]) ** 2
        length = max(squares, 1e-9) ** 0.5
        columns += list(counts)
        values += [times * float(vocabulary.idf[row]) / length for row, times in counts.items()]
        starts.append(len(columns))
    shape = (len(starts) - 1, len(vocabulary.idf))
    return sparse.csr_matrix((np.array(values, np.float32), columns, starts), shape=shape)
