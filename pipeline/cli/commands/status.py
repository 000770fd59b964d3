"""`newsbeam status`"""

import argparse
from collections.abc import Sequence
from pathlib import Path

NAME = "status"
HELP = "what a ledger says of feeds and entries"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.add_argument("--ledger", default="out/ledger.db", metavar="FILE", help="default: %(default)s")
    parser.add_argument(
        "--spool", type=Path, metavar="FILE", help="where records wait for sinks (default: spool.db beside the ledger)"
    )


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Prints the state of the ledger."""
    from newsbeam.pipeline.cli.status import status

    print(status(options.ledger, options.spool))
    return 0
