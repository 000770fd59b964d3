"""How well copies are found: runs the stage itself on a folder of documents and scores what comes out.

    scripts/evaluate.py duplicates --data FOLDER
"""

import argparse
import collections
import json
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from evaluation.corpus import as_article, documents
from evaluation.score_duplicates import report
from transforms.dead_letters import DeadLetters
from transforms.duplicates import DuplicatesConfig, MarkDuplicates
from transforms.identity import IdentifyArticles
from transforms.records import Article


def line_of(article: Article) -> str:
    """What the prediction needs of an article, as JSON."""
    return json.dumps(
        {
            "id": article.origin.unit,
            "article": article.id,
            "kind": article.duplicate_kind,
            "of": article.duplicate_of,
            "score": article.duplicate_score,
            "agency": article.wire_agency,
        }
    )


def predictions(lines: Iterable[str]) -> list[dict[str, str | None]]:
    """Pointers between documents from pointers between articles: an article's first document stands for it."""
    found = sorted((json.loads(line) for line in lines), key=lambda row: row["id"])
    originals = {row["article"]: row["id"] for row in reversed(found) if row["kind"] == "unique"}
    for row in found:
        originals.setdefault(row["article"], row["id"])
    return [
        {
            "id": row["id"],
            "duplicate_of": originals[row["of"]] if row["of"] else None,
            "relation": row["kind"],
        }
        for row in found
    ]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="evaluate.py duplicates", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with *.jsonl.gz and pairs.jsonl.gz")
    parser.add_argument("--sets", default="", help="only these sets, with commas between")
    parser.add_argument("--shards", type=int, default=DuplicatesConfig.shards)
    parser.add_argument("--out", type=Path, help="where to keep the predictions (JSON lines)")
    args, beam_args = parser.parse_known_args(argv)
    sets = set(args.sets.split(",")) if args.sets else None
    articles = [as_article(row) for row in documents(args.data, sets)]
    config = DuplicatesConfig(policy="label", shards=args.shards)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "predictions"
        with beam.Pipeline(options=PipelineOptions(beam_args)) as pipeline:
            (
                pipeline
                | "Documents" >> beam.Create(articles).with_output_types(Article)
                | "Identify" >> IdentifyArticles(DeadLetters())
                | "Duplicates" >> MarkDuplicates(config)
                | "As lines" >> beam.Map(line_of).with_output_types(str)
                | "Write" >> beam.io.WriteToText(str(out), num_shards=1)
            )
        lines = next(Path(folder).glob("predictions-*")).read_text(encoding="utf-8").splitlines()
    spent = time.process_time() - started
    kinds = collections.Counter(json.loads(line)["kind"] for line in lines)
    found = predictions(lines)
    if args.out:
        args.out.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    print(f"{len(articles)} documents, {len(articles) / spent:.0f} a CPU-second, {dict(sorted(kinds.items()))}")
    print(report(args.data, found, "dup", sets))
    return 0
