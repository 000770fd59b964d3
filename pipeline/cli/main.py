"""The command line."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

from newsbeam.pipeline.cli.platforms import caveat, refusal
from newsbeam.pipeline.cli.prune import add_prune, prune_command
from newsbeam.transforms.runtime.stopping import stop_on_signals
from newsbeam.transforms.sinks.table import help_text

_EPILOG = f"""
Sinks (--to, as many as you like):
{help_text()}

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
    live = commands.add_parser(
        "live",
        help="poll feeds and tell their stories, until stopped",
        description=dedent(
            """\
            Polls feeds politely, fetches what they bring, and hands clean records to the sinks, until Ctrl-C. What was
            found and not written yet is in the ledger: after a crash or a stop, start it again and nothing is lost.
            Without --config it polls the well-known feeds of configs/live.yaml."""
        ),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_common(live)
    live.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="URL",
        help="instead of the configuration's: a feed, a home page, an OPML list, or kafka://broker:9092/topic",
    )
    live.add_argument("--contact", metavar="ADDRESS", help="an e-mail or web address for the sites that are polled")
    live.add_argument(
        "--for", dest="seconds", type=_duration, default=0.0, metavar="TIME", help="stop after 90s, 10m, 8h"
    )
    status = commands.add_parser("status", help="what a ledger says of feeds and entries", allow_abbrev=False)
    status.add_argument("--ledger", default="out/ledger.db", metavar="FILE", help="default: out/ledger.db")
    status.add_argument(
        "--spool", type=Path, metavar="FILE", help="where records wait for sinks (default: spool.db beside the ledger)"
    )
    export = commands.add_parser("export", help="write what a sink holds in another form", allow_abbrev=False)
    _add_source(export)
    export.add_argument("--format", choices=("jsonl", "ninjs"), default="jsonl", help="ninjs is IPTC ninjs 3.0")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    explain = commands.add_parser(
        "explain", help="show what was kept and removed of a page, and by which rule", allow_abbrev=False
    )
    explain.add_argument("key", metavar="ID|URL|FILE", help="a record of the sink, or a page")
    explain.add_argument("other", nargs="?", metavar="OTHER", help="a second one: why the two are, or are no, copies")
    _add_source(explain)
    explain.add_argument("--html", type=Path, metavar="FILE", help="write the same as a page for a browser")
    topics = commands.add_parser("topics", help="see why articles have their topics", allow_abbrev=False)
    topics.add_argument("action", choices=("try",), help="try FILE: which words made a story what it is")
    topics.add_argument("file", type=Path)
    topics.add_argument("--user-topics", type=Path, metavar="FILE", help="topics of your own, in YAML")
    stories = commands.add_parser("stories", help="list the current stories and who tells them", allow_abbrev=False)
    _add_source(stories)
    stories.add_argument("--limit", type=int, default=20, metavar="N", help="so many at most (default: 20)")
    stories.add_argument("--outlets", type=int, default=0, metavar="N", help="told by at least so many outlets")
    add_prune(commands)
    return parser


def _duration(text: str) -> float:
    """Seconds of `90s`, `10m`, `8h`, `2d`, or of a bare number."""
    units = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    try:
        return float(number) * units[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write 90s, 10m or 8h") from None


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="source", default="sqlite:out/news.db", metavar="SINK", help="where records are")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings in YAML; see configs/")
    parser.add_argument("--to", action="append", default=[], metavar="SINK", help="where records go; see below")
    parser.add_argument("--duplicates", choices=("drop", "label"), help="keep copies out of the sinks, or mark them")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that extract articles (default: 1)")
    parser.add_argument(
        "--metrics-port", type=int, metavar="PORT", help="serve Prometheus text on this machine while the run lasts"
    )
    parser.add_argument("--ledger", metavar="FILE", help="where the account of every input is kept")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 the counts do not add up, 2 wrong usage or configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    options, rest = parser.parse_known_args(words)
    _quieten()
    if options.command in ("replay", "live"):
        return _run(options, rest)
    if rest:
        parser.error(f"{options.command} has no option {rest[0]}")
    return _look(options)


def _look(options: argparse.Namespace) -> int:
    """The commands that look at what was written."""
    from newsbeam.pipeline.cli.explain import try_topics
    from newsbeam.pipeline.cli.export import export
    from newsbeam.pipeline.cli.status import status
    from newsbeam.pipeline.cli.stories import stories
    from newsbeam.transforms.model.errors import NewsbeamError

    try:
        if options.command == "export":
            count = export(options.source, options.format, options.out)
            print(f"{count} records as {options.format}", file=sys.stderr)
        elif options.command == "explain":
            _explain(options)
        elif options.command == "topics":
            print(try_topics(options.file, options.user_topics))
        elif options.command == "status":
            print(status(options.ledger, options.spool))
        elif options.command == "prune":
            print(prune_command(options))
        elif options.command == "stories":
            print(*stories(options.source, options.limit, options.outlets), sep="\n")
    except NewsbeamError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _explain(options: argparse.Namespace) -> None:
    from newsbeam.pipeline.cli.explain import compare, explain, revisions

    if options.other:
        print(compare(options.key, options.other, options.source))
        return
    print(explain(options.key, options.source, options.html, sys.stdout.isatty()))
    if not Path(options.key).is_file() and (changes := revisions(options.key, options.source)):
        print(f"\nrevisions:\n{changes}")


def _quieten() -> None:
    """Keeps what Beam says of its optional parts at import from the screen."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().addFilter(lambda record: "apitools not found" not in record.getMessage())


def _run(options: argparse.Namespace, beam_arguments: list[str]) -> int:
    """The commands that run the pipeline."""
    if why_not := refusal():
        print(why_not, file=sys.stderr)
        return 2
    if missing := caveat():
        print(missing, file=sys.stderr)
    if options.command == "live":
        stop_on_signals()  # before anything is imported that takes its time
    from newsbeam.pipeline.cli.inputs import find_inputs
    from newsbeam.pipeline.cli.live import live
    from newsbeam.pipeline.cli.replay import replay
    from newsbeam.pipeline.config.beam_options import unknown_options
    from newsbeam.pipeline.config.config import configured
    from newsbeam.pipeline.report import as_table
    from newsbeam.transforms.model.errors import ConfigError

    paths = [path for path in getattr(options, "path", ()) if path != "-"]
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
    if options.command == "live":
        report = live(config, options.seconds, beam_arguments)
    else:
        report = replay(files, len(paths) < len(options.path), config, beam_arguments)
    print(as_table(report), file=sys.stderr if any(sink.scheme == "stdout" for sink in config.sinks) else sys.stdout)
    return 0 if report.adds_up else 1
