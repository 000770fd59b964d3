"""Ensembles of oblivious trees (one question a level, as CatBoost grows them), evaluated with numpy alone.

An artefact is one `.npz`: for every tree the features and borders of its levels and a table of leaf values.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from transforms.boilerplate.line_features import Floats


@dataclass(frozen=True)
class TreeModel:
    """Feature and border of each level of each tree (`trees x depth`), values (`trees x 2^depth`), bias."""

    features: NDArray[np.int32]
    borders: Floats
    values: Floats
    bias: float
    names: tuple[str, ...]
    """The features it was trained on, in order: a row of another order is refused."""

    def probability(self, rows: Floats) -> Floats:
        """The probability that each row's line belongs to the article."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        trees, depth = self.features.shape
        columns = np.ascontiguousarray(rows.T)
        leaves = np.zeros((trees, len(rows)), dtype=np.int32)
        for level in range(depth):
            above = columns[self.features[:, level]] > self.borders[:, level, None]
            leaves += above.view(np.uint8) * np.int32(1 << level)
        leaves += (np.arange(trees, dtype=np.int32) << depth)[:, None]
        raw = self.values.ravel()[leaves].sum(axis=0, dtype=np.float64) + self.bias
        chances: Floats = (1.0 / (1.0 + np.exp(-raw))).astype(np.float32)
        return chances


@lru_cache(maxsize=16)
def load_model(path: Path, names: tuple[str, ...]) -> TreeModel:
    """Reads an artefact and checks that it was trained on the features named.

    Raises:
        ValueError: it was trained on others: train it again (`scripts/train_lines.py`).
    """
    with np.load(path, allow_pickle=False) as stored:
        model = TreeModel(
            features=stored["features"].astype(np.int32),
            borders=stored["borders"].astype(np.float32),
            values=stored["values"].astype(np.float32),
            bias=float(stored["bias"]),
            names=tuple(str(name) for name in stored["names"]),
        )
    if model.names != names:
        raise ValueError(f"{path.name} was trained on other line features than this version computes; train it again")
    return model
