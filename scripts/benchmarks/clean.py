"""Measures how fast pages become clean text: `scripts/bench.py clean --data FOLDER [--pages N]`.

CPU seconds of `extract_article` and `strip_boilerplate` (with all metadata) beside a bare loop of
`trafilatura.bare_extraction` with its defaults (no metadata) over the same pages in the same run, and their ratio; the
time of each part; the memory after many pages.
"""

import argparse
import contextlib
import gzip
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import trafilatura

from newsbeam.transforms.boilerplate.strip import strip_boilerplate
from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Article, Page


def seconds(work: Callable[[], object]) -> float:
    """Returns the CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.jsonl")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1, help="go over the pages so often, and report memory")
    arguments = parser.parse_args(argv)
    with (arguments.data / "manifest.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    step = max(1, len(rows) // arguments.pages)
    pages = [
        Page(url=row["url"], body=gzip.decompress((arguments.data / row["html"]).read_bytes()), charset="utf-8")
        for row in rows[::step][: arguments.pages]
    ]
    extracted: list[Article] = []

    def extract(page: Page) -> None:
        with contextlib.suppress(Rejected):
            extracted.append(extract_article(page))

    def strip() -> None:
        for article in extracted:
            with contextlib.suppress(Rejected):
                strip_boilerplate(article)

    for page in pages[:10]:
        extract(page)
    extracted.clear()
    # Alternates page by page: a machine that is busy for a while slows both.
    ours = bare = 0.0
    for page in pages:
        ours += seconds(lambda page=page: extract(page))  # type: ignore[misc]
        text = page.body.decode("utf-8", "replace")
        bare += seconds(lambda text=text: trafilatura.bare_extraction(text))  # type: ignore[misc]
    stripping = seconds(strip)
    count = len(pages)
    doubtful = sum(article.extractor != "blocks" for article in extracted)
    print(f"{'extract_article':32s} {1000 * ours / count:7.2f} ms of CPU a page ({doubtful} of {count} pages doubtful)")
    print(f"{'strip_boilerplate':32s} {1000 * stripping / count:7.2f} ms")
    print(f"{'bare_extraction, defaults':32s} {1000 * bare / count:7.2f} ms")
    print(f"{'ratio of pages/s':32s} {bare / (ours + stripping):7.2f} times the bare loop")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(arguments.rounds - 1):
        for page in pages:
            extract(page)
        extracted.clear()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if arguments.rounds > 1:
        done = count * arguments.rounds
        print(f"peak memory {before // 1024} MB after {count} pages, {after // 1024} MB after {done}")
    return 0
