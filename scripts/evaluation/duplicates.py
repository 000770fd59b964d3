"""How well copies are found: runs the stage itself on a folder of documents and scores what comes out.

scripts/evaluate.py duplicates --data FOLDER
"""

import argparse
import json
from collections import Counter
from pathlib import Path

from evaluation.corpus import Marked, as_article, mark
from evaluation.scoring import by_id, by_operation, clusters_of, score_copies, table
from transforms.duplicates import DuplicatesConfig


def predictions(marked: list[Marked]) -> list[dict[str, str | None]]:
    """Pointers between documents from pointers between articles: an article's first document stands for it."""
    originals: dict[str, str] = {}
    for one in sorted(marked, key=lambda one: (one.kind != "unique", one.unit)):
        originals.setdefault(one.article, one.unit)
    return [{"id": one.unit, "duplicate_of": originals[one.of] if one.of else None} for one in marked]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="evaluate.py duplicates", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with *.jsonl.gz and pairs.jsonl.gz")
    parser.add_argument("--sets", default="", help="only these sets, with commas between")
    parser.add_argument("--shards", type=int, default=DuplicatesConfig.shards)
    parser.add_argument("--out", type=Path, help="where to keep the predictions (JSON lines)")
    parser.add_argument("--by-operation", action="store_true", help="also count what was linked by how it was made")
    args, beam_args = parser.parse_known_args(argv)
    docs = by_id(args.data, set(args.sets.split(",")) if args.sets else None)
    marked, spent = mark([as_article(row) for row in docs.values()], beam_args, args.shards)
    found = predictions(marked)
    if args.out:
        args.out.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(one.kind for one in marked).items()))
    print(f"{len(docs)} documents, {len(docs) / spent:.0f} a CPU-second: {kinds}")
    print(table(score_copies(args.data, docs, found)))
    if args.by_operation:
        for name, share in by_operation(docs, clusters_of(found)).items():
            print(f"  {name:<36}{share}")
    return 0
