"""The files that a replay reads: folders, globs, single files, and standard input."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class InputFile:
    """A file, and what it is called below what the user named."""

    path: Path
    name: str


def find_inputs(arguments: Sequence[str]) -> tuple[list[InputFile], list[str]]:
    """The files that the arguments name, each once, in a fixed order; and what is wrong with the arguments.

    A folder stands for every file in it, at any depth, except hidden ones. `-` is left to the caller.
    """
    found: dict[Path, InputFile] = {}
    mistakes = []
    for argument in arguments:
        files = list(_files_of(argument))
        if not files:
            mistakes.append(f"{argument}: no such file or folder, and no file matches it as a pattern")
        for file in files:
            found.setdefault(file.path.resolve(), file)
    return sorted(found.values(), key=lambda file: (file.name, str(file.path))), mistakes


def _files_of(argument: str) -> Iterator[InputFile]:
    path = Path(argument)
    if path.is_dir():
        for below in sorted(path.rglob("*")):
            relative = below.relative_to(path)
            if below.is_file() and not any(part.startswith(".") for part in relative.parts):
                yield InputFile(below, relative.as_posix())
    elif path.exists():
        yield InputFile(path, path.name)
    else:
        for match in sorted(glob.glob(argument, recursive=True)):  # noqa: PTH207 - patterns may be absolute
            yield from _files_of(match) if Path(match).is_dir() else [InputFile(Path(match), Path(match).name)]
