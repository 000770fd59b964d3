"""Which line of a copied page is its headline: a page's first lines are its menus."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.extraction.plain.plain_lines import LOOKS, Looks
from newsbeam.transforms.extraction.tree_model import load_model
from newsbeam.transforms.text.characters import Ints
from newsbeam.transforms.text.line_features import Floats

MODEL = Path(__file__).parent / "models" / "plain_headline.npz"
_LONG = 3
_LEAD = 5
"""Paragraphs that follow."""
HEADLINE_FEATURES = (
    *LOOKS,
    "in_prose",
    "in_prose_often",
    "in_segment",
    "in_segment_often",
    "in_lead",
    "in_lead_many",
    "rank",
    "of_best",
)


def headline_features(looks: Looks) -> Floats:
    """One row of `HEADLINE_FEATURES` for each line: a headline says in a few words what the next paragraphs say."""
    words = looks.words
    count = len(words.sizes)
    if not count:
        return np.zeros((0, len(HEADLINE_FEATURES)), dtype=np.float32)
    order = np.arange(count)
    low, high = looks.segment
    members, lines = words.of_longer(_LONG)
    sizes = np.bincount(lines, minlength=count)
    several = np.maximum(1, sizes)
    columns = []
    for among in (looks.prose, looks.prose & (order >= low) & (order < high)):
        found = np.bincount(members[among[lines]], minlength=len(words.numbers))[members] - among[lines]
        columns += [
            np.bincount(lines, found > 0, count) / several,
            np.bincount(lines, np.log1p(found), count) / several,
        ]
    lead = np.bincount(lines, _in_lead(members, lines, looks), count) / several
    many = lead * np.sqrt(sizes)
    rank = np.argsort(np.argsort(-many, kind="stable"), kind="stable")
    columns += [lead, many, np.minimum(rank, 30), many / max(1e-6, float(many.max()))]
    return np.column_stack((looks.rows, *columns)).astype(np.float32)


def _in_lead(members: Ints, lines: Ints, looks: Looks) -> NDArray[np.bool_]:
    """For each word of a line, whether it stands in one of the next lines of prose, too."""
    places = np.flatnonzero(looks.prose)
    width = len(places) + 1
    numbers = np.cumsum(looks.prose) - 1
    told = looks.prose[lines]
    # Where each word is told, in order: the word and the number of the paragraph as one key.
    keys = np.sort(members[told] * width + numbers[lines[told]])
    if not len(keys):
        return np.zeros(len(members), dtype=bool)
    first = members * width + numbers[lines] + 1
    last = members * width + np.minimum(numbers[lines] + _LEAD, len(places) - 1)
    found = keys[np.minimum(np.searchsorted(keys, first), len(keys) - 1)]
    inside: NDArray[np.bool_] = (found >= first) & (found <= last)
    return inside


def headline_probabilities(looks: Looks, model: Path = MODEL) -> Floats:
    """The probability of each line to be the headline."""
    return load_model(model, HEADLINE_FEATURES).probability(headline_features(looks))
