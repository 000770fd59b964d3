"""Makes examples for the line models (each line of a page, its features, and whether the gold text contains it) and
trains them."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import numpy as np
from lxml.html import HtmlElement
from numpy.typing import NDArray

from newsbeam.transforms.extraction.head import read_head
from newsbeam.transforms.extraction.html.article_blocks import parse
from newsbeam.transforms.extraction.html.block_features import FEATURES, block_features
from newsbeam.transforms.extraction.html.blocks import Outline, outline
from newsbeam.transforms.extraction.html.script_state import stated_article
from newsbeam.transforms.extraction.html.second_opinion import doubt_features, opinions
from newsbeam.transforms.extraction.json_ld import Described, described_article
from newsbeam.transforms.extraction.metadata import Metadata, read_metadata
from newsbeam.transforms.extraction.tree_model import TreeModel
from newsbeam.transforms.text.line_features import Floats
from scripts.evaluation.extraction_score import fold, tokens

FOLDS = 5


@dataclass(frozen=True)
class Example:
    """The lines of one page: features, labels, and the weight of each line."""

    site: str
    rows: Floats
    labels: NDArray[np.bool_]
    weights: NDArray[np.float64]
    page: Optional[Outline] = None
    texts: tuple[str, str] = ("", "")
    """The text that other extractors find in a page of HTML."""
    described: tuple[str, str, str, str] = ("", "", "", "")
    """What a page of HTML states about itself: title, description, body of the article, name of the site."""


def fold_of(site: str) -> int:
    """The fold of a site: all pages of a site are in the same fold."""
    return hashlib.sha256(site.encode()).digest()[1] % FOLDS


def manifest(data: Path) -> list[dict[str, Any]]:
    path = data / "manifest.jsonl"
    if not path.is_file():
        raise SystemExit(f"{data}: no manifest.jsonl; a folder with it and the pages it names was expected")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def html_of(data: Path, row: dict[str, Any]) -> bytes:
    with gzip.open(data / row["html"]) as stored:
        return stored.read()


def label_lines(lines: Sequence[str], row: dict[str, Any]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Tells for each line whether it is in the gold text, and its weight: its damped share of the gold's tokens.

    A line is of the article if most of its 4-token shingles are in the gold; a shorter one if it is a line of it or
    stands in it word for word. Of a line that the page repeats, as many copies count as the gold has, those among the
    most other lines of gold. Optional paragraphs have no weight.
    """
    kind = row.get("tokens") or "word"
    gold = tokens(row["gold"], kind)
    fours = set(zip(gold, gold[1:], gold[2:], gold[3:], strict=False))
    short = {part for n in (2, 3) for part in zip(*(gold[i:] for i in range(n)), strict=False)}
    whole = {fold(line) for line in row["gold"].split("\n")}
    share = np.zeros(len(lines))
    sizes = np.zeros(len(lines))
    for number, line in enumerate(lines):
        words = tokens(line, kind)
        sizes[number] = len(words)
        if len(words) >= 4:
            own = list(zip(words, words[1:], words[2:], words[3:], strict=False))
            share[number] = sum(one in fours for one in own) / len(own)
        elif words:
            share[number] = float(fold(line) in whole or tuple(words) in short)
    folded = [fold(line) for line in lines]
    copies: dict[str, list[int]] = {}
    for number in np.flatnonzero(share > 0.5).tolist():
        copies.setdefault(folded[number], []).append(number)
    mass = share * sizes
    text = f" {fold(row['gold'])} "
    for line, places in copies.items():
        wanted = max(1, text.count(f" {line} "))
        near = {number: mass[max(0, number - 6) : number + 7].sum() - mass[number] for number in places}
        for number in sorted(places, key=lambda one: (-near[one], one))[wanted:]:
            share[number] = 0.0
    optional = [fold(paragraph) for paragraph in row.get("optional") or []]
    labels = share > 0.5
    weights = np.where(sizes > 0, sizes**0.7, 0.0)
    scale = 100 / max(1.0, float((weights * labels).sum()))
    weights = np.clip(weights * scale + 0.02 * (sizes > 0), 0, 20)
    for number, line in enumerate(folded):
        if line and any(line in paragraph for paragraph in optional):
            weights[number] = 0.0
    return labels, weights


def usable(data: Path) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yields the rows and pages whose gold is not suspected to be wrong."""
    for row in manifest(data):
        if not row.get("suspect"):
            yield row, html_of(data, row)


def metadata_of(tree: HtmlElement, page: Outline, described: Described, row: dict[str, Any]) -> Metadata:
    """Reads the metadata of a page without a feed."""
    return read_metadata(
        tree, read_head(tree), described, page.blocks, url=row["url"], publisher="", feed_title="", feed_authors=(),
        feed_date=None, robots_header="", fetched_at=None,
    )  # fmt: skip


def html_examples(data: Path) -> tuple[list[Example], tuple[str, ...]]:
    """Makes examples of the blocks of every page whose gold is not suspected to be wrong."""
    out = []
    for row, body in usable(data):
        html = body.decode("utf-8", "replace")
        tree = parse(html, row["id"])
        page = outline(tree)
        described = described_article(tree)
        known = metadata_of(tree, page, described, row)
        stated = stated_article(tree, described.body, known.title, [block.text for block in page.blocks]).text
        of_itself = (known.title, known.description, stated, known.publisher)
        rows = block_features(page, *of_itself)
        labels, weights = label_lines([block.text for block in page.blocks], row)
        if labels.any():
            out.append(Example(row["site"], rows, labels, weights, page, opinions(html, tree), of_itself))
    return out, FEATURES


def with_whole_gold(examples: Sequence[Example], by_fold: Sequence[TreeModel]) -> list[Example]:
    """Keeps the pages whose gold was not cut short, judged by models that have not seen their sites."""
    out = []
    for example in examples:
        if example.page is not None:
            chances = by_fold[fold_of(example.site)].probability(example.rows)
            if is_whole([block.text for block in example.page.blocks], example.labels, chances):
                out.append(example)
    return out


def is_whole(lines: Sequence[str], labels: NDArray[np.bool_], chances: Floats) -> bool:
    """Tells whether a gold text is complete. It counts as cut short if all of it is found among at least as much
    other prose."""
    chars = np.array([len(line) for line in lines])
    kept = chances > 0.5
    found = float(chars[kept & labels].sum())
    return bool(found >= 0.5 * chars[kept].sum() or found <= 0.95 * chars[labels].sum())


def second_examples(examples: Sequence[Example], by_fold: Sequence[TreeModel]) -> list[Example]:
    """Makes the second model's examples: each page with the verdicts of a first model that has not seen it."""
    out = []
    for example in examples:
        if example.page is not None:
            probability = by_fold[fold_of(example.site)].probability(example.rows)
            rows = doubt_features(example.page, example.rows, probability, example.texts)
            out.append(replace(example, rows=rows))
    return out


def weighed(examples: Sequence[Example]) -> list[Example]:
    """Drops the lines without weight; what is left can be trained on but is no whole page any more."""
    out = []
    for example in examples:
        counts = example.weights > 0
        out.append(
            replace(
                example,
                rows=example.rows[counts],
                labels=example.labels[counts],
                weights=example.weights[counts],
                page=None,
            )
        )
    return out


def render(body: bytes) -> str:
    """A whole page as text, with all its clutter, as `inscriptis` renders it."""
    from inscriptis import get_text

    return str(get_text(body.decode("utf-8", "replace")))


def train(
    examples: Sequence[Example],
    names: tuple[str, ...],
    trees: int,
    threads: int,
    without: Optional[int] = None,
    runs: int = 1,
) -> dict[str, Any]:
    """Trains the ensemble and returns its arrays as `TreeModel` reads them.

    Args:
        without: the fold whose sites are left out.
        runs: how many ensembles of `trees` trees, each with a seed of its own, are averaged (in log odds).
    """
    from catboost import CatBoostClassifier

    examples = [example for example in examples if without is None or fold_of(example.site) != without]
    rows = np.vstack([example.rows for example in examples])
    labels = np.concatenate([example.labels for example in examples]).astype(int)
    weights = np.concatenate([example.weights for example in examples])
    parts = []
    for seed in range(1, runs + 1):
        model = CatBoostClassifier(
            iterations=trees, depth=6, learning_rate=0.08, l2_leaf_reg=6, border_count=32, rsm=0.3,
            thread_count=threads, random_seed=seed, verbose=0, bootstrap_type="Bernoulli", subsample=0.7,
            allow_writing_files=False,
        )  # fmt: skip
        model.fit(rows, labels, sample_weight=weights)
        parts.append(export(model, names))
    return {
        "features": np.concatenate([part["features"] for part in parts]),
        "borders": np.concatenate([part["borders"] for part in parts]),
        "values": np.concatenate([part["values"] for part in parts]) / np.float32(runs),
        "bias": np.float64(np.mean([part["bias"] for part in parts])),
        "names": np.array(names),
    }


def export(model: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Converts a CatBoost model to arrays; tests compare them with its own predictions."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        stored = json.loads(path.read_text())
    trees = stored["oblivious_trees"]
    depth = 6
    features = np.zeros((len(trees), depth), dtype=np.int16)
    borders = np.full((len(trees), depth), np.inf, dtype=np.float32)
    values = np.zeros((len(trees), 1 << depth), dtype=np.float32)
    for number, tree in enumerate(trees):
        for level, split in enumerate(tree["splits"] or ()):
            features[number, level] = split["float_feature_index"]
            borders[number, level] = split["border"]
        leaves = tree["leaf_values"]
        values[number, : len(leaves)] = leaves
    scale, bias = stored["scale_and_bias"]
    return {
        "features": features,
        "borders": borders,
        "values": values * np.float32(scale),
        "bias": np.float64(bias[0] if isinstance(bias, list) else bias),
        "names": np.array(names),
    }
