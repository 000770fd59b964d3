"""Entry of the Flex Template: Dataflow gives parameters as `--name=value`, newsbeam takes a command line.

`--command=live --config=gs://bucket/live.yaml --to=postgresql://…,pubsub://project/news` becomes
`newsbeam live --config … --to postgresql://… --to pubsub://…`; all else goes on to Beam.
"""

import sys

from pipeline.cli import main


def command_line(arguments: list[str]) -> list[str]:
    """newsbeam's command line for the parameters of a template.

    `to` and `paths` hold several values, separated by commas. The order of the parameters does not matter.
    """
    command, paths, rest = "live", [], []
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name == "--command":
            command = value
        elif name == "--paths":
            paths = [path for path in value.split(",") if path]
        elif name == "--to":
            rest += [part for uri in value.split(",") if uri for part in ("--to", uri)]
        else:
            rest.append(argument)
    return [command, *paths, *rest]


if __name__ == "__main__":
    sys.exit(main(command_line(sys.argv[1:])))
