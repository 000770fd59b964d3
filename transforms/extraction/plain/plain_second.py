"""A second look at the lines of plain text: how the first verdicts on a page look from a distance.

A line among sure ones is likely to be of the article, too, and one that shares no word with them is not. The second
model learns this from first verdicts on pages that the first model had not seen (stacking, Wolpert 1992).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.extraction.first_verdicts import OVERALL, names_near, verdicts_of
from newsbeam.transforms.extraction.plain.plain_lines import Looks, best_segment, distance
from newsbeam.transforms.extraction.plain.plain_model import PLAIN_FEATURES
from newsbeam.transforms.extraction.tree_model import load_model
from newsbeam.transforms.text.line_features import Floats, weighted_mean, window_mean
from newsbeam.transforms.text.line_words import LineWords

MODEL = Path(__file__).parent / "models" / "plain_second.npz"
_NEIGHBOURS = (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)
_EVEN_REACHES = (3, 10)
_SIDES = (3, 8, 25)
_RUNS = (0.2, 0.35)
"""What a line's probability is compared with, to find the run of lines that is the article."""
_KEPT = 0.4
THRESHOLD = 0.45
SURE = 0.75
"""From here the models overrule a rule that is not always right."""
_FAR = 40
_LONG_LINE, _LONG_WORD = 60, 4

SECOND_FEATURES = (
    *names_near(_NEIGHBOURS),
    *(f"odds_even~{reach}" for reach in _EVEN_REACHES),
    *(f"odds_{side}~{reach}" for reach in _SIDES for side in ("before", "after")),
    *OVERALL,
    *(f"{part}_{number}" for number in range(len(_RUNS)) for part in ("run", "from_start", "from_end", "run_kept")),
    "since_kept",
    "until_kept",
    "words_kept",
    "words_of_kept",
    "words_in_run",
    "words_kept~6",
    "words_in_run~2",
    "words_in_run~6",
    *PLAIN_FEATURES,
)


def second_features(looks: Looks, rows: Floats, probability: Floats) -> Floats:
    """One row of `SECOND_FEATURES` for each line; `rows` are its `PLAIN_FEATURES`, `probability` the first verdicts."""
    chars = looks.chars
    count = len(chars)
    if not count:
        return np.zeros((0, len(SECOND_FEATURES)), dtype=np.float32)
    first = verdicts_of(probability, chars, _KEPT)
    odds, weight, kept = first.odds, first.weight, first.kept
    order = np.arange(count)
    columns = first.near(_NEIGHBOURS)
    columns += [window_mean(odds.astype(np.float32), reach) for reach in _EVEN_REACHES]
    for reach in _SIDES:
        columns += [
            weighted_mean(odds, weight, order - reach, order),
            weighted_mean(odds, weight, order + 1, order + reach + 1),
        ]
    columns += first.overall()
    run = np.zeros(count, dtype=bool)
    for level in _RUNS:
        start, end = best_segment((probability - level) * weight)
        run = (order >= start) & (order < end)
        columns[len(columns) :] = [
            run.astype(np.float32),
            np.clip(order - start, -_FAR, _FAR),
            np.clip(order - end, -_FAR, _FAR),
            np.full(count, first.mass[start:end].sum() / first.total),
        ]
    sure = kept & (chars > _LONG_LINE)
    columns += [np.minimum(distance(sure), _FAR), np.minimum(distance(sure[::-1])[::-1], _FAR)]
    columns += _words_in_common(looks.words, probability, run & kept)
    return np.column_stack((*columns, rows)).astype(np.float32)


def _words_in_common(words: LineWords, probability: Floats, sure: NDArray[np.bool_]) -> list[NDArray[np.floating]]:
    """How many of its longer words each line shares with other lines that were kept, and with the run of sure ones."""
    count, different = len(words.sizes), len(words.numbers)
    members, lines = words.of_longer(_LONG_WORD)
    several = np.maximum(1, np.bincount(lines, minlength=count))
    # Lines that have the word, as many as were probably kept, without the line itself.
    kept = np.bincount(members, probability[lines], different)[members] - probability[lines]
    others = np.bincount(members, minlength=different)[members] - 1
    in_run = np.bincount(members[sure[lines]], minlength=different)[members] - sure[lines]
    of_kept = np.bincount(lines, np.minimum(1.0, kept), count) / several
    share = np.bincount(lines, kept / np.maximum(1, others), count) / several
    of_run = (np.bincount(lines, in_run > 0, count) / several).astype(np.float32)
    return [
        of_kept,
        share,
        of_run,
        window_mean(of_kept.astype(np.float32), 6),
        window_mean(of_run, 2),
        window_mean(of_run, 6),
    ]


def second_probabilities(looks: Looks, rows: Floats, probability: Floats, model: Path = MODEL) -> Floats:
    """The probability of each line to be of the article, seen with the first verdicts on all of them."""
    return load_model(model, SECOND_FEATURES).probability(second_features(looks, rows, probability))
