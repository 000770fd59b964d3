"""The model as it runs: a table of words and pairs of words, each with an integer weight for every top-level topic.

A document's score for a topic is the sum of the weights of its distinct words and pairs, those of the title and the
lead counted again, over the length of its vector, plus a bias: a linear model over L2-normalised TF-IDF vectors, folded
so that only integers are added. Integer sums do not depend on order, processor or library, so neither do the scores.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

TOP_LEVEL = tuple(f"medtop:{number:02d}000000" for number in range(1, 18))
"""The 17 top-level IPTC Media Topics, in the order of a table's columns."""


class Segment(NamedTuple):
    """A part of a document: its words count `times` as often, and `squares` as much for the document's length."""

    of_title: bool
    words: int
    times: int
    squares: int


SEGMENTS = (Segment(True, 250, 3, 12), Segment(False, 30, 2, 8), Segment(False, 250, 1, 1))
"""The title, the lead and the text; the lead is part of the text, so its words count three times in all."""

UNDECIDED = -1.4
"""Log-odds of a topic before anything is known: a section, or two keywords, are enough to give it."""

_MIN_WORDS = 4
_FIRM_WORDS = 12
_COMPOUNDING = frozenset(("da", "de", "fi", "nl", "no", "sv"))
_LEAST_COMPOUND, _LEAST_HEAD = 8, 4
_PAIR_BASE = 1 << 32

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """One language's table.

    Attributes:
        ids: the row of each word.
        pairs: sorted keys of pairs of words (first row * 2^32 + second row); row `len(ids) + place`.
        weights: int8, a row each, a column for each of `TOP_LEVEL`, and last the squared inverse document frequency.
        scale: what one unit of weight over one unit of length is worth as log-odds.
        bias: log-odds of each topic where there are no words.
        thresholds: log-odds above which a topic is given.
        floor: log-odds above which the best topic is given even below its threshold; below it the model abstains.
    """

    language: str
    ids: dict[str, int]
    pairs: npt.NDArray[np.int64]
    weights: npt.NDArray[np.int8]
    scale: float
    bias: tuple[float, ...]
    thresholds: tuple[float, ...]
    floor: float


def languages() -> frozenset[str]:
    """The languages (primary subtags) that have a table."""
    return frozenset(
        file.name.removeprefix("topics_").removesuffix(".npz")
        for file in resources.files("newsbeam.transforms.topics").joinpath("data").iterdir()
        if file.name.startswith("topics_") and file.name.endswith(".npz")
    )


@lru_cache(maxsize=64)
def load_table(language: str) -> Table | None:
    """The table of `language` (a primary subtag), read once a process; None if there is none."""
    if language not in languages():
        return None
    file = resources.files("newsbeam.transforms.topics").joinpath("data", f"topics_{language}.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        words = arrays["words"].tobytes().decode("utf-8").split("\n")
        facts = json.loads(arrays["facts"].tobytes())
        first, second = arrays["pairs"].astype(np.int64)
        return Table(
            language=language,
            ids={word: row for row, word in enumerate(words)},
            pairs=first * _PAIR_BASE + second,
            weights=arrays["weights"],
            scale=facts["scale"],
            bias=tuple(facts["bias"]),
            thresholds=tuple(facts["thresholds"]),
            floor=facts["floor"],
        )


def score(table: Table, title: Sequence[str], text: Sequence[str]) -> tuple[float, ...] | None:
    """Log-odds of each of `TOP_LEVEL` for the words of a title and of a text.

    None if the table knows fewer than four of the first words: then it has no opinion, and up to a dozen a weak one.
    """
    title, text = title[: SEGMENTS[0].words], text[: SEGMENTS[-1].words]
    words, pairs = _rows(table, title, text)
    known = int(np.count_nonzero(words[: len(title) + _FIRM_WORDS * 3] >= 0))
    if known < _MIN_WORDS:
        return None
    firmness = min(known / _FIRM_WORDS, 1.0)
    total = np.zeros(len(TOP_LEVEL) + 1, np.int64)
    for segment in SEGMENTS:
        begin, end = (0, len(title)) if segment.of_title else (len(title), len(title) + segment.words)
        rows = np.concatenate((words[begin:end], pairs[begin : end - 1]))
        rows.sort()
        distinct = rows[1:][rows[1:] != rows[:-1]] if len(rows) else rows
        distinct = distinct if not len(rows) or rows[0] < 0 else np.concatenate((rows[:1], distinct))
        sums = np.add.reduce(table.weights.take(distinct, axis=0), axis=0, dtype=np.int32)
        total[:-1] += segment.times * sums[:-1]
        total[-1] += segment.squares * sums[-1]
    *added, squares = total.tolist()
    unit = table.scale / math.sqrt(max(squares, 1))
    return tuple(
        (bias + weight * unit) * firmness + UNDECIDED * (1.0 - firmness)
        for bias, weight in zip(table.bias, added, strict=True)
    )


def weights_of_words(table: Table, title: Sequence[str], text: Sequence[str], column: int) -> list[tuple[str, float]]:
    """What each distinct word and pair adds to the log-odds of one topic; the most telling first, in a fixed order."""
    title, text = title[: SEGMENTS[0].words], text[: SEGMENTS[-1].words]
    words, pairs = _rows(table, title, text)
    spelled = [*title, *text]
    added: dict[str, int] = {}
    total = 0
    for segment in SEGMENTS:
        begin, end = (0, len(title)) if segment.of_title else (len(title), len(title) + segment.words)
        named = {int(row): spelled[begin + index] for index, row in enumerate(words[begin:end])}
        for index, row in enumerate(pairs[begin : end - 1], begin):
            named[int(row)] = f"{spelled[index]} {spelled[index + 1]}"
        for row, name in named.items():
            if row >= 0:
                added[name] = added.get(name, 0) + segment.times * int(table.weights[row, column])
                total += segment.squares * int(table.weights[row, -1])
    length = math.sqrt(max(total, 1))
    ranked = sorted(added.items(), key=lambda item: (-item[1], item[0]))
    return [(name, weight * table.scale / length) for name, weight in ranked if weight]


def _rows(table: Table, title: Sequence[str], text: Sequence[str]) -> tuple[Rows, Rows]:
    """The row of each word of title and text, and of each pair of neighbours; -1 for those the table does not have."""
    get = table.ids.get
    rows = [get(word, -1) for word in (*title, *text)]
    if table.language in _COMPOUNDING:
        rows = [row if row >= 0 else _head(table, word) for row, word in zip(rows, (*title, *text), strict=True)]
    words = np.array(rows, np.int64)
    pairs = words[:-1] * _PAIR_BASE + words[1:]
    if not len(pairs) or not len(table.pairs):
        return words, np.full(len(pairs), -1)
    indexes = np.searchsorted(table.pairs, pairs)
    indexes[indexes == len(table.pairs)] = 0
    found = table.pairs[indexes] == pairs
    found[: len(title)][-1:] = False  # the last word of the title is no neighbour of the first of the text
    return words, np.where(found, indexes + len(table.ids), -1)


def _head(table: Table, compound: str) -> int:
    """The row of the longest known word that a compound ends with: `Landtagswahl` is a `Wahl`."""
    if len(compound) < _LEAST_COMPOUND:
        return -1
    heads = (table.ids.get(compound[start:], -1) for start in range(3, len(compound) - _LEAST_HEAD + 1))
    return next((row for row in heads if row >= 0), -1)
