"""Speed and state of copy detection, beside datasketch's MinHash-LSH (128 permutations, t = .8) on the same documents.

    pip install datasketch
    scripts/bench.py duplicates [--documents 10000 100000] [--data FOLDER]

Documents are made of the words of `--data` (a folder of documents as `evaluate.py duplicates` takes it), or made up: a
quarter of them are copies of earlier ones with some words changed. Times are CPU time of this process.
"""

import argparse
import pickle
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import apache_beam as beam

from evaluation.corpus import documents
from pipeline.beam_options import pipeline_options
from transforms.duplicates import DuplicatesConfig, MarkDuplicates
from transforms.duplicates.duplicates import Address, see, stages
from transforms.duplicates.features import TOGETHER, features_of
from transforms.identity import identify
from transforms.records import Article, Origin

WORDS = 330
"""Of a text: the median of the news collections the thresholds were measured on."""


def made_up(count: int, folder: Path | None, seed: int = 1) -> list[Article]:
    """So many articles over three days, a quarter of them copies."""
    chance = random.Random(seed)
    if folder:
        vocabulary = [word for row in documents(folder)[:2000] for word in row["text"].split()]
    else:
        ranks = ["".join(chance.choices("aeioubdfgklmnprstvz", k=2 + n % 9)) for n in range(20_000)]
        weights = [1 / (n + 5) for n in range(len(ranks))]
        vocabulary = chance.choices(ranks, weights, k=400_000)
    texts: list[list[str]] = []
    articles = []
    for n in range(count):
        if texts and chance.random() < 0.25:
            words = list(chance.choice(texts[-2000:]))
            for _ in range(chance.randrange(30)):
                words[chance.randrange(WORDS)] = chance.choice(vocabulary)
        else:
            words = chance.choices(vocabulary, k=WORDS)
            texts = [*texts[-2000:], words]
        seen = 1_700_000_000 + n * 259_200 // count
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seen))
        articles.append(
            identify(
                Article(
                    url=f"https://outlet{n % 199}.example/{n}",
                    title=f"Title {n}",
                    text=" ".join(words),
                    origin=Origin(unit=str(n), seen_at=stamp),
                )
            )
        )
    return articles


def datasketch_rate(articles: Sequence[Article]) -> float:
    """Documents a CPU-second of datasketch: shingles of three words, insert and query."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.8, num_perm=128)
    started = time.process_time()
    for article in articles:
        words = article.text.lower().split()
        sketch = MinHash(num_perm=128)
        sketch.update_batch([" ".join(words[i : i + 3]).encode() for i in range(len(words) - 2)])
        index.query(sketch)
        index.insert(article.id, sketch)
    return len(articles) / (time.process_time() - started)


def features_rate(articles: Sequence[Article]) -> float:
    """Documents a CPU-second of the features alone, taken together as in the stage."""
    features_of([articles[0].text])
    started = time.process_time()
    for at in range(0, len(articles), TOGETHER):
        features_of([article.text for article in articles[at : at + TOGETHER]])
    return len(articles) / (time.process_time() - started)


class Recorded(beam.DoFn):
    """Reads articles back, as a replay would: what `Create` does with large values is not to be measured."""

    def process(self, path: str) -> Iterator[Article]:
        with Path(path).open("rb") as stored:
            yield from pickle.load(stored)  # noqa: S301 - written by this run


def beam_rate(articles: Sequence[Article], shards: int, beam_args: Sequence[str]) -> float:
    """Documents a CPU-second of the stage in a pipeline, articles in and out."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{at:08}" for at in range(0, len(articles), 500)]
        for i, path in enumerate(paths):
            Path(path).write_bytes(pickle.dumps(articles[i * 500 : i * 500 + 500]))
        started = time.process_time()
        runner, options = pipeline_options(beam_args)
        with beam.Pipeline(runner=runner, options=options) as pipeline:
            read = pipeline | beam.Create(paths, reshuffle=False) | beam.ParDo(Recorded()).with_output_types(Article)
            read | MarkDuplicates(DuplicatesConfig(shards=shards))
        return len(articles) / (time.process_time() - started)


class Growth(NamedTuple):
    """How the shards fare with so many articles."""

    rate: float
    """Documents a CPU-second, of the last tenth."""
    state: float
    """Bytes of log a document."""
    again: float
    """Documents a CPU-second when the memories are built again from their logs."""
    kinds: Counter[str]


def grow(articles: Sequence[Article], shards: int, chunk: int = 500) -> Growth:
    """Takes articles through the shards without Beam, then builds the memories again as a new process does."""
    config = DuplicatesConfig(shards=shards)
    line = stages(config)
    memories = {(stage.name, shard): stage.memory(shard) for stage in line for shard in range(shards)}
    logs: dict[tuple[str, int], list[bytes]] = {}
    address, kinds = Address(config), Counter[str]()
    last = len(articles) * 9 // 10 // chunk * chunk
    started = time.process_time()
    for at in range(0, len(articles), chunk):
        if at == last:
            started = time.process_time()
        letters: dict[tuple[str, int], list[bytes]] = {}
        for seen in see(articles[at : at + chunk]):
            for sent in address(seen):
                letters.setdefault((sent.to, sent.shard), []).append(sent.message)
        for place, memory in memories.items():
            if place not in letters:
                continue
            done = memory.work(letters[place])
            if done.learnt:
                logs.setdefault(place, []).append(done.learnt)
            kinds.update(article.duplicate_kind for article in done.results)
            for sent in done.sent:
                letters.setdefault((sent.to, sent.shard), []).append(sent.message)
    rate = (len(articles) - last) / (time.process_time() - started)
    state = sum(len(entry) for log in logs.values() for entry in log) / len(articles)
    memories.clear()
    started = time.process_time()
    for stage in line:
        for shard in range(shards):
            memory = stage.memory(shard)
            for entry in logs.get((stage.name, shard), ()):
                memory.replay(entry)
    return Growth(rate, state, len(articles) / (time.process_time() - started), kinds)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench.py duplicates", description=__doc__)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--data", type=Path, help="folder whose words the documents are made of")
    parser.add_argument("--shards", type=int, default=2)
    args, beam_args = parser.parse_known_args(argv)
    small = made_up(min(args.documents), args.data)
    sample = small[:5000]
    ours, theirs = features_rate(sample), datasketch_rate(sample)
    print(f"{'features':<34}{ours:>10,.0f} documents/CPU-second")
    print(f"{'datasketch MinHash-LSH 128, t = .8':<34}{theirs:>10,.0f}")
    whole = beam_rate(small, args.shards, beam_args)
    print(f"{f'whole stage in Beam, {len(small):,}':<34}{whole:>10,.0f}  ({whole / theirs:.1f} times datasketch)")
    for count in args.documents:
        articles = small if count == len(small) else made_up(count, args.data)
        growth = grow(articles, args.shards)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{f'shards alone, last tenth of {count:,}':<34}{growth.rate:>10,.0f}  {growth.state:,.0f} B of state a"
            f" document, built again at {growth.again:,.0f} documents/CPU-second,"
            f" {growth.kinds.total() - growth.kinds['unique']:,} copies, peak {peak:,} MB"
        )
        sys.stdout.flush()
    return 0
