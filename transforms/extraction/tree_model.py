"""Ensembles of oblivious trees (one question a level, as CatBoost grows them), evaluated with numpy alone.

An artefact is one `.npz`: for every tree the features and borders of its levels and a table of leaf values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsbeam.transforms.text.line_features import Floats


@dataclass(frozen=True)
class TreeModel:
    """Trees and the different questions they ask; most questions stand in several trees.

    Attributes:
        columns, borders: of each question: is the feature in this column above this border?
        levels: for each level of the trees (the last first) the question each tree asks there.
        values: of the leaves, `trees x 2^depth`; the answers of a row to the levels are the bits of its leaf.
        names: the features it was trained on, in order: a row of another order is refused.
    """

    columns: NDArray[np.int64]
    borders: Floats
    levels: NDArray[np.int64]
    values: Floats
    bias: float
    names: tuple[str, ...]

    def probability(self, rows: Floats) -> Floats:
        """The probability that each row's line belongs to the article."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        answers = (rows.T.take(self.columns, axis=0) > self.borders[:, None]).view(np.uint8)
        leaves = answers.take(self.levels[0], axis=0)
        for questions in self.levels[1:]:
            leaves += leaves
            leaves += answers.take(questions, axis=0)
        # All leaves of all trees in one row; small numbers of them are quicker to add and to look up.
        trees, size = self.values.shape
        first = np.arange(0, trees * size, size, dtype=np.min_scalar_type(trees * size))
        found = self.values.take(leaves + first[:, None])
        raw = found.sum(axis=0, dtype=np.float64) + self.bias
        chances: Floats = (1.0 / (1.0 + np.exp(-raw))).astype(np.float32)
        return chances


def tree_model(arrays: Mapping[str, NDArray[Any]]) -> TreeModel:
    """The model of an artefact's arrays: feature and border of each level of each tree, leaves, bias, names."""
    features, borders = arrays["features"].astype(np.int64), arrays["borders"].astype(np.float32)
    questions = np.stack((features.ravel(), borders.ravel().astype(np.float64)))
    different, numbers = np.unique(questions, axis=1, return_inverse=True)
    return TreeModel(
        columns=different[0].astype(np.int64),
        borders=different[1].astype(np.float32),
        levels=np.ascontiguousarray(numbers.reshape(features.shape).T[::-1]),
        values=arrays["values"].astype(np.float32),
        bias=float(arrays["bias"]),
        names=tuple(str(name) for name in arrays["names"]),
    )


@lru_cache(maxsize=16)
def load_model(path: Path, names: tuple[str, ...]) -> TreeModel:
    """Reads an artefact and checks that it was trained on the features named.

    Raises:
        ValueError: it was trained on others: train it again (`scripts/train_lines.py`).
    """
    with np.load(path, allow_pickle=False) as stored:
        model = tree_model(stored)
    if model.names != names:
        raise ValueError(f"{path.name} was trained on other line features than this version computes; train it again")
    return model
