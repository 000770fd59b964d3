#!/usr/bin/env -S scripts/with_environment.sh train
"""Trains the line models of HTML (every page, doubtful pages) and of plain text, and writes their artefacts.

    scripts/train_lines.py --data FOLDER [--only html|plain] [--folds FOLDER]

FOLDER holds `manifest.jsonl` and the pages it names (see `scripts/evaluation/clean.py`). Needs `catboost` and, for
plain text, `inscriptis`. Pages whose gold was cut short, as a first trial shows, are left out; variants of the others
(`scripts/evaluation/line_variants.py`, `plain_variants.py`) are learned from beside them. The models go into the
package. With `--folds` one more for each fold, which has not seen the fold's sites, goes into that folder:
`scripts/evaluate.py clean --models FOLDER` judges each page by these. The second models learn from first verdicts on
pages that the first models had not seen, those of plain text from headlines found in the same way. Seeds are fixed.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from newsbeam.transforms.extraction.html import second_opinion
from newsbeam.transforms.extraction.html.article_blocks import MODELS
from newsbeam.transforms.extraction.plain import headline, plain_model, plain_second
from newsbeam.transforms.extraction.tree_model import tree_model
from scripts.evaluation.line_training import (
    FOLDS,
    Example,
    html_examples,
    second_examples,
    train,
    weighed,
    with_whole_gold,
)
from scripts.evaluation.line_variants import with_variants
from scripts.evaluation.plain_training import (
    headline_examples,
    line_examples,
    plain_pages,
    plain_second_examples,
    tried,
    variants_of,
)

Arrays = dict[str, Any]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", choices=("html", "plain"))
    parser.add_argument("--folds", type=Path, help="folder for the models of the folds, as evaluation reads them")
    parser.add_argument("--trees", type=int, default=250)
    parser.add_argument("--variants", type=int, default=4, help="of each page, to train on beside it")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args(argv)

    def grow(
        kind: str, examples: Sequence[Example], names: tuple[str, ...], path: Path, trees: int, runs: int
    ) -> list[Arrays]:
        """Trains the whole model and those of the folds; gives the latter."""
        lines = sum(len(example.rows) for example in examples)
        print(f"{kind}: {len(examples)} pages, {lines} lines, {len(names)} features", flush=True)
        save(path, train(examples, names, trees, arguments.threads, runs=runs))
        if kind in ("doubtful", "second") and not arguments.folds:
            return []
        folds = [train(examples, names, trees, arguments.threads, fold, runs) for fold in range(FOLDS)]
        if arguments.folds:
            for fold, arrays in enumerate(folds):
                save(arguments.folds / f"{kind}_{fold}.npz", arrays)
        return folds

    if arguments.only != "plain":
        examples, names = html_examples(arguments.data)
        trial = [train(examples, names, arguments.trees, arguments.threads, fold) for fold in range(FOLDS)]
        by_fold = [tree_model(arrays) for arrays in trial]
        examples = with_variants(with_whole_gold(examples, by_fold), by_fold, arguments.variants)
        folds = grow("html", weighed(examples), names, MODELS.first, arguments.trees, 2)
        again = second_examples(examples, [tree_model(arrays) for arrays in folds])
        grow("doubtful", weighed(again), second_opinion.DOUBT_FEATURES, MODELS.second, arguments.trees // 2, 3)
    if arguments.only != "html":
        pages, names = plain_pages(arguments.data), plain_model.PLAIN_FEATURES
        titles = headline_examples(pages)
        folds = grow("headline", titles, headline.HEADLINE_FEATURES, headline.MODEL, arguments.trees // 2, 1)
        by_fold = [tree_model(arrays) for arrays in folds]
        examples = line_examples(pages, by_fold)
        trial = [train(weighed(examples), names, arguments.trees, arguments.threads, fold) for fold in range(FOLDS)]
        pages, examples = tried(pages, examples, [tree_model(arrays) for arrays in trial])
        pages += variants_of(pages, arguments.variants)
        examples += line_examples(pages[len(examples) :], by_fold)
        folds = grow("plain", weighed(examples), names, plain_model.MODEL, arguments.trees, 3)
        again = plain_second_examples(pages, examples, [tree_model(arrays) for arrays in folds])
        grow("second", weighed(again), plain_second.SECOND_FEATURES, plain_second.MODEL, arguments.trees // 2, 3)
    return 0


def save(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **arrays)
    print(f"  {path.name} ({path.stat().st_size / 1024:.0f} KB)", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
