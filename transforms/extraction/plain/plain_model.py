"""Lines of plain text in numbers, and the model that tells the article from the rest of a copied page."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.extraction.plain.plain_lines import LOOKS, NEIGHBOURS, Looks
from newsbeam.transforms.extraction.tree_model import load_model
from newsbeam.transforms.text.line_features import Floats, shifted, window_mean
from newsbeam.transforms.text.line_words import words_of

MODEL = Path(__file__).parent / "models" / "plain_lines.npz"
_LEAD = 6
PLAIN_FEATURES = (
    *LOOKS,
    "title_in_line",
    "line_in_title",
    "lead_overlap",
    "lead_overlap~4",
    "ruled",
    *(f"ruled@{by:+d}" for by in NEIGHBOURS),
)


def plain_features(looks: Looks, title: str, ruled: Mapping[int, str]) -> Floats:
    """One row of `PLAIN_FEATURES` for each line; `ruled` are the places that rules would remove."""
    words = looks.words
    count = len(words.sizes)
    flags = np.zeros(count, dtype=np.float32)
    flags[list(ruled)] = 1.0
    low, high = looks.segment
    in_title = words.shared(words.flags(words_of(title)))
    lead = np.flatnonzero(looks.prose[low:high] & (flags[low:high] == 0))[:_LEAD] + low
    overlap = words.lead_overlap(lead.tolist(), title)
    columns: list[NDArray[np.floating]] = [
        in_title / max(1, len(set(words_of(title)))),
        in_title / np.maximum(1, words.sizes),
        overlap,
        window_mean(overlap, 4),
        flags,
        *(shifted(flags, by, -1.0) for by in NEIGHBOURS),
    ]
    return np.column_stack((looks.rows, *columns)).astype(np.float32)


def plain_probabilities(rows: Floats, model: Path = MODEL) -> Floats:
    """The probability of each line to be of the article, by its own row."""
    return load_model(model, PLAIN_FEATURES).probability(rows)
