"""Measures how well copies are found: runs the stage on a folder of documents and scores its verdicts.

scripts/evaluate.py duplicates --data FOLDER
"""

import argparse
import hashlib
import json
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from newsbeam.transforms.duplicates import DuplicatesConfig
from newsbeam.transforms.language import identify_language
from newsbeam.transforms.model.identity import order_time
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.stories.config import StoriesConfig
from scripts.evaluation.corpus import Marked, as_article, mark
from scripts.evaluation.scoring import by_id, by_operation, clusters_of, score_copies, table


def predictions(marked: list[Marked]) -> list[dict[str, str | None]]:
    """Turns pointers between articles into pointers between documents: an article's first document stands for it."""
    originals: dict[str, str] = {}
    for verdict in sorted(marked, key=lambda verdict: (verdict.kind != "unique", verdict.unit)):
        originals.setdefault(verdict.article, verdict.unit)
    return [{"id": verdict.unit, "duplicate_of": originals[verdict.of] if verdict.of else None} for verdict in marked]


def arrival(articles: Sequence[Article], chance: random.Random) -> list[list[Article]]:
    """The articles in bundles of any sizes, in any order within a bundle. All of one moment come in one bundle, as a
    replay reads them."""
    moments = defaultdict(list)
    for article in articles:
        moments[order_time(article)].append(article)
    bundles: list[list[Article]] = []
    room = 0
    for moment in sorted(moments):
        if room <= 0:
            bundles.append([])
            room = int(len(articles) ** chance.random())
        bundles[-1].extend(moments[moment])
        room -= len(moments[moment])
    for bundle in bundles:
        chance.shuffle(bundle)
    return bundles


def groups_lost(marked: Sequence[Marked]) -> int:
    """Groups of copies of which none is kept.

    Raises:
        ValueError: pointers go round in a circle.
    """
    clusters = clusters_of(predictions(list(marked)))
    kept = {clusters[verdict.unit] for verdict in marked if verdict.kind in ("unique", "revision")}
    return len(set(clusters.values()) - kept)


def try_orders(articles: Sequence[Article], orders: int, beam_args: Sequence[str]) -> int:
    """Takes the articles through duplicates and stories again and again: in another order, in other bundles (of the
    odd times, all in one), and with 1 to 8 shards. Succeeds if there is one outcome and no group was lost."""
    chance = random.Random(20)
    articles = [identify_language(article) for article in articles]
    outcomes: Counter[str] = Counter()
    lost = bundled = 0
    for order in range(orders):
        bundles = arrival(articles, chance) if order % 2 else [chance.sample(articles, len(articles))]
        shards = 1 + order % 8
        marked, _ = mark(
            bundles, beam_args, DuplicatesConfig(policy="label", shards=shards), StoriesConfig(shards=shards)
        )
        lost += groups_lost(marked)
        bundled += len(bundles)
        outcomes[hashlib.blake2b(repr(marked).encode(), digest_size=8).hexdigest()] += 1
    print(f"{len(articles)} documents, {orders} orders of arrival, 1-8 shards, {bundled} bundles:", end=" ")
    print(f"{len(outcomes)} distinct outcomes, {lost} groups lost")
    return 0 if len(outcomes) == 1 and not lost else 1


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="evaluate.py duplicates", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with *.jsonl.gz and pairs.jsonl.gz")
    parser.add_argument("--sets", default="", help="only these sets, with commas between")
    parser.add_argument("--shards", type=int, default=DuplicatesConfig.shards)
    parser.add_argument("--survivor", default="first", choices=("first", "original", "fullest"))
    parser.add_argument(
        "--orders", type=int, default=0, help="instead of scoring: so many orders of arrival, are the outcomes one?"
    )
    parser.add_argument("--out", type=Path, help="where to keep the predictions (JSON lines)")
    parser.add_argument("--by-operation", action="store_true", help="also count what was linked by how it was made")
    args, beam_args = parser.parse_known_args(argv)
    docs = by_id(args.data, set(args.sets.split(",")) if args.sets else None)
    articles = [as_article(row) for row in docs.values()]
    if args.orders:
        return try_orders(articles, args.orders, beam_args)
    config = DuplicatesConfig(policy="label", survivor=args.survivor, shards=args.shards)
    marked, spent = mark([articles], beam_args, config)
    predicted = predictions(marked)
    if args.out:
        args.out.write_text("".join(json.dumps(row) + "\n" for row in predicted), encoding="utf-8")
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(verdict.kind for verdict in marked).items()))
    print(f"{len(docs)} documents, {len(docs) / spent:.0f} a CPU-second: {kinds}")
    print(table(score_copies(args.data, docs, predicted)))
    if args.by_operation:
        for name, share in by_operation(docs, clusters_of(predicted)).items():
            print(f"  {name:<36}{share}")
    return 0
