"""`newsbeam live`"""

import argparse
from collections.abc import Sequence

from newsbeam.pipeline.cli.commands.options import add_run_options, duration
from newsbeam.pipeline.cli.commands.run import run_pipeline

NAME = "live"
HELP = "poll feeds and tell their stories, until stopped"


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    parser.description = (
        "Polls feeds politely, fetches what they bring, and hands clean records to the sinks, until Ctrl-C. What was\n"
        "found and not written yet is in the ledger: after a crash or a stop, start it again and nothing is lost.\n"
        "Without --config it polls the well-known feeds of configs/live.yaml."
    )
    add_run_options(parser)
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="URL",
        help="instead of the configuration's: a feed, a home page, an OPML list, or kafka://broker:9092/topic",
    )
    parser.add_argument("--contact", metavar="ADDRESS", help="an e-mail or web address for the sites that are polled")
    parser.add_argument(
        "--for", dest="seconds", type=duration, default=0.0, metavar="DURATION", help="stop after 90s, 10m, 8h"
    )


def run(options: argparse.Namespace, beam_options: Sequence[str]) -> int:
    """Polls until it is told to stop; see `run_pipeline` for the exit code."""
    from newsbeam.transforms.runtime.stopping import stop_on_signals

    stop_on_signals()  # before anything is imported that takes its time
    from newsbeam.pipeline.cli.live import live

    return run_pipeline(options, beam_options, lambda config: live(config, options.seconds, list(beam_options)))
