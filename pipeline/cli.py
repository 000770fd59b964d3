"""The command line."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

_EPILOG = """
Sinks (--to, as many as you like):
  sqlite:out/news.db         records, revisions, full-text search, dead letters
  jsonl:out/stories.jsonl    one record a line; dead letters beside it
  stdout:                    one record a line on standard output

What newsbeam itself has no option for goes on to Apache Beam, e.g. --runner=FlinkRunner.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="newsbeam",
        description="Ingests news: every input ends as a record, a named duplicate, or a dead letter with its reason.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    replay = commands.add_parser(
        "replay",
        help="run recorded files through the whole pipeline",
        description=dedent(
            """\
            Runs recorded files through the whole pipeline: plain text, HTML, saved RSS and Atom feeds, WARC, JSONL of
            pages or of articles, any of them gzipped. What a file is, its content tells. The same input gives the same
            output, in whatever order the files are named."""
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    replay.add_argument("path", nargs="+", help="files, folders (read recursively), patterns, or - for standard input")
    _add_common(replay)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in YAML; see configs/")
    parser.add_argument("--to", action="append", default=[], metavar="SINK", help="where records go; see below")
    parser.add_argument("--duplicates", choices=("drop", "label"), help="keep copies out of the sinks, or mark them")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that extract articles (default: 1)")
    parser.add_argument("--ledger", metavar="FILE", help="where the account of every input is kept")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 the counts do not add up, 2 wrong usage or configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options, beam_arguments = _parser().parse_known_args(words)
    _quieten()
    return _replay(options, beam_arguments)


def _quieten() -> None:
    """Keeps what Beam says of its optional parts at import from the screen."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().addFilter(lambda record: "apitools not found" not in record.getMessage())


def _replay(options: argparse.Namespace, beam_arguments: Sequence[str]) -> int:
    from pipeline.beam_options import unknown_options
    from pipeline.config import configured
    from pipeline.config_file import ConfigError
    from pipeline.inputs import find_inputs
    from pipeline.replay import as_table
    from pipeline.replay import replay as run

    paths = [path for path in options.path if path != "-"]
    files, mistakes = find_inputs(paths)
    mistakes += unknown_options(beam_arguments)
    config = None
    try:
        config = configured(options)
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes or config is None:
        print("newsbeam cannot start:", *mistakes, sep="\n  ", file=sys.stderr)
        return 2
    report = run(files, len(paths) < len(options.path), config, beam_arguments)
    print(as_table(report, config), file=sys.stderr if "stdout:" in config.sinks else sys.stdout)
    return 0 if report.account.adds_up else 1
