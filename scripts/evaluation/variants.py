"""Shared by the variants of HTML pages and of plain text: how an article is shortened, and how much each line
counts."""

import numpy as np
from numpy.typing import NDArray

WEIGHT = 0.4
"""Weight of a variant's lines, relative to those of its page."""
EASY = 0.03
"""Below this a first trial was sure that a line is not of the article."""
EASY_KEPT, EASY_WEIGHT = 0.2, 2.0
"""Most lines are menus that it never took for an article: one in five of them is enough in a variant."""
MIN_LINES = 5
_SHORTENED, _MOST_CUT = 0.5, 0.7
_MAX_WEIGHT, _MAX_RISE = 20.0, 3.0


def shortened(labels: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.bool_]:
    """Cuts out a stretch of the article and everything within it, half of the time nothing; returns what is left.

    The article's first line stays, and what stands before it.
    """
    keep = np.ones(len(labels), dtype=bool)
    places = np.flatnonzero(labels)
    if random.random() < _SHORTENED and len(places) >= MIN_LINES:
        first, size = int(places[0]), int(places[-1] - places[0]) + 1
        cut = int(size * random.uniform(0, _MOST_CUT))
        start = first + int(random.integers(1, max(2, size - cut)))
        keep[start : start + cut] = False
    return keep


def variant_weights(
    article: float,
    weights: NDArray[np.float64],
    labels: NDArray[np.bool_],
    easy: NDArray[np.bool_],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """Returns the weights of a variant's lines: each page's article weighs about the same, however short.

    Args:
        article: what the lines of the article weigh on the page itself.
        weights, labels, easy: of the lines that the variant has; of the easy ones only some count.
    """
    rise = article / max(1e-6, float((weights * labels).sum()))
    weights = np.clip(weights * min(_MAX_RISE, rise), 0, _MAX_WEIGHT)
    left_out = easy & (random.random(len(weights)) >= EASY_KEPT)
    return np.where(left_out, 0.0, np.where(easy, EASY_WEIGHT * weights, weights)) * WEIGHT
