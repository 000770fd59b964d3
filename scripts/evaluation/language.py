"""Measures language identification on a folder of data.

    scripts/evaluate.py language --data FOLDER [--backend py3langid] [--predictions FOLDER]

Every `*.jsonl` in FOLDER whose rows have `id`, `text` or `title`, and `lang` (null: must not be known) is a set; a row
may say what its page or feed says in `language_declared` (or `html_lang`) and `language_hint`. Sets with a `kind` are
split by it. For a set `NAME.jsonl` with its gold elsewhere, that gold is `NAME.gold.jsonl` (`id`, `lang`).
"""

import argparse
import json
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from newsbeam.transforms.language import LanguageConfig
from newsbeam.transforms.language.backends import load_backend
from newsbeam.transforms.language.tags import macrolanguage, primary_language
from scripts.predict import predict_language, read_rows


def main(argv: list[str]) -> int:
    """Prints a table of accuracies; 0 if there was anything to measure."""
    parser = argparse.ArgumentParser(
        prog="evaluate.py language", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of JSONL files")
    parser.add_argument("--backend", default="langdetect", help="langdetect, langdetect-rs or py3langid")
    parser.add_argument("--predictions", type=Path, help="folder to write predictions to")
    args = parser.parse_args(argv)
    config = LanguageConfig(backend=args.backend)
    known = load_backend(args.backend).languages
    print(f"{'set':<34}{'n':>7}{'micro':>8}{'macro':>8}{'known to backend':>18}{'not known ok':>14}{'texts/CPU-s':>13}")
    measured = 0
    for path in sorted(args.data.glob("*.jsonl")):
        rows = _gold(path)
        if not rows:
            continue
        started = time.process_time()
        predictions = [predict_language(row, config) for row in rows]
        speed = len(rows) / max(time.process_time() - started, 1e-9)
        if args.predictions:
            _write(args.predictions / path.name, predictions)
        by_kind = defaultdict(list)
        for row, prediction in zip(rows, predictions, strict=True):
            by_kind[str(row.get("kind", ""))].append((_norm(row["lang"]), _norm(prediction["lang"])))
        for kind, pairs in sorted(by_kind.items()):
            _print(f"{path.stem} {kind}", pairs, known, speed)
            measured += 1
    if not measured:
        print(f"{args.data}: no *.jsonl with `id`, `lang` and `text` or `title`")
    return 0 if measured else 1


def _gold(path: Path) -> list[dict[str, Any]]:
    """Reads rows with their gold, from the file itself or from the gold file beside it; returns none if the file is
    not about languages."""
    if path.name.endswith(".gold.jsonl"):
        return []
    rows = [row for row in read_rows(path) if "id" in row]
    gold_path = path.with_suffix(".gold.jsonl")
    if gold_path.exists():
        gold = {row["id"]: row["lang"] for row in read_rows(gold_path) if "lang" in row}
        rows = [{**row, "lang": gold[row["id"]]} for row in rows if row["id"] in gold]
    fit = [row for row in rows if "lang" in row and ("text" in row or "title" in row)]
    return [] if any("labels" in row for row in fit) else fit


def _norm(tag: str | None) -> str | None:
    primary = primary_language(tag or "")
    return macrolanguage(primary) if primary else None


def _print(name: str, pairs: list[tuple[str | None, str | None]], known: frozenset[str], speed: float) -> None:
    real = [(gold, found) for gold, found in pairs if gold]
    by_language: dict[str, list[bool]] = defaultdict(list)
    for gold, found in real:
        by_language[gold].append(gold == found)
    micro = sum(gold == found for gold, found in real) / max(len(real), 1)
    macro = sum(sum(right) / len(right) for right in by_language.values()) / max(len(by_language), 1)
    within = [gold == found for gold, found in real if gold in known]
    none = [found is None for gold, found in pairs if gold is None]
    share = f"{sum(within) / len(within):.4f}" if within else "-"
    refused = f"{sum(none) / len(none):.4f}" if none else "-"
    print(f"{name:<34}{len(pairs):>7}{micro:>8.4f}{macro:>8.4f}{share:>18}{refused:>14}{speed:>13.0f}")
    wrong = Counter(f"{gold}->{found or 'und'}" for gold, found in real if gold != found)
    if wrong:
        print("    " + ", ".join(f"{confusion} {times}" for confusion, times in wrong.most_common(8)))


def _write(path: Path, predictions: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in predictions), "utf-8")
