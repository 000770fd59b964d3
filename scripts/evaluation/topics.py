"""Measures topics on a folder of data.

    scripts/evaluate.py topics --data FOLDER [--predictions FOLDER] [--with-labels]

Every `*.jsonl` in FOLDER with `id` and `title` or `text` is one set; its gold is in the same rows or in
`NAME.gold.jsonl` beside it. Gold is either IPTC's own (`labels`, a list of top-level uris; `primary`, or the first, is
the main one) or coarse (`native`, a label of the set's own, with `groups` in the first row: label -> uris).

Columns: `primary` = the primary topic is the gold's; `any-of` = it is among the gold's; `tags F1` = micro F1 of all
tags. For coarse gold `strict` = the primary lies in the label's topics, `group` = of the set's labels the right one
has the best-scored topic. `tagged` = share not abstained from.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from newsbeam.transforms.topics import Tagger, TopicsConfig
from newsbeam.transforms.topics.table import TOP_LEVEL
from scripts.predict import predict_topics, read_rows

Row = dict[str, Any]


def main(argv: Sequence[str]) -> int:
    """Prints a table; 0 if there was anything to measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of JSONL files")
    parser.add_argument("--only", default="*", help="pattern of the sets to measure, such as `*valid*`")
    parser.add_argument("--predictions", type=Path, help="folder to write predictions to")
    parser.add_argument("--with-labels", action="store_true", help="let section and keywords of the input speak too")
    args = parser.parse_args(argv)
    tagger = Tagger(TopicsConfig())
    columns = (("n", 6), ("primary", 9), ("any-of", 8), ("tags F1", 9), ("strict", 8), ("group", 8), ("tagged", 8))
    print(f"{'set':<30}" + "".join(f"{name:>{width}}" for name, width in columns) + f"{'/CPU-s':>8}")
    measured = 0
    for path in sorted(args.data.glob(f"{args.only}.jsonl")):
        gold, inputs = _read(path, args.with_labels)
        if not gold:
            continue
        started = time.process_time()
        predictions = [predict_topics(row, tagger) for row in inputs]
        speed = len(inputs) / max(time.process_time() - started, 1e-9)
        if args.predictions:
            args.predictions.mkdir(parents=True, exist_ok=True)
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in predictions)
            (args.predictions / path.name).write_text(lines, "utf-8")
        figures = _coarse(gold, predictions) if "groups" in gold[0] else _iptc(gold, predictions)
        tagged = sum(bool(row["primary"]) for row in predictions) / len(predictions)
        cells = "".join(
            f"{figures[name]:{width}.3f}" if name in figures else " " * (width - 1) + "-"
            for name, width in (("primary", 9), ("any", 8), ("f1", 9), ("strict", 8), ("group", 8))
        )
        print(f"{path.stem:<30}{len(gold):>6}{cells}{tagged:>8.3f}{speed:>8.0f}")
        measured += 1
    if not measured:
        print(f"{args.data}: no *.jsonl with `id`, `title` or `text`, and `labels` or `native` with `groups`")
    return 0 if measured else 1


def _read(path: Path, with_labels: bool) -> tuple[list[Row], list[Row]]:
    """Reads gold and inputs in the same order; returns nothing if the file is not about topics."""
    if path.name.endswith(".gold.jsonl"):
        return [], []
    rows = list(read_rows(path))
    beside = path.with_suffix(".gold.jsonl")
    gold = {str(row.get("id", "")): row for row in (read_rows(beside) if beside.exists() else rows)}
    groups = next((row["groups"] for row in gold.values() if row.get("groups")), None)
    kept = [row for row in rows if "id" in row and str(row["id"]) in gold and ("title" in row or "text" in row)]
    labelled = [gold[str(row["id"])] for row in kept]
    if groups:
        labelled = [{**row, "groups": groups} for row in labelled]
    elif not labelled or not all(row.get("labels") for row in labelled):
        return [], []
    hidden = set() if with_labels else {"section", "keywords", "topic_hints"}
    return labelled, [{key: value for key, value in row.items() if key not in hidden} for row in kept]


def _iptc(gold: list[Row], predictions: list[Row]) -> dict[str, float]:
    primary = any_of = right = given = wanted = 0
    for row, prediction in zip(gold, predictions, strict=True):
        labels = {_uri(label) for label in row["labels"]}
        tags = {topic["code"] for topic in prediction["topics"]} & set(TOP_LEVEL)
        primary += prediction["primary"] == _uri(row.get("primary") or row["labels"][0])
        any_of += prediction["primary"] in labels
        right += len(tags & labels)
        given += len(tags)
        wanted += len(labels)
    return {"primary": primary / len(gold), "any": any_of / len(gold), "f1": 2 * right / max(given + wanted, 1)}


def _coarse(gold: list[Row], predictions: list[Row]) -> dict[str, float]:
    groups = {name: {_uri(code) for code in codes} for name, codes in gold[0]["groups"].items()}
    strict = group = 0
    for row, prediction in zip(gold, predictions, strict=True):
        scores = prediction["scores"]
        best = max(
            sorted(groups),
            key=lambda name: max(scores[uri] + 1e-9 * (uri == prediction["primary"]) for uri in groups[name]),
        )
        strict += prediction["primary"] in groups[row["native"]]
        group += best == row["native"]
    return {"strict": strict / len(gold), "group": group / len(gold)}


def _uri(code: str) -> str:
    return f"medtop:{code.rpartition(':')[2]}"
