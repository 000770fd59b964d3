"""What `replay` and `live` have in common: settings are checked as a whole, then the pipeline runs."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from newsbeam.pipeline.cli.platforms import caveat, refusal

if TYPE_CHECKING:
    from newsbeam.pipeline.config.config import Config
    from newsbeam.pipeline.report import Report


def run_pipeline(
    options: argparse.Namespace,
    beam_options: Sequence[str],
    start: "Callable[[Config], Report]",
    mistakes: Sequence[str] = (),
) -> int:
    """Runs the pipeline with the settings of `options`, and prints the closing table.

    Args:
        start: builds and runs the pipeline.
        mistakes: what is wrong already; nothing is started if anything is.

    Returns:
        0 if every input has an outcome, 1 if not, 2 for wrong settings.
    """
    if why_not := refusal():
        print(why_not, file=sys.stderr)
        return 2
    if missing := caveat():
        print(missing, file=sys.stderr)
    from newsbeam.pipeline.config.beam_options import unknown_options
    from newsbeam.pipeline.config.config import configured
    from newsbeam.pipeline.report import as_table
    from newsbeam.transforms.model.errors import ConfigError

    wrong = [*mistakes, *unknown_options(list(beam_options))]
    config = None
    try:
        config = configured(options)
    except ConfigError as error:
        wrong += error.mistakes
    if wrong or config is None:
        print("newsbeam cannot start:", *wrong, sep="\n  ", file=sys.stderr)
        return 2
    report = start(config)
    is_stdout_taken = any(sink.scheme == "stdout" for sink in config.sinks)
    print(as_table(report), file=sys.stderr if is_stdout_taken else sys.stdout)
    return 0 if report.adds_up else 1
