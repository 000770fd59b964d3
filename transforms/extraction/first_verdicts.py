"""How first verdicts on a page look from a distance: what the second models of HTML and plain text have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.text.line_features import Floats, shifted, weighted_mean

_LIMIT = 6.0
_REACHES = (1, 2, 4, 8, 20)
OVERALL = ("kept_before", "kept_after", "page_odds", "top_odds", "page_kept")


def names_near(neighbours: Sequence[int]) -> tuple[str, ...]:
    """The names of the columns of `Verdicts.near`."""
    return ("odds", *(f"odds@{by:+d}" for by in neighbours), *(f"odds~{reach}" for reach in _REACHES))


@dataclass(frozen=True)
class Verdicts:
    """First verdicts on all lines of a page; `verdicts_of` makes them.

    Attributes:
        chars: how long each line is; `weight`: how much it counts in a mean.
        odds: of each line to be of the article, as a logarithm, bounded.
        kept: which lines would be kept; `mass`: the characters of each that probably are of the article.
    """

    chars: NDArray[np.floating]
    weight: NDArray[np.float64]
    odds: NDArray[np.float64]
    kept: NDArray[np.bool_]
    mass: NDArray[np.float64]

    @property
    def total(self) -> float:
        """The characters of the article, as far as the verdicts go."""
        return max(1.0, float(self.mass.sum()))

    def near(self, neighbours: Sequence[int]) -> list[NDArray[np.floating]]:
        """The odds of each line, of its neighbours, and of windows around it."""
        odds = self.odds.astype(np.float32)
        return [
            self.odds,
            *(shifted(odds, by, -_LIMIT) for by in neighbours),
            *(window(self.odds, self.weight, reach) for reach in _REACHES),
        ]

    def overall(self) -> list[NDArray[np.floating]]:
        """The columns `OVERALL`: what is kept before each line and behind it, and what of the whole page."""
        count = len(self.odds)
        before = np.cumsum(self.mass) - self.mass
        weighed = float((self.weight * self.kept).sum())
        mean = float((self.odds * self.weight * self.kept).sum()) / weighed if weighed else -_LIMIT
        return [
            before / self.total,
            (self.total - before - self.mass) / self.total,
            np.full(count, mean),
            np.full(count, np.sort(self.odds)[::-1][:5].mean()),
            np.full(count, np.log1p((self.chars * self.kept).sum())),
        ]


def verdicts_of(probability: Floats, chars: NDArray[np.floating], threshold: float) -> Verdicts:
    """The verdicts on lines of so many characters: those above the threshold would be kept."""
    exact = probability.astype(np.float64)
    clipped = np.clip(exact, 1e-4, 1 - 1e-4)
    odds = np.clip(np.log(clipped / (1 - clipped)), -_LIMIT, _LIMIT)
    return Verdicts(chars, np.sqrt(chars.astype(np.float64)), odds, probability > threshold, exact * chars)


def window(values: NDArray[np.float64], weights: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The weighted mean of each line and so many on both of its sides."""
    order = np.arange(len(values))
    return weighted_mean(values, weights, order - reach, order + reach + 1)
