#!/usr/bin/env python3
"""Trains the line models of extraction (HTML blocks) and of plain text, and writes their artefacts.

    scripts/train_lines.py --data FOLDER [--only html|plain] [--folds 5] [--out FOLDER]

FOLDER holds `manifest.jsonl` and the pages it names (see `scripts/evaluation/clean.py`). Needs `catboost` and, for
plain text, `inscriptis`: `pip install newsbeam[train]`. With `--out` the models are written there instead of into the
package, one for each fold beside the whole one: `scripts/evaluate.py clean --models FOLDER` then judges each page by
the model that has not seen its site. Seeds are fixed; one thread, so that the artefact is the same on every machine.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

from evaluation.line_training import FOLDS, fold_of, html_examples, plain_examples, train  # noqa: E402


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", choices=("html", "plain"))
    parser.add_argument("--out", type=Path, help="folder for the models of the folds, as evaluation reads them")
    parser.add_argument("--trees", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    package = Path(__file__).resolve().parent.parent / "transforms"
    for kind, examples_of, home in (
        ("html", html_examples, package / "extraction" / "models" / "html_lines.npz"),
        ("plain", plain_examples, package / "boilerplate" / "models" / "plain_lines.npz"),
    ):
        if arguments.only not in (None, kind):
            continue
        examples, names = examples_of(arguments.data)
        lines = sum(len(example.rows) for example in examples)
        print(f"{kind}: {len(examples)} pages, {lines} lines, {len(names)} features", flush=True)
        folds = [None, *range(FOLDS)] if arguments.out else [None]
        for fold in folds:
            seen = [example for example in examples if fold is None or fold_of(example.site) != fold]
            model = train(seen, names, arguments.trees, arguments.threads)
            path = home if not arguments.out else arguments.out / f"{kind}_{'all' if fold is None else fold}.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, **model)
            print(f"  {path} ({path.stat().st_size / 1024:.0f} KB, {len(seen)} pages)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
