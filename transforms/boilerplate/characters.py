"""The characters of many lines at once, as numbers: what class each is of, and how many of a class each line has.

A page has hundreds of lines, most of a word or two: a dozen questions to each cost more than one table for all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

SOLO_RANGES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts without spaces, for a regular expression: each character counts as a word."""

_CLASSES: tuple[tuple[str, str], ...] = (
    ("letter", r"[^\W\d_]"),
    ("word", r"\w"),
    ("digit", r"\d"),
    ("solo", f"[{SOLO_RANGES}]"),
    ("ender", r"[.!?…。！？।؟]"),
    ("full_stop", r"[。！？]"),
    ("after_ender", r"[\s\"'”’»“)』」）]"),
    ("comma", r"[,;、，；،]"),
    ("quote", r"[\"“”„«»「」『』]"),
    ("separator", r"[|•·»›→▶►/]"),
    ("sign", r"[©®™℗]"),
    ("at", r"[@#]"),
)
_BIT = {name: 1 << place for place, (name, _) in enumerate(_CLASSES)}
LETTER, WORD, DIGIT, SOLO = (_BIT[name] for name in ("letter", "word", "digit", "solo"))
ENDER, FULL_STOP, AFTER_ENDER = (_BIT[name] for name in ("ender", "full_stop", "after_ender"))
COMMA, QUOTE, SEPARATOR, SIGN, AT = (_BIT[name] for name in ("comma", "quote", "separator", "sign", "at"))
UPPER, LOWER, TITLE, ALNUM = (1 << place for place in range(len(_CLASSES), len(_CLASSES) + 4))
_PLANE = 0x10000


def _classify(characters: str) -> NDArray[np.uint16]:
    bits = np.zeros(len(characters), dtype=np.uint16)
    for name, pattern in _CLASSES:
        places = [found.start() for found in re.finditer(pattern, characters)]
        bits[places] |= np.uint16(_BIT[name])
    for bit, test in ((UPPER, str.isupper), (LOWER, str.islower), (TITLE, str.istitle), (ALNUM, str.isalnum)):
        bits[[place for place, one in enumerate(characters) if test(one)]] |= np.uint16(bit)
    return bits


@lru_cache(maxsize=1)
def _table() -> NDArray[np.uint16]:
    return _classify("".join(map(chr, range(_PLANE))))


@dataclass(frozen=True)
class Characters:
    """Lines one behind the other, a line break after each: bits of each character's classes, and where lines start."""

    text: str
    bits: NDArray[np.uint16]
    starts: Ints
    sizes: Ints
    lines: Ints
    """For each character the number of its line."""

    def places(self, wanted: int) -> Ints:
        """Where characters of a class are."""
        return np.flatnonzero(self.bits & wanted)

    def count(self, wanted: int) -> Ints:
        """How many characters of a class each line has."""
        return self.by_line(self.places(wanted))

    def by_line(self, places: Ints) -> Ints:
        """How many of these places each line has."""
        return np.bincount(self.lines[places], minlength=len(self.starts))


def class_bits(text: str) -> NDArray[np.uint16]:
    """The bits of each character's classes."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    if text.isascii() or int(codes.max()) < _PLANE:
        return _table()[codes]
    bits = _table()[np.minimum(codes, _PLANE - 1)]
    beyond, which = np.unique(codes[codes >= _PLANE], return_inverse=True)
    bits[codes >= _PLANE] = _classify("".join(map(chr, beyond.tolist())))[which]
    return bits


def characters_of(lines: Sequence[str]) -> Characters:
    """Looks up every character of the lines, none of which may hold a line break."""
    text = "\n".join(lines) + "\n"
    sizes = np.fromiter(map(len, lines), dtype=np.int64, count=len(lines))
    starts = np.cumsum(sizes + 1) - sizes - 1
    return Characters(text, class_bits(text), starts, sizes, np.repeat(np.arange(len(lines)), sizes + 1))


def count_words(text: str) -> int:
    """Words of a text, numbers among them; each character is one where a script has no spaces."""
    bits = class_bits(text)
    solo = (bits & SOLO) != 0
    inside = ((bits & WORD) != 0) & ~solo
    return int(np.count_nonzero(solo) + np.count_nonzero(inside[1:] & ~inside[:-1]) + np.count_nonzero(inside[:1]))


def words_in_lines(lines: Sequence[str]) -> Ints:
    """How many words each line has, of letters alone; each character is one where a script has no spaces."""
    characters = characters_of(lines)
    solo = (characters.bits & SOLO) != 0
    inside = ((characters.bits & LETTER) != 0) & ~solo
    begins = solo | inside
    begins[1:] &= solo[1:] | ~inside[:-1]
    return characters.by_line(np.flatnonzero(begins))
