"""`newsbeam replay PATH ...`"""

import argparse
from collections.abc import Sequence

from newsbeam.pipeline.cli.commands.options import add_run_options
from newsbeam.pipeline.cli.commands.run import run_pipeline

NAME = "replay"
HELP = "run recorded files through the whole pipeline"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Runs recorded files through the whole pipeline: plain text, HTML, saved RSS and Atom feeds, WARC, JSONL of\n"
        "pages or of articles, any of them gzipped. What a file is, its content tells. The same input gives the same\n"
        "output, in whatever order the files are named."
    )
    parser.add_argument("path", nargs="+", help="files, folders (read recursively), patterns, or - for standard input")
    add_run_options(parser)


def run(options: argparse.Namespace, beam_options: Sequence[str]) -> int:
    """Replays; see `run_pipeline` for the exit code."""
    from newsbeam.pipeline.cli.inputs import find_inputs
    from newsbeam.pipeline.cli.replay import replay

    paths = [path for path in options.path if path != "-"]
    files, mistakes = find_inputs(paths)
    takes_stdin = len(paths) < len(options.path)
    return run_pipeline(
        options, beam_options, lambda config: replay(files, takes_stdin, config, beam_options), mistakes
    )
