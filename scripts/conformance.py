#!/usr/bin/env -S scripts/with_environment.sh measure
"""Runs the conformance suite: `scripts/conformance.py FOLDER` plays every case of a folder that has the form of the
project's feed corpus.

Prints one line a group, passed of total, and each failure; exits 0 only if all pass. `--only GROUP` plays some groups.
"""

import argparse
import importlib.util
import logging
import sys
from pathlib import Path

import yaml

from newsbeam.transforms.feeds.document import FeedDocument, ParsedFeed
from newsbeam.transforms.http.policy import Policy, policy_from
from scripts.conformance.result import GroupResult

ROOT = Path(__file__).resolve().parent.parent
AGENT = "newsbeam/0.1 (+https://example.org/about-our-crawler)"
GROUPS = ("ssrf", "robots", "urls", "http", "feeds", "edge", "mutants", "realworld", "hostile", "opml")


def load_policy() -> Policy:
    """Loads the intervals and limits of `configs/policy.yaml`."""
    return policy_from(yaml.safe_load((ROOT / "configs" / "policy.yaml").read_text()))


def play_http(folder: Path) -> GroupResult:
    """Plays the group `http`; feeds are parsed in the sandbox, as in a live run."""
    from newsbeam.transforms.sources.polling.feed_parser import FeedParser
    from scripts.conformance import http

    parsers: list[FeedParser] = []

    async def parse(document: FeedDocument) -> ParsedFeed:
        if not parsers:
            parsers.append(FeedParser())
        return await parsers[0](document)

    try:
        return http.run(folder, load_policy(), AGENT, parse)
    finally:
        for parser in parsers:
            parser.close()


def play(group: str, folder: Path) -> GroupResult | None:
    """Plays one group; returns None if the folder has no cases of it."""
    if not (folder / group).exists():
        return None
    if group == "http":
        return play_http(folder)
    try:
        module = importlib.import_module(f"scripts.conformance.{group}")
    except ModuleNotFoundError as error:
        return GroupResult(group, 0, 1, (f"cannot be played: {error}",))
    if group in ("ssrf", "robots"):
        result: GroupResult = module.run(folder, load_policy().fetch, AGENT)
    else:
        result = module.run(folder)
    return result


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", action="append", choices=GROUPS, help="play this group; may be given more than once")
    options = parser.parse_args(argv)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # connections that a scenario breaks off
    good, played = True, 0
    for group in options.only or GROUPS:
        if importlib.util.find_spec(f"scripts.conformance.{group}") is None:
            continue
        result = play(group, options.folder)
        if result is None:
            continue
        played += 1
        good = good and result.passed == result.total
        print(f"{result.name}: {result.passed} of {result.total}", flush=True)
        for failure in result.failures:
            print(f"    {failure}")
    if not played:
        print(f"{options.folder} has no folder of any group: {', '.join(GROUPS)}", file=sys.stderr)
    return 0 if good and played else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
