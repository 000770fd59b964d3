"""Runs the same replay on the local engine and on Prism, with one and two workers; prints pages a second and the
ratios."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmarks.measure import Measured, measure
from scripts.benchmarks.replay import write_archive


def main(arguments: Sequence[str]) -> int:
    """Prints a line for each engine and number of workers; code 1 if an engine wrote other records than the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of real pages: *.html.gz, at any depth")
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="processes that clean pages")
    parser.add_argument("--prism", default=os.environ.get("PRISM", ""), help="see scripts/engines/prism.sh")
    options = parser.parse_args(arguments)
    engines: dict[str, list[str]] = {"local": []}
    if options.prism:
        engines["Prism"] = [
            *("--runner=PrismRunner", f"--prism_location={options.prism}", "--environment_type=LOOPBACK"),
            "--job_server_timeout=86400",
        ]
    expected, same = "", True
    with tempfile.TemporaryDirectory() as work:
        archive = Path(work) / "pages.warc.gz"
        write_archive(archive, sorted(options.data.rglob("*.html.gz")), options.pages)
        for engine, more in engines.items():
            first = 0.0
            for workers in options.workers:
                out = Path(work) / f"{engine}{workers}"
                run = replay(archive, out, [*more, "--workers", str(workers)])
                first = first or run.seconds
                records = (out / "stories.jsonl").read_text()
                expected = expected or records
                same = same and records == expected
                print(
                    f"{engine}, {workers} worker{'s' * (workers > 1):<2}{options.pages / run.seconds:8.1f} pages/s"
                    f" {1000 * run.cpu_seconds / options.pages:8.1f} ms CPU a page, peak {run.peak_mb:5.0f} MB,"
                    f" {first / run.seconds:5.2f} times {options.workers[0]} worker,"
                    f" {'the same records' if records == expected else 'OTHER RECORDS'}"
                )
    return 0 if same else 1


def replay(archive: Path, out: Path, more: Sequence[str]) -> Measured:
    """Runs `newsbeam replay` on the archive; start-up is included."""
    command = [sys.executable, "-m", "newsbeam", "replay", str(archive), "--to", f"jsonl:{out}/stories.jsonl"]
    return measure([*command, *more])
