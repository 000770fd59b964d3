"""Texts as they are compared: small letters and digits with single spaces between."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsbeam.transforms.text.spaceless import spaceless_points

I64 = npt.NDArray[np.int64]

_FOLD_SIZE = 0x30000
_SPACE = 0x20
_GONE = 0


class Folded(NamedTuple):
    """Texts one after the other, with a space before each and after the last."""

    letters: npt.NDArray[np.integer[Any]]
    bounds: I64
    """Where in `letters` the space before each text is, and that after the last."""
    starts: I64
    """Where words begin; letters of scripts without spaces are words."""
    stops: I64
    """And end: the place after the last letter."""
    sentences: I64
    """For each word a number that grows by one or more from sentence to sentence."""
    words: I64
    """The number of the first word of each text, and of all words."""


@lru_cache(maxsize=1)
def _fold() -> npt.NDArray[np.uint32]:
    """For each code point what it counts as: a small letter or digit, a space, or nothing at all."""
    fold = np.full(_FOLD_SIZE, _SPACE, np.uint32)
    for point in range(_FOLD_SIZE):
        character = chr(point)
        if character.isalnum():
            lower = character.lower()
            fold[point] = ord(lower[0])
    # Soft hyphen, combining marks of Latin and Greek, zero-width characters: seen by nobody.
    for first, last in ((0xAD, 0xAD), (0x300, 0x36F), (0x200B, 0x200F), (0x2060, 0x2060), (0xFE00, 0xFE0F)):
        fold[first : last + 1] = _GONE
    # Apostrophes belong to their word.
    fold[[0x27, 0x2019, 0x2BC]] = _GONE
    # Vowel signs of Indic and Thai scripts are letters of a kind that `isalnum` does not know.
    for first, last in ((0x900, 0xDFF), (0xE30, 0xE4E), (0x1000, 0x109F), (0x1780, 0x17DD)):
        for point in range(first, last + 1):
            if fold[point] == _SPACE and not chr(point).isspace():
                fold[point] = point
    return fold


@lru_cache(maxsize=1)
def _fold_ascii() -> npt.NDArray[np.uint8]:
    return _fold()[:128].astype(np.uint8)


@lru_cache(maxsize=1)
def _unspaced() -> npt.NDArray[np.bool_]:
    """The code points of scripts without spaces between words: each is taken for a word."""
    return spaceless_points(_FOLD_SIZE)


def fold(texts: Sequence[str]) -> Folded:
    """Folds texts, of any script; texts that are all in ASCII in a quarter of the space."""
    text = "\n".join(["", *texts, ""])
    plain = text.isascii()
    raw: npt.NDArray[np.integer[Any]]
    folded: npt.NDArray[np.integer[Any]]
    if plain:
        raw = np.frombuffer(text.encode("ascii"), np.uint8)
        folded = _fold_ascii()[raw]
    else:
        raw = np.minimum(np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32), _FOLD_SIZE - 1)
        folded = _fold()[raw]
    is_digit = (raw >= 0x30) & (raw <= 0x39)
    # 1,234.5 and 12:30 are one number each.
    joint = ((raw == 0x2C) | (raw == 0x2E) | (raw == 0x3A)).nonzero()[0]
    folded[joint[is_digit[joint - 1] & is_digit[joint + 1]]] = _GONE
    space = folded == _SPACE
    ends = raw == 10
    if not plain:
        ends |= (raw == 0x3002) | (raw == 0xFF01) | (raw == 0xFF1F)
    stops = ((raw == 0x2E) | (raw == 0x21) | (raw == 0x3F)).nonzero()[0]
    ends[stops[space[stops + 1]]] = True
    kept = folded != _GONE
    kept[1:] &= ~(space[1:] & space[:-1])
    at = kept.nonzero()[0]
    letters = folded[at]

    is_space = letters == _SPACE
    begins, finishes = ~is_space, ~is_space
    begins[1:] &= is_space[:-1]
    finishes[:-1] &= is_space[1:]
    if not plain:
        alone = _unspaced()[letters] & ~is_space
        between = alone[1:] | alone[:-1]
        begins[1:] |= between & ~is_space[1:]
        finishes[:-1] |= between & ~is_space[:-1]
    starts = begins.nonzero()[0]
    breaks = np.cumsum([0, *(len(one) + 1 for one in texts)])
    # The line break before a text may have gone as one of several spaces: then the first of these stands for it.
    bounds = at.searchsorted(breaks, "right") - 1
    return Folded(
        letters=letters,
        bounds=bounds,
        starts=starts,
        stops=finishes.nonzero()[0] + 1,
        sentences=ends.nonzero()[0].searchsorted(at[starts], "right"),
        words=starts.searchsorted(bounds),
    )
