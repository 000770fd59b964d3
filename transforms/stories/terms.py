"""What an article is about, as its heaviest words."""

import math
import re
import zlib
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Optional

import numpy as np
import numpy.typing as npt

from newsbeam.transforms.model.records import Article
from newsbeam.transforms.text.spaceless import SPACELESS

Hashes = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.float64]

TERMS = 100
"""Words of an article that count."""
TITLE_WEIGHT = 2
LONGEST_TEXT = 20_000
"""Characters that are looked at: what an article is about stands at its beginning."""

_TABLE = Path(__file__).parent / "idf.npz"
_NAMED_AS = {"no": "nb", "nn": "nb", "tl": "fil", "bs": "sh", "hr": "sh", "sr": "sh"}
"""wordfreq's names for languages that have another one in records. Its `sh` is written in Latin letters."""
_TERM_BYTES = 12
STEPS = 24.0
"""Weights are kept in steps of 1/24."""
_LONGEST_WORD = 8.0

# The bytes of UTF-8 as words are made of them: what is no letter or digit of ASCII parts words.
_PARTING = bytes(byte if byte >= 128 or chr(byte).isalnum() else 32 for byte in range(256))
_UNSPACED = re.compile(f"[{SPACELESS}]+")


class Terms(NamedTuple):
    """The heaviest words of an article as a vector of length 1, heaviest first."""

    hashes: Hashes
    """Of each word (CRC-32 of its UTF-8); all different."""
    weights: Weights

    def packed(self) -> bytes:
        """As it travels."""
        return self.hashes.tobytes() + self.weights.tobytes()


def unpack_terms(packed: bytes) -> Terms:
    """The vector that `Terms.packed` made."""
    count = len(packed) // _TERM_BYTES
    return Terms(np.frombuffer(packed, np.uint32, count), np.frombuffer(packed, np.float64, count, 4 * count))


class Table(NamedTuple):
    """Inverse document frequencies of a language's words (natural logarithm, documents of 400 words)."""

    hashes: Hashes
    """Ascending."""
    frequencies: npt.NDArray[np.uint8]
    """In steps of 1/24."""
    rarest: int
    """That of any word that is not in the table."""

    def of(self, hashes: Hashes) -> Weights:
        """The inverse document frequency of each word."""
        at = np.minimum(self.hashes.searchsorted(hashes), self.hashes.size - 1)
        return np.where(self.hashes[at] == hashes, self.frequencies[at], self.rarest) / STEPS


@lru_cache(maxsize=1)
def _damping() -> Weights:
    """What a word counts that an article has so many times."""
    most = (1 + TITLE_WEIGHT) * LONGEST_TEXT
    return np.array([0.0, *(1 + math.log(count) for count in range(1, most))])


@lru_cache(maxsize=256)
def table_of(language: str) -> Optional[Table]:
    """The table of a language (BCP 47); None where none is shipped. Read when it is first asked for."""
    name = language.partition("-")[0].lower()
    name = _NAMED_AS.get(name, name)
    with np.load(_TABLE) as stored:
        if name not in stored.files or "." in name:
            return None
        hashes, frequencies = stored[name], stored[f"{name}.idf"]
    # First comes the one of all words that are not listed, under -1.
    return Table(hashes[1:].astype(np.uint32), frequencies[1:], int(frequencies[0]))


def count_terms(text: str) -> Counter[bytes]:
    """The words of a text in small letters, as UTF-8; of scripts without spaces, each two letters in a row."""
    text = text[:LONGEST_TEXT].lower()
    pairs: list[bytes] = []
    if not text.isascii():
        letters = sorted(set(text))
        if _UNSPACED.search("".join(letters)):
            runs = _UNSPACED.findall(text)
            pairs = [run[i : i + 2].encode() for run in runs for i in range(len(run) - 1)]
            text = _UNSPACED.sub(" ", text)
        for letter in letters:
            if letter > "\x7f" and not letter.isalnum():
                text = text.replace(letter, " ")
    counts = Counter(text.encode("utf-8", "replace").translate(_PARTING).split())
    for word in [word for word in counts if len(word) <= 4 and len(word.decode()) == 1]:
        del counts[word]
    counts.update(pairs)
    return counts


def terms(title: str, text: str, language: str) -> Terms:
    """The `TERMS` heaviest words of an article with their weights."""
    counts = count_terms(text)
    for word, count in count_terms(title).items():
        counts[word] += TITLE_WEIGHT * count
    words = list(counts)
    hashes, first = np.unique(np.array(list(map(zlib.crc32, words)), np.uint32), return_index=True)
    times = np.array(list(counts.values()), np.int64)[first]
    table = table_of(language)
    if table:
        rarity = table.of(hashes)
    else:
        # Rare words are long in all languages (Zipf's law of abbreviation).
        rarity = np.minimum([float(len(words[i].decode())) for i in first.tolist()], _LONGEST_WORD)
    weights = _damping()[times] * rarity
    heaviest = np.argsort(-weights, kind="stable")[:TERMS]
    hashes, weights = hashes[heaviest], weights[heaviest]
    return Terms(hashes, weights / length(weights))


def with_terms(article: Article) -> Article:
    """`article` with its `story_terms`."""
    return replace(article, story_terms=terms(article.title, article.text, article.language).packed())


def terms_of(article: Article) -> Terms:
    """The terms that an article carries, or would."""
    if article.story_terms:
        return unpack_terms(article.story_terms)
    return terms(article.title, article.text, article.language)


def length(weights: Weights) -> float:
    """Of a vector; 1 if it has none. Added up in order: numpy's own sums differ from processor to processor."""
    squares = np.cumsum(weights * weights)
    return math.sqrt(squares[-1]) if squares.size and squares[-1] else 1.0
