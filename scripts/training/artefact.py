"""Writes what newsbeam reads: tables of integers, and the taxonomy without the parts that it does not use."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.models import write_arrays
from scripts.training.vectors import Floats

_LANGUAGES = {
    "Name (ar)": "ar",
    "Name (de)": "de",
    "Name (dk)": "da",
    "Name (en-GB)": "en",
    "Name (es)": "es",
    "Name (fr)": "fr",
    "Name (no-NB)": "nb",
    "Name (no-NN)": "nn",
    "Name (pt-BR)": "pt-BR",
    "Name (pt-PT)": "pt-PT",
    "Name (se)": "sv",
    "Name (zh-Hans)": "zh",
}
_SQUARE = 0.9  # squares of the inverse document frequency, up to 141, as they fit in a byte


@dataclass(frozen=True)
class TableParts:
    """Rows of a table: its words, its pairs of them (rows of both), weights (rows x topics) and inverse frequencies."""

    words: Sequence[str]
    pairs: Sequence[tuple[int, int]]
    weights: Floats
    idf: Floats


@dataclass(frozen=True)
class Thresholds:
    """From sums of weights to log-odds: `slope` times the sum plus each topic's `bias`. `Table` says what they mean."""

    slope: float
    bias: npt.NDArray[np.floating[Any]]
    thresholds: npt.NDArray[np.floating[Any]]
    floor: float


def write_table(path: Path, table: TableParts, odds: Thresholds) -> None:
    """Writes a table; `weights` times `idf` are what a row adds.

    The same table always gives the same bytes: the archive carries no times.
    """
    added = table.weights * table.idf[:, None]
    unit = float(np.quantile(np.abs(added).max(axis=1), 0.995)) / 127
    columns = [
        np.clip(np.rint(added / unit), -127, 127).astype(np.int8),
        np.clip(np.rint(table.idf**2 * _SQUARE), 1, 127).astype(np.int8)[:, None],
    ]
    facts = {
        "scale": round(odds.slope * unit * _SQUARE**0.5, 9),
        "bias": [round(float(value), 4) for value in odds.bias],
        "thresholds": [round(float(value), 4) for value in odds.thresholds],
        "floor": odds.floor,
    }
    arrays = {
        "words": np.frombuffer("\n".join(table.words).encode(), np.uint8),
        "pairs": np.array(sorted(table.pairs), np.uint32).reshape(-1, 2).T,
        "weights": np.concatenate(columns, axis=1),
        "facts": np.frombuffer(json.dumps(facts, sort_keys=True).encode(), np.uint8),
    }
    write_arrays(path, arrays)


def write_taxonomy(path: Path, published: list[dict[str, Any]]) -> None:
    """Writes uris, levels, ancestors and names; definitions are left out."""
    topics = []
    second: str | None = None
    for topic in published:  # in the order of the tree, parents first
        second = None if topic["level"] == 1 else topic["code"] if topic["level"] == 2 else second
        names = {tag: " ".join(topic[key].split()) for key, tag in _LANGUAGES.items() if (topic.get(key) or "").strip()}
        topics.append(
            {"uri": topic["code"], "level": topic["level"], "top": topic["top"], "second": second, "names": names}
        )
    content = json.dumps(topics, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(content, 9, mtime=0))
