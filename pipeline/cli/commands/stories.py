"""`newsbeam stories`"""

import argparse
from collections.abc import Sequence

from newsbeam.pipeline.cli.commands.options import add_source

NAME = "stories"
HELP = "list the current stories and who tells them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    add_source(parser)
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="so many at most (default: %(default)s)")
    parser.add_argument("--outlets", type=int, default=0, metavar="N", help="told by at least so many outlets")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Prints a line for each story."""
    from newsbeam.pipeline.cli.stories import stories

    print(*stories(options.source, options.limit, options.outlets), sep="\n")
    return 0
