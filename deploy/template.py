"""Entry point of the Flex Template: turns Dataflow's parameters (`--name=value`) into newsbeam's command line.

`--config=gs://bucket/live.yaml --to=postgresql://…,pubsub://project/news` becomes
`newsbeam live --config COPY --to postgresql://… --to pubsub://… --ledger none`; all else goes on to Beam. What is known
is in the job's state: its workers have no disk in common, so that there is no ledger, and no replay of files either.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from newsbeam.pipeline.cli.main import main


def command_line(arguments: list[str], folder: Path) -> list[str]:
    """Returns newsbeam's command line for the parameters of a template.

    `to` holds several values, separated by commas. The order of the parameters does not matter.

    Args:
        folder: where the configuration is copied to.
    """
    rest = []
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name == "--to":
            rest += [part for uri in value.split(",") if uri for part in ("--to", uri)]
        elif name == "--config":
            copy = folder / "live.yaml"
            with FileSystems.open(value) as there, copy.open("wb") as here:
                shutil.copyfileobj(there, here)
            rest += ["--config", str(copy)]
        else:
            rest.append(argument)
    return ["live", *rest, "--ledger", "none"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        sys.exit(main(command_line(sys.argv[1:], Path(work))))
