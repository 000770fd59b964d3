"""Measures speed and memory of copy detection beside datasketch's MinHash-LSH (128 permutations, t = .8) on the same
documents.

    pip install datasketch
    scripts/bench.py duplicates [--documents 10000 100000 1000000] [--data FOLDER]

Documents are made of the words of `--data` (a folder of documents as `evaluate.py duplicates` takes it), or made up: a
quarter of them are copies of earlier ones with some words changed. Times are CPU time of this process.
"""

import argparse
import itertools
import pickle
import resource
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from newsbeam.pipeline.config.beam_options import pipeline_options
from newsbeam.transforms.duplicates import DuplicatesConfig, MarkDuplicates
from newsbeam.transforms.duplicates.duplicates import Address, see, stages
from newsbeam.transforms.duplicates.features import TOGETHER, features_of
from newsbeam.transforms.model.identity import identify
from newsbeam.transforms.model.records import Article, Origin
from scripts.evaluation.corpus import documents

WORDS = 330
"""Words of a text: the median of the news collections on which the thresholds were measured."""
CHUNK = 500
"""Articles in one bundle, as in a replay."""


def made_up(count: int, folder: Path | None, seed: int = 1) -> Iterator[Article]:
    """Makes articles over three days; a quarter of them are copies of one of the two thousand before them."""
    chance = np.random.default_rng(seed)
    if folder:
        vocabulary = np.array([word for row in documents(folder)[:2000] for word in row["text"].split()], object)
    else:
        letters = np.array(list("aeioubdfgklmnprstvz"))
        ranks = ["".join(chance.choice(letters, 2 + n % 9)) for n in range(60_000)]
        # Zipf's law in Mandelbrot's form.
        weights = 1 / (np.arange(len(ranks)) + 2.7)
        vocabulary = np.array(ranks, object)[chance.choice(len(ranks), 1_000_000, p=weights / weights.sum())]
    texts: deque[npt.NDArray[np.object_]] = deque(maxlen=2000)
    for n in range(count):
        if texts and chance.random() < 0.25:
            words = texts[int(chance.integers(len(texts)))].copy()
            words[chance.integers(WORDS, size=int(chance.integers(30)))] = vocabulary[chance.integers(vocabulary.size)]
        else:
            words = vocabulary[chance.integers(vocabulary.size, size=WORDS)]
            texts.append(words)
        seen = 1_700_000_000 + n * 259_200 // count
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seen))
        yield identify(
            Article(
                url=f"https://outlet{n % 199}.example/{n}",
                title=f"Title {n}",
                text=" ".join(words),
                origin=Origin(unit=str(n), seen_at=stamp),
            )
        )


def datasketch_rate(articles: Sequence[Article]) -> float:
    """Returns documents a CPU second of datasketch: shingles of three words, insert and query."""
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
    """Returns documents a CPU second of the features alone, computed in batches as in the stage."""
    features_of([articles[0].text])
    started = time.process_time()
    for at in range(0, len(articles), TOGETHER):
        features_of([article.text for article in articles[at : at + TOGETHER]])
    return len(articles) / (time.process_time() - started)


class Recorded(beam.DoFn):
    """Reads articles from a file as a replay does (`Create` would be slow with values this large, and is not what is
    measured)."""

    def process(self, path: str) -> Iterator[Article]:
        with Path(path).open("rb") as stored:
            yield from pickle.load(stored)  # noqa: S301 - written by this run


def beam_rate(articles: Sequence[Article], shards: int, beam_args: Sequence[str]) -> float:
    """Returns documents a CPU second of the stage in a pipeline, articles in and out."""
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
    """Figures of the shards with a given number of articles."""

    first: float
    """Documents a CPU second, of the first 10,000."""
    last: float
    """Documents a CPU second, of the last 10,000."""
    state: float
    """Bytes of log for each document."""
    again: float
    """CPU seconds to rebuild the memories from their logs."""
    copies: int


def grow(articles: Iterator[Article], shards: int) -> Growth:
    """Takes articles through the shards without Beam, then builds the memories again as a new process does."""
    config = DuplicatesConfig(shards=shards)
    line = stages(config)
    memories = {(stage.name, shard): stage.memory(shard) for stage in line for shard in range(shards)}
    logs: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
    address = Address(config)
    spent: list[float] = []
    done = copies = 0
    while chunk := list(itertools.islice(articles, CHUNK)):
        started = time.process_time()
        letters: defaultdict[tuple[str, int], list[bytes]] = defaultdict(list)
        for seen in see(chunk):
            for sent in address(seen):
                letters[sent.to, sent.shard].append(sent.message)
        for target, memory in memories.items():
            if target not in letters:
                continue
            work = memory.work(letters[target])
            if work.learnt:
                logs[target].append(work.learnt)
            copies += sum(article.duplicate_kind != "unique" for article in work.results)
            for sent in work.sent:
                letters[sent.to, sent.shard].append(sent.message)
        spent.append(time.process_time() - started)
        done += len(chunk)
    chunks = 10_000 // CHUNK
    first, last = (chunks * CHUNK / sum(part) for part in (spent[:chunks], spent[-chunks:]))
    state = sum(len(entry) for log in logs.values() for entry in log) / done
    memories.clear()
    started = time.process_time()
    again = []
    for stage in line:
        for shard in range(shards):
            memory = stage.memory(shard)
            for entry in logs[stage.name, shard]:
                memory.replay(entry)
            logs.pop((stage.name, shard))
            again.append(memory)
    return Growth(first, last, state, time.process_time() - started, copies)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench.py duplicates", description=__doc__)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--data", type=Path, help="folder whose words the documents are made of")
    parser.add_argument("--shards", type=int, default=2)
    args, beam_args = parser.parse_known_args(argv)
    small = list(made_up(10_000, args.data))
    sample = small[:5000]
    ours, theirs = features_rate(sample), datasketch_rate(sample)
    print(f"{'features':<34}{ours:>10,.0f} documents/CPU-second")
    print(f"{'datasketch MinHash-LSH 128, t = .8':<34}{theirs:>10,.0f}")
    whole = beam_rate(small, args.shards, beam_args)
    print(f"{f'whole stage in Beam, {len(small):,}':<34}{whole:>10,.0f}  ({whole / theirs:.1f} times datasketch)")
    for count in args.documents:
        growth = grow(made_up(count, args.data), args.shards)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"{f'shards alone, {count:,}':<34}{growth.first:>10,.0f} at first, {growth.last:,.0f} at last;"
            f" {growth.state:,.0f} B of state a document; built again in {growth.again:.1f} CPU-seconds"
            f" ({count / growth.again:,.0f} a second); {growth.copies:,} copies, peak {peak:,} MB"
        )
        sys.stdout.flush()
    return 0
