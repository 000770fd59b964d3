"""The characters of many lines at once, as numbers: what class each is of, and how many of a class each line has.

A page has hundreds of lines, most of a word or two: a dozen questions to each cost more than one table for all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.text.spaceless import SPACELESS

Ints = NDArray[np.int64]

_CLASSES: tuple[tuple[str, str], ...] = (
    ("letter", r"[^\W\d_]"),
    ("word", r"\w"),
    ("digit", r"\d"),
    ("solo", f"[{SPACELESS}]"),
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
_RARE = DIGIT | SOLO | ENDER | COMMA | QUOTE | SEPARATOR | SIGN | AT | UPPER
_PLANE = 0x10000
_ROW_BITS = 8
_ROW = 1 << _ROW_BITS
_ROWS = _PLANE // _ROW


def _classify(characters: str) -> NDArray[np.uint16]:
    bits = np.zeros(len(characters), dtype=np.uint16)
    for name, pattern in _CLASSES:
        places = [found.start() for found in re.finditer(pattern, characters)]
        bits[places] |= np.uint16(_BIT[name])
    for bit, test in ((UPPER, str.isupper), (LOWER, str.islower), (TITLE, str.istitle), (ALNUM, str.isalnum)):
        bits[[place for place, one in enumerate(characters) if test(one)]] |= np.uint16(bit)
    return bits


# Filled row by row as characters are met: most pages have those of three rows, and all 256 take a tenth of a second.
_TABLE = np.zeros((_ROWS, _ROW), dtype=np.uint16)
_FILLED = np.zeros(_ROWS, dtype=bool)


def _look_up(codes: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """The bits of characters below `_PLANE`."""
    rows = codes[codes >= _ROW] >> _ROW_BITS
    if not _FILLED[rows].all() or not _FILLED[0]:
        for row in sorted({0, *rows[~_FILLED[rows]].tolist()}):
            _TABLE[row] = _classify("".join(map(chr, range(row * _ROW, (row + 1) * _ROW))))
            _FILLED[row] = True
    # By `[]`, numpy would first make numbers of eight bytes of them all.
    return _TABLE.ravel().take(codes)


@dataclass(frozen=True)
class Characters:
    """Lines one behind the other, a line break after each: bits of each character's classes, and where lines start."""

    text: str
    bits: NDArray[np.uint16]
    starts: Ints
    sizes: Ints
    lines: Ints
    """For each character the number of its line."""

    @cached_property
    def _rare(self) -> tuple[Ints, NDArray[np.uint16]]:
        """Where characters of the classes are that few belong to, and their bits."""
        places = np.flatnonzero((self.bits & _RARE) != 0)
        return places, self.bits[places]

    def places(self, wanted: int) -> Ints:
        """Where characters of a class are."""
        if wanted & ~_RARE:
            return np.flatnonzero((self.bits & wanted) != 0)
        places, bits = self._rare
        some: Ints = places[(bits & wanted) != 0]
        return some

    def letter_runs(self) -> tuple[Ints, Ints]:
        """Where runs of letters start and end."""
        letter = (self.bits & LETTER) != 0
        edges = np.flatnonzero(letter[1:] != letter[:-1]) + 1
        if letter[0]:
            edges = np.concatenate(([0], edges))
        return edges[::2], edges[1::2]

    def count(self, wanted: int) -> Ints:
        """How many characters of a class each line has."""
        return self.by_line(self.places(wanted))

    def counts(self, *classes: int) -> list[Ints]:
        """How many characters of each of these rare classes each line has."""
        places, bits = self._rare
        lines = self.lines[places]
        return [np.bincount(lines[(bits & one) != 0], minlength=len(self.starts)) for one in classes]

    def by_line(self, places: Ints) -> Ints:
        """How many of these places each line has."""
        return np.bincount(self.lines[places], minlength=len(self.starts))


def letters_only(text: str, bits: NDArray[np.uint16]) -> str:
    """A text with a space for all that is no letter, and around each one that is a word: split, it is its words."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    space = np.uint32(ord(" "))
    spaced = np.where((bits & LETTER) != 0, codes, space)
    alone = np.flatnonzero((bits & SOLO) != 0)
    if len(alone):
        spaced = np.insert(spaced, np.concatenate((alone, alone + 1)), space)
    return spaced.tobytes().decode("utf-32-le", "surrogatepass")


def class_bits(text: str) -> NDArray[np.uint16]:
    """The bits of each character's classes."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    if text.isascii() or int(codes.max()) < _PLANE:
        return _look_up(codes)
    bits = _look_up(np.minimum(codes, _PLANE - 1))
    beyond, which = np.unique(codes[codes >= _PLANE], return_inverse=True)
    bits[codes >= _PLANE] = _classify("".join(map(chr, beyond.tolist())))[which]
    return bits


def characters_of(lines: Sequence[str]) -> Characters:
    """Looks up every character of the lines, none of which may hold a line break."""
    text = "\n".join(lines) + "\n"
    sizes = np.fromiter(map(len, lines), dtype=np.int64, count=len(lines))
    starts = np.cumsum(sizes + 1) - sizes - 1
    return Characters(text, class_bits(text), starts, sizes, np.repeat(np.arange(len(lines)), sizes + 1))


def words_in_lines(lines: Sequence[str]) -> Ints:
    """How many words each line has, of letters alone; each character is one where a script has no spaces.

    The measure by which lines are short or long, not the record's `word_count`.
    """
    characters = characters_of(lines)
    letters = (characters.bits & LETTER) != 0
    solo = letters & ((characters.bits & SOLO) != 0)
    inside = letters & ~solo
    begins = solo | inside
    begins[1:] &= solo[1:] | ~inside[:-1]
    return characters.by_line(np.flatnonzero(begins))
