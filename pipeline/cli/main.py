"""The command line: finds the command and says in one line what a person can put right."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from newsbeam import __version__
from newsbeam.pipeline.cli.commands import COMMANDS
from newsbeam.transforms.model.errors import NewsbeamError

_BUG = (
    "This is a bug of newsbeam, not a mistake of yours. Please report it with the lines above and the output of "
    "newsbeam --version: https://github.com/newsbeam/newsbeam/issues"
)
_TAKES_BEAM_OPTIONS = ("replay", "live")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 the counts do not add up, 2 wrong usage or configuration."""
    parser = _parser()
    options, rest = parser.parse_known_args(sys.argv[1:] if arguments is None else arguments)
    if rest and options.command not in _TAKES_BEAM_OPTIONS:
        parser.error(f"{options.command} has no option {rest[0]}")
    _quieten()
    try:
        code: int = options.run(options, rest)
        sys.stdout.flush()
    except NewsbeamError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # `newsbeam export | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        logging.getLogger("newsbeam").exception("newsbeam %s failed", options.command)
        print(_BUG, file=sys.stderr)
        return 70  # EX_SOFTWARE, sysexits.h
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="newsbeam",
        description="Ingests news: every input ends as a record, a named duplicate, or a dead letter with its reason.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"newsbeam {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command_parser = commands.add_parser(command.NAME, help=command.HELP, allow_abbrev=False)
        command.configure(command_parser)
        command_parser.set_defaults(run=command.run)
    return parser


def _quieten() -> None:
    """Keeps what Beam says of its optional parts at import from the screen."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().addFilter(lambda record: "apitools not found" not in record.getMessage())
