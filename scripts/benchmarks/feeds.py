"""Measures how fast feeds are read, beside plain feedparser on the same files in the same run.

scripts/bench.py feeds --data FOLDER
"""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import feedparser

from newsbeam.transforms.feeds.document import FeedDocument
from newsbeam.transforms.feeds.parse import parse_feed
from newsbeam.transforms.model.errors import Rejected


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of feeds, searched for .xml, .rss and .atom")
    parser.add_argument("--smallest", type=int, default=4000, help="bytes; smaller files say little about speed")
    options = parser.parse_args(argv)
    files = sorted(path for path in options.data.rglob("*") if path.suffix in (".xml", ".rss", ".atom"))
    bodies = [body for body in (path.read_bytes() for path in files) if len(body) >= options.smallest]
    if not bodies:
        parser.error(f"{options.data} has no feed of {options.smallest} bytes or more")
    megabytes = sum(map(len, bodies)) / 1e6
    print(f"{len(bodies)} feeds, {megabytes:.2f} MB; CPU seconds, and seconds a megabyte")
    ours = _time(bodies, lambda body: len(parse_feed(FeedDocument("https://a.example/feed", body)).entries))
    theirs = _time(bodies, lambda body: len(feedparser.parse(io.BytesIO(body)).entries))
    for name, (seconds, entries) in (("parse_feed", ours), ("feedparser alone", theirs)):
        print(f"{name:<20} {seconds:8.3f} {seconds / megabytes:8.3f}   {entries} entries")
    print(f"ratio {ours[0] / theirs[0]:.2f}")
    return 0


def _time(bodies: list[bytes], read: Callable[[bytes], int]) -> tuple[float, int]:
    entries = 0
    begun = time.process_time()
    for body in bodies:
        try:
            entries += read(body)
        except Rejected:
            continue
    return time.process_time() - begun, entries
