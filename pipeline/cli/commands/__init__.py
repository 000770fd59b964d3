"""The commands of the command line, a file each: how it is called (`configure`) and what it does (`run`).

Modules here import nothing heavy at their top, so that help is there at once.
"""

from types import ModuleType

from newsbeam.pipeline.cli.commands import explain, export, live, prune, replay, status, stories, topics

COMMANDS: tuple[ModuleType, ...] = (replay, live, status, stories, explain, topics, export, prune)
"""In the order in which help lists them; each has `NAME`, `HELP`, `configure(parser)` and `run(options, beam_options)`,
which returns the exit code."""
