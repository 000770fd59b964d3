"""What an article is about, as its heaviest words."""

import math
import re
import zlib
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Optional

import numpy as np

TERMS = 100
"""Words of an article that count."""
TITLE_WEIGHT = 2
LONGEST_TEXT = 20_000
"""Characters that are looked at: what an article is about stands at its beginning."""

_TABLE = Path(__file__).parent / "idf.npz"
STEPS = 24.0
"""Weights are kept in steps of 1/24."""
_LONGEST_WORD = 8.0

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff]+"
)


def term_of(word: str) -> int:
    """A word as a number; the same everywhere."""
    return zlib.crc32(word.encode("utf-8", "replace"))


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[int, float]]:
    with np.load(_TABLE) as stored:
        languages = [name for name in stored.files if "." not in name]
        return {
            language: dict(zip(stored[language].tolist(), (stored[f"{language}.idf"] / STEPS).tolist(), strict=True))
            for language in languages
        }


@lru_cache(maxsize=256)
def weights_of(language: str) -> Optional[dict[int, float]]:
    """Inverse document frequencies of a language's words by term (natural logarithm, documents of 400 words); that of
    any rarer word has the key -1. None for a language that no table is shipped for."""
    return _tables().get(language.partition("-")[0].lower())


def words_of(text: str) -> list[str]:
    """The words of a text in small letters; of scripts without spaces, each two letters in a row."""
    text = text[:LONGEST_TEXT].lower()
    pairs: list[str] = []
    if _UNSPACED.search(text):
        for run in _UNSPACED.findall(text):
            pairs.extend(run[i : i + 2] for i in range(len(run) - 1))
        text = _UNSPACED.sub(" ", text)
    return [word for word in _WORD.findall(text) if len(word) > 1] + pairs


def terms(title: str, text: str, language: str) -> dict[int, float]:
    """The `TERMS` heaviest words of an article with their weights, as a vector of length 1, heaviest first."""
    counts = Counter(words_of(text))
    for word in words_of(title):
        counts[word] += TITLE_WEIGHT
    table = weights_of(language)
    weights: list[tuple[float, int]] = []
    for word, count in counts.items():
        term = term_of(word)
        # Where there is no table: rare words are long in all languages (Zipf's law of abbreviation).
        rarity = table.get(term, table[-1]) if table else min(float(len(word)), _LONGEST_WORD)
        weights.append((-(1 + math.log(count)) * rarity, term))
    weights.sort()
    heaviest = {term: -weight for weight, term in weights[:TERMS]}
    length = math.sqrt(sum(weight * weight for weight in heaviest.values())) or 1.0
    return {term: weight / length for term, weight in heaviest.items()}
