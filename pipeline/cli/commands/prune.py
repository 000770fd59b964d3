"""`newsbeam prune`"""

import argparse
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from newsbeam.pipeline.cli.commands.options import add_source

NAME = "prune"
HELP = "remove what is old from an archive and the ledger"


def age(text: str) -> timedelta:
    """Reads `90d`, `12w` or `36h`."""
    units = {"h": "hours", "d": "days", "w": "weeks"}
    try:
        return timedelta(**{units[text[-1:]]: float(text[:-1])})
    except (KeyError, ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is not an age; write for example 90d, 12w or 36h") from None


def size(text: str) -> int:
    """Reads `500MB` or `10GB`, in bytes of ten to the sixth and ninth."""
    for unit, factor in (("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12)):
        if text.upper().endswith(unit):
            try:
                return int(float(text[: -len(unit)]) * factor)
            except (ValueError, OverflowError):
                break
    raise argparse.ArgumentTypeError(f"{text!r} is not a size; write for example 500MB or 10GB")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Removes what is old from an archive (sqlite:) and from the ledger, and gives the space back. Pending inputs,\n"
        "what is known of feeds, and the memories of copies and stories stay, so that nothing is told twice. Safe\n"
        "while a live run writes."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--older", type=age, metavar="AGE", help="what came longer ago: 90d, 12w or 36h")
    parser.add_argument(
        "--larger", type=size, metavar="SIZE", help="the oldest articles, until the archive is smaller: 500MB or 10GB"
    )
    add_source(parser)
    parser.add_argument("--ledger", default="out/ledger.db", metavar="FILE", help="default: %(default)s")
    parser.add_argument("--dry-run", action="store_true", help="only count what --older would remove")


def run(options: argparse.Namespace, _: Sequence[str]) -> int:
    """Prunes, and prints a line for each file."""
    from newsbeam.pipeline.cli.prune import prune

    now = datetime.now(timezone.utc)
    pruned = prune(options.source, options.ledger, options.older, options.larger, options.dry_run, now)
    print("\n".join(file.line() for file in pruned))
    return 0
