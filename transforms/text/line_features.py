"""What a line of text looks like, in numbers that hold for any language: shape, punctuation, script, neighbours.

Used for lines of plain text and, beside the markup's own features, for blocks of HTML.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.text.characters import (
    AFTER_ENDER,
    ALNUM,
    AT,
    COMMA,
    DIGIT,
    ENDER,
    FULL_STOP,
    LOWER,
    QUOTE,
    SEPARATOR,
    SIGN,
    SOLO,
    TITLE,
    UPPER,
    WORD,
    Characters,
    Ints,
    characters_of,
)  # fmt: skip
from newsbeam.transforms.text.line_words import LineWords, line_words, words_of

Floats = NDArray[np.float32]

_WORD = re.compile(r"[^\W\d_]+")
_TERMINAL = frozenset(".!?…。！？।؟")
_COLONS = frozenset(":：")
_CLOSING = "\"'”’»“)]』」）›"
_DATE = re.compile(r"\b(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d|(?:19|20)\d\d[./年-]|\d{1,2}:\d\d)")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_ADDRESS = re.compile(r"https?://|www\.|\S@\S|(?:^|\s)[@#]\w")
_REMEMBERED = 300
_HEAD = 2000
"""Characters of a line that are looked at; no sentence of news is longer."""
_SHOUTED = 400
"""Of these the first so many for capitals."""

SITE_WORD_GROUPS = ("offer", "subscribe", "legal", "contact")
LINE_FEATURES = (
    "log_chars",
    "log_words",
    "word_length",
    "enders",
    "ends_terminal",
    "ends_colon",
    "ends_ellipsis",
    "commas",
    "digit_share",
    "upper_share",
    "capital_words",
    "short_lower_words",
    "starts_lower",
    "starts_mark",
    "quotes",
    "separators",
    "date",
    "year",
    "address",
    "sign",
    "solo_share",
    "repeats",
    "title_in_line",
    "line_in_title",
    "overlap",
    "description_in_line",
    *(f"words_{group}" for group in SITE_WORD_GROUPS),
)


def fold(text: str) -> str:
    """A line as comparisons see it: NFKC, case folded, words only."""
    return _folded(text) if len(text) <= _REMEMBERED else _folded.__wrapped__(text)


def folds_to(text: str, folded: str) -> bool:
    """Whether a line is one that is folded already, and not empty."""
    first, second = text[:1], text[1:2]
    # A letter of ASCII stays the first one, unless an accent follows that joins it.
    if first.isalpha() and first.isascii() and second.isascii() and first.lower() != folded[:1]:
        return False
    return bool(folded) and fold(text) == folded


# A headline is compared with the same short lines by extraction and by rules.
@lru_cache(maxsize=2048)
def _folded(text: str) -> str:
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


@lru_cache(maxsize=1)
def _site_words() -> dict[str, int]:
    """Word -> bits of the groups it belongs to."""
    out: dict[str, int] = {}
    for row in (Path(__file__).parent / "site_words.tsv").read_text(encoding="utf-8").splitlines():
        if row and not row.startswith("#"):
            group, _, words = row.split("\t")
            for word in words.split():
                out[word] = out.get(word, 0) | 1 << SITE_WORD_GROUPS.index(group)
    return out


def line_features(lines: Sequence[str], title: str, description: str) -> tuple[Floats, LineWords]:
    # long because each feature is computed once, in the order in which the models know them
    """One row of `LINE_FEATURES` for each line, given the page's title and description, and the words of the lines.

    No line may hold a line break; an empty one has a row of zeros.
    """
    count = len(lines)
    characters = characters_of([line[:_HEAD] for line in lines])
    bits, starts = characters.bits, characters.starts
    run_starts, run_ends = characters.letter_runs()
    words = line_words(characters, run_starts)
    run_lines = characters.lines[run_starts]
    runs = np.bincount(run_lines, minlength=count)
    several = np.maximum(1, runs)
    letters = np.bincount(run_lines, run_ends - run_starts, count)
    solo, commas, digits, quotes, separators, signs = characters.counts(SOLO, COMMA, DIGIT, QUOTE, SEPARATOR, SIGN)
    amount = runs + solo // 2
    some = np.maximum(1, amount)
    shown = np.maximum(1, characters.sizes)
    sizes = np.fromiter(map(len, lines), dtype=np.int64, count=count)
    upper = characters.places(UPPER)
    upper = upper[upper - starts[characters.lines[upper]] < _SHOUTED]
    date, year = _dates(characters)
    ends = [line.rstrip(_CLOSING)[-1:] for line in lines]
    seen = Counter(lines)
    titled, described = words.flags(words_of(title)), words.flags(words_of(description))
    in_title = words.shared(titled)
    different = np.maximum(1, words.sizes)
    # A word of another long line: for a long one that is a second one.
    long = sizes > 80
    spread = np.bincount(words.members[long[words.member_lines]], minlength=len(words.numbers))
    elsewhere = spread[words.members] > long[words.member_lines]
    columns = [
        np.log1p(sizes),
        np.log1p(amount),
        letters / several,
        characters.by_line(_enders(characters)),
        list(map(_TERMINAL.__contains__, ends)),
        list(map(_COLONS.__contains__, ends)),
        [line.endswith(("...", "…")) for line in lines],
        commas / some,
        digits / shown,
        characters.by_line(upper) / np.clip(letters, 1, _SHOUTED),
        np.bincount(run_lines[(bits[run_starts] & UPPER) != 0], minlength=count) / several,
        np.bincount(run_lines[_short_lower(bits, run_starts, run_ends)], minlength=count) / several,
        (bits[starts] & LOWER) != 0,
        (bits[starts] & ALNUM) == 0,
        quotes,
        separators / some,
        date,
        year,
        _addresses(characters),
        signs > 0,
        solo / shown,
        [seen[line] - 1 for line in lines],
        in_title / max(1, len(set(words_of(title)))),
        in_title / different,
        np.bincount(words.member_lines[elsewhere], minlength=count) / different,
        words.shared(described) / max(1, len(set(words_of(description)))),
        *_site_shares(words, different),
    ]
    table = np.empty((len(columns), count), dtype=np.float32)
    for row, column in enumerate(columns):
        table[row] = column
    return table.T, words


def _enders(characters: Characters) -> Ints:
    """Where sentences end: at a mark before a space, a closing quote or the end of the line."""
    places, bits = characters.places(ENDER), characters.bits
    closed = (bits[places] & FULL_STOP) | (bits[places + 1] & AFTER_ENDER)
    ends: Ints = places[closed != 0]
    return ends


def _short_lower(bits: NDArray[np.uint16], starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """Which runs of letters are of three at most, with none of them upper or title case and one at least lower."""
    sizes = ends - starts
    short = np.flatnonzero(sizes <= 3)
    starts, sizes = starts[short], sizes[short]
    every = bits[starts]
    for place in (1, 2):
        # A shorter one's last letter once more.
        every = every | bits[starts + np.minimum(place, sizes - 1)]
    out = np.zeros(len(ends), dtype=bool)
    out[short] = ((every & LOWER) != 0) & ((every & (UPPER | TITLE)) == 0)
    return out


def _dates(characters: Characters) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which lines hold a date in figures, or the hour, and which a year."""
    date, year = np.zeros(len(characters.starts), dtype=bool), np.zeros(len(characters.starts), dtype=bool)
    bits = characters.bits
    digits = characters.places(DIGIT)
    # Both patterns start at a digit that no letter, digit or underscore precedes.
    firsts = digits[(bits[np.maximum(0, digits - 1)] & WORD == 0) | (digits == 0)]
    for place, line in zip(firsts.tolist(), characters.lines[firsts].tolist(), strict=True):
        if not date[line]:
            date[line] = _DATE.match(characters.text, place) is not None
        if not year[line]:
            year[line] = _YEAR.match(characters.text, place) is not None
    return date, year


def _addresses(characters: Characters) -> NDArray[np.bool_]:
    """Which lines hold an address of the web, a mail address, a handle or a hashtag."""
    out = np.zeros(len(characters.starts), dtype=bool)
    text = characters.text
    if not ("://" in text or "www." in text or "@" in text or "#" in text):
        return out
    places = characters.places(AT).tolist()
    if "://" in text or "www." in text:
        places += [found.start() for found in re.finditer(r"://|www\.", text)]
    starts, sizes = characters.starts, characters.sizes
    for line in sorted(set(characters.lines[places].tolist())):
        start = int(starts[line])
        out[line] = _ADDRESS.search(text[start : start + int(sizes[line])]) is not None
    return out


def _site_shares(words: LineWords, different: Ints) -> list[NDArray[np.float64]]:
    """For each group the share of a line's different words that belong to it."""
    known = _site_words()
    bits = np.zeros(len(words.numbers), dtype=np.int64)
    here = known.keys() & words.numbers.keys()
    bits[[words.numbers[word] for word in here]] = [known[word] for word in here]
    of_members = bits[words.members]
    some = np.flatnonzero(of_members)
    lines, groups = words.member_lines[some], of_members[some]
    return [
        np.bincount(lines[groups >> group & 1 != 0], minlength=len(different)) / different
        for group in range(len(SITE_WORD_GROUPS))
    ]


def shifted(column: Floats, by: int, fill: float = 0.0) -> Floats:
    """The column as seen from `by` lines before (negative) or after: the neighbour's value, `fill` outside."""
    out = np.full_like(column, fill)
    if by > 0:
        out[:-by] = column[by:]
    elif by < 0:
        out[-by:] = column[:by]
    return out


def window_mean(values: Floats, reach: int) -> Floats:
    """Mean over the window of `reach` lines on each side, fewer at the ends."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    order = np.arange(len(values))
    low, high = np.maximum(0, order - reach), np.minimum(len(values), order + reach + 1)
    means: Floats = ((sums[high] - sums[low]) / (high - low)).astype(np.float32)
    return means


def weighted_mean(
    values: NDArray[np.float64], weights: NDArray[np.float64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The weighted mean of the values from each `low` to before each `high`, cut at the ends; 0 of none."""
    sums = np.concatenate(([0.0], np.cumsum(values * weights)))
    mass = np.concatenate(([0.0], np.cumsum(weights)))
    low, high = np.maximum(0, low), np.minimum(len(values), high)
    means: NDArray[np.float64] = (sums[high] - sums[low]) / np.maximum(1e-6, mass[high] - mass[low])
    return means
