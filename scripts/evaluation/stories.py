"""Measures how well stories are linked: runs the stages on a folder of documents and scores their verdicts.

scripts/evaluate.py stories --data FOLDER
"""

import argparse
import json
from pathlib import Path

from newsbeam.transforms.duplicates import DuplicatesConfig
from newsbeam.transforms.stories.config import StoriesConfig
from scripts.evaluation.corpus import as_article, mark
from scripts.evaluation.scoring import by_id, score_stories, table


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="evaluate.py stories", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with *.jsonl.gz and pairs.jsonl.gz")
    parser.add_argument("--sets", default="", help="only these sets, with commas between")
    parser.add_argument("--shards", type=int, default=DuplicatesConfig.shards)
    parser.add_argument("--out", type=Path, help="where to keep the predictions (JSON lines)")
    args, beam_args = parser.parse_known_args(argv)
    docs = by_id(args.data, set(args.sets.split(",")) if args.sets else None)
    duplicates, stories = DuplicatesConfig(policy="label", shards=args.shards), StoriesConfig(shards=args.shards)
    marked, spent = mark([[as_article(row) for row in docs.values()]], beam_args, duplicates, stories, language=True)
    clusters = {verdict.unit: verdict.story for verdict in marked}
    if args.out:
        lines = (json.dumps({"id": unit, "cluster": story}) + "\n" for unit, story in clusters.items())
        args.out.write_text("".join(lines), encoding="utf-8")
    print(f"{len(docs)} documents, {len(docs) / spent:.0f} a CPU-second, {len(set(clusters.values()))} stories")
    print(table(score_stories(args.data, docs, clusters)))
    return 0
