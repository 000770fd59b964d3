"""Measures the whole pipeline beside a bare loop of `trafilatura.bare_extraction` on the same pages in the same run."""

import argparse
import gzip
import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import trafilatura
from fastwarc.warc import WarcRecord, WarcRecordType

from scripts.benchmarks.measure import Measured, measure

START = 1_700_000_000


def main(arguments: Sequence[str]) -> int:
    """Prints pages a second, CPU a page, memory, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of real pages: *.html.gz, at any depth")
    parser.add_argument("--pages", type=int, default=1000, help="more than there are: they come again, at other URLs")
    parser.add_argument("--workers", type=int, nargs="+", default=[1], help="measure with so many workers, in turn")
    parser.add_argument("--no-bare", action="store_true", help="leave out the bare loop (for long runs)")
    parser.add_argument("--apart", type=int, default=1, help="seconds from one page's date to the next one's")
    parser.add_argument("--memory", action="store_true", help="print the memory of the pipeline over time")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work:
        archive = Path(work) / "pages.warc.gz"
        write_archive(archive, sorted(options.data.rglob("*.html.gz")), options.pages, options.apart)
        print(f"{options.pages} pages, {archive.stat().st_size / 1e6:.0f} MB of WARC")
        bare = None if options.no_bare else bare_loop(archive)
        if bare:
            print(
                f"{'bare loop':<22}{options.pages / bare:8.1f} pages/s {1000 * bare / options.pages:8.2f} ms CPU a page"
            )
        first = None
        for workers in options.workers:
            run = replay(archive, Path(work) / f"out{workers}", workers)
            label = f"pipeline, {workers} worker{'s' * (workers > 1)}"
            print(
                f"{label:<22}{options.pages / run.seconds:8.1f} pages/s"
                f" {1000 * run.cpu_seconds / options.pages:8.2f} ms CPU a page, peak {run.peak_mb:.0f} MB"
            )
            if bare:
                print(
                    f"{'':<22}{bare / run.seconds:8.2f} of the bare loop by time,{bare / run.cpu_seconds:6.2f} by CPU"
                )
            if first:
                print(f"{'':<22}{first / run.seconds:8.2f} times {options.workers[0]} worker")
            first = first or run.seconds
            if options.memory:
                show_memory(run)
    return 0


def write_archive(file: Path, pages: Sequence[Path], count: int, apart: int = 1) -> None:
    """Writes a WARC of `count` pages, a gzip member a record, in shuffled order, with distinct URLs and times
    (`apart` seconds each)."""
    if not pages:
        sys.exit("no *.html.gz in the folder")
    order = [number % len(pages) for number in range(count)]
    random.Random(0).shuffle(order)
    with file.open("wb") as archive:
        for number, page in enumerate(order):
            record = WarcRecord()
            record.init_headers(record_type=WarcRecordType.response)
            record.headers["WARC-Target-URI"] = f"https://site{page}.example/{number}/story"
            record.headers["WARC-Date"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + number * apart))
            record.headers["Content-Type"] = "application/http; msgtype=response"
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
            record.set_bytes_content(head + gzip.decompress(pages[page].read_bytes()))
            member = io.BytesIO()
            record.write(member)
            archive.write(gzip.compress(member.getvalue(), 1))


def bodies(archive: Path) -> Iterator[str]:
    """Reads the pages of the archive as text."""
    from fastwarc.warc import ArchiveIterator

    with archive.open("rb") as stream:
        for record in ArchiveIterator(stream):
            yield record.reader.read().decode("utf-8", "replace")


def bare_loop(archive: Path) -> float:
    """Returns the CPU seconds of `bare_extraction` with its defaults over all pages; reading them is not counted."""
    used = 0.0
    trafilatura.bare_extraction("<html><body><p>warm</p></body></html>")
    for html in bodies(archive):
        begun = time.process_time()
        trafilatura.bare_extraction(html)
        used += time.process_time() - begun
    return used


def replay(archive: Path, out: Path, workers: int) -> Measured:
    """Runs `newsbeam replay` on the archive into SQLite; start-up is included."""
    command = [sys.executable, "-m", "newsbeam", "replay", str(archive), "--to", f"sqlite:{out}/news.db"]
    return measure([*command, "--workers", str(workers)])


def show_memory(run: Measured) -> None:
    """Prints ten points of the memory curve."""
    step = max(1, len(run.memory_mb) // 10)
    print(json.dumps([[round(second), round(memory)] for second, memory in run.memory_mb[::step]]))
