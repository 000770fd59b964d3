"""Options that several commands have."""

import argparse
from pathlib import Path

from newsbeam.transforms.sinks.table import help_text

SINKS_AND_BEAM = f"""
Sinks (--to, as many as you like):
{help_text()}

What newsbeam itself has no option for goes on to Apache Beam, e.g. --runner=FlinkRunner.
"""

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: str) -> float:
    """Returns the seconds of `90s`, `10m`, `8h`, `2d`, or of a bare number.

    Raises:
        argparse.ArgumentTypeError: it is none of these.
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        return float(number) * _UNITS[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration; write for example 90s, 10m or 8h") from None


def add_source(parser: argparse.ArgumentParser) -> None:
    """Adds `--from`, where records are read."""
    parser.add_argument(
        "--from", dest="source", default="sqlite:out/news.db", metavar="SINK", help="where records are (%(default)s)"
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Adds what both commands that run the pipeline take."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in YAML; see configs/")
    parser.add_argument("--to", action="append", default=[], metavar="SINK", help="where records go; see below")
    parser.add_argument("--duplicates", choices=("drop", "label"), help="keep copies out of the sinks, or mark them")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that extract articles (default: 1)")
    parser.add_argument(
        "--metrics-port", type=int, metavar="PORT", help="serve Prometheus text on this machine while the run lasts"
    )
    parser.add_argument("--ledger", metavar="FILE", help="where the account of every input is kept")
    parser.epilog = SINKS_AND_BEAM
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
