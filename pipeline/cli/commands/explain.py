"""`newsbeam explain KEY [OTHER]`"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from newsbeam.pipeline.cli.commands.options import add_source

NAME = "explain"
HELP = "show what was kept and removed of a page, and by which rule"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.add_argument("key", metavar="ID|URL|FILE", help="a record of the sink, or a page")
    parser.add_argument("other", nargs="?", metavar="OTHER", help="a second one: why the two are, or are no, copies")
    add_source(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the same as a page for a browser")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Prints one article, or what speaks for and against two being copies."""
    from newsbeam.pipeline.cli.explain import compare, explain, revisions

    if options.other:
        print(compare(options.key, options.other, options.source))
        return 0
    print(explain(options.key, options.source, options.html, sys.stdout.isatty()))
    if not Path(options.key).is_file() and (changes := revisions(options.key, options.source)):
        print(f"\nrevisions:\n{changes}")
    return 0
