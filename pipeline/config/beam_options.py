"""The options that go on to Beam, checked by name: Beam itself lets a misspelt one pass."""

import argparse
import difflib
from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineRunner

from newsbeam.pipeline.runners.direct_runner import cure_leak, give_memory_back, leave_out_state_cache
from newsbeam.pipeline.runners.flowing_runner import FlowingRunner

LOCAL_ENGINES = {"directrunner", "fnapirunner", ""}


def is_elsewhere(runner: PipelineRunner | str) -> bool:
    """Whether the job goes on without this process: Ctrl-C then leaves it alone, and only ends the waiting for it."""
    return isinstance(runner, str) and runner.lower() == "dataflowrunner"


def _known() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, conflict_handler="resolve")
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    return parser


def unknown_options(arguments: Sequence[str]) -> list[str]:
    """What Beam would not understand, each with the option that may have been meant."""
    parser = _known()
    _, unknown = parser.parse_known_args(list(arguments))
    names = [name for action in parser._actions for name in action.option_strings]
    mistakes = []
    for argument in unknown:
        name = argument.partition("=")[0]
        close = difflib.get_close_matches(name, names, n=1) if name.startswith("-") else []
        hint = f"; did you mean {close[0]}?" if close else ""
        mistakes.append(f"{name}: neither newsbeam nor Beam has this option{hint}")
    return mistakes


def pipeline_options(arguments: Sequence[str]) -> tuple[PipelineRunner | str, PipelineOptions]:
    """The runner to use and Beam's options. Without `--runner`, and for `DirectRunner`, the local engine."""
    runner = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    runner.add_argument("--runner", default="")
    chosen, rest = runner.parse_known_args(list(arguments))
    if chosen.runner.lower() in LOCAL_ENGINES:
        cure_leak()
        leave_out_state_cache()
        give_memory_back()
        return FlowingRunner(), PipelineOptions(rest)
    # Every DoFn is in a module: nothing of `__main__`, which Beam would pickle for Dataflow, is needed on a worker.
    return chosen.runner, PipelineOptions(rest, runner=chosen.runner, save_main_session=False)
