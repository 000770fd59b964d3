"""`newsbeam topics try FILE`"""

import argparse
from collections.abc import Sequence
from pathlib import Path

NAME = "topics"
HELP = "see why articles have their topics"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.add_argument("action", choices=("try",), help="try FILE: which words made a story what it is")
    parser.add_argument("file", type=Path)
    parser.add_argument("--user-topics", type=Path, metavar="FILE", help="topics of your own, in YAML")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Prints the topics of the articles in a file, with the words that made them."""
    from newsbeam.pipeline.cli.explain import try_topics

    print(try_topics(options.file, options.user_topics))
    return 0
