"""`newsbeam export`"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from newsbeam.pipeline.cli.commands.options import add_source

NAME = "export"
HELP = "write what a sink holds in another form"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    add_source(parser)
    parser.add_argument(
        "--format", choices=("jsonl", "ninjs"), default="jsonl", help="ninjs is IPTC ninjs 3.0 (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Writes the records."""
    from newsbeam.pipeline.cli.export import export

    count = export(options.source, options.format, options.out)
    print(f"{count} records as {options.format}", file=sys.stderr)
    return 0
