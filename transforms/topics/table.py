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
from itertools import pairwise

import numpy as np
import numpy.typing as npt

TOP_LEVEL = tuple(f"medtop:{number:02d}000000" for number in range(1, 18))
"""The 17 top-level IPTC Media Topics, in the order of a table's columns."""

_MAX_WORDS = 400
_LEAD_WORDS = 60
_MIN_WORDS = 4
_PAIR_BASE = 1 << 32

Row = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Table:
    """One language's table.

    Attributes:
        ids: the row of each word.
        pairs: sorted keys of pairs of words (first row * 2^32 + second row); row `len(ids) + place`.
        weights: int8, a row each, a column for each of `TOP_LEVEL`, and last the squared inverse document frequency.
        scale: what one unit of weight over one unit of length is worth as log-odds.
        bias: log-odds of each topic where there are no words.
        thresholds: log-odds from which a topic is a tag.
        floor: how far below its threshold the best topic may be and still be told; below that the model abstains.
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
        for file in resources.files("transforms.topics").joinpath("data").iterdir()
        if file.name.startswith("topics_") and file.name.endswith(".npz")
    )


@lru_cache(maxsize=64)
def load_table(language: str) -> Table | None:
    """The table of `language` (a primary subtag), read once a process; None if there is none."""
    if language not in languages():
        return None
    file = resources.files("transforms.topics").joinpath("data", f"topics_{language}.npz")
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
    """Log-odds of each of `TOP_LEVEL` above its threshold, for the words of a title and of a text.

    None if the table knows fewer than four of the words: then it has no opinion.
    """
    if len({word for word in (*title, *text[:_LEAD_WORDS]) if word in table.ids}) < _MIN_WORDS:
        return None
    total = _sums(table, title, 2, 6) + _sums(table, text[:_LEAD_WORDS], 1, 3) + _sums(table, text[:_MAX_WORDS], 1, 1)
    length = math.sqrt(max(int(total[-1]), 1))
    return tuple(
        table.bias[column] + int(total[column]) * table.scale / length - table.thresholds[column]
        for column in range(len(TOP_LEVEL))
    )


def weights_of_words(table: Table, title: Sequence[str], text: Sequence[str], column: int) -> list[tuple[str, float]]:
    """What each distinct word and pair adds to the log-odds of one topic; the most telling first, in a fixed order."""
    added: dict[str, int] = {}
    total = 0
    for words, times, squares in ((title, 2, 6), (text[:_LEAD_WORDS], 1, 3), (text[:_MAX_WORDS], 1, 1)):
        rows = [(word, table.ids.get(word, -1)) for word in words]
        named = {row: word for word, row in rows if row >= 0}
        for (left, first), (right, second) in pairwise(rows):
            place = int(np.searchsorted(table.pairs, first * _PAIR_BASE + second))
            key = first * _PAIR_BASE + second
            if first >= 0 and second >= 0 and place < len(table.pairs) and int(table.pairs[place]) == key:
                named[len(table.ids) + place] = f"{left} {right}"
        for row, name in named.items():
            added[name] = added.get(name, 0) + times * int(table.weights[row, column])
            total += squares * int(table.weights[row, -1])
    length = math.sqrt(max(total, 1))
    ranked = sorted(added.items(), key=lambda item: (-item[1], item[0]))
    return [(name, weight * table.scale / length) for name, weight in ranked if weight]


def _sums(table: Table, words: Sequence[str], times: int, squares: int) -> Row:
    """Sums of the rows of the distinct words and pairs, weights `times` and squares of length `squares` as much."""
    count = len(words)
    rows = np.fromiter(map(table.ids.get, words, [-1] * count), np.int64, count)
    keys = rows[:-1] * _PAIR_BASE + rows[1:]
    keys = keys[(rows[:-1] >= 0) & (rows[1:] >= 0)]
    found = np.unique(rows[rows >= 0])
    if len(keys) and len(table.pairs):
        places = np.searchsorted(table.pairs, keys)
        places[places == len(table.pairs)] = 0
        places = np.unique(places[table.pairs[places] == keys])
        found = np.concatenate((found, places + len(table.ids)))
    sums: Row = table.weights[found].sum(axis=0, dtype=np.int32)
    sums[:-1] *= times
    sums[-1] *= squares
    return sums
