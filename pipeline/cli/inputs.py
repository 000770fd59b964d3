"""The files that a replay reads: folders, globs, single files, pipes, and standard input."""

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class InputFile:
    """A file, and what it is called below what the user named.

    Attributes:
        is_stream: it can be read only once, from its beginning (a pipe that the user named).
        reason: why it is no input, for its dead letter; empty if it is one.
        message: the same for a person.
    """

    path: Path
    name: str
    is_stream: bool = False
    reason: str = ""
    message: str = ""


def find_inputs(arguments: Sequence[str]) -> tuple[list[InputFile], list[str]]:
    """The files that the arguments name, each once, in a fixed order; and what is wrong with the arguments.

    A folder stands for every file in it, at any depth, except hidden ones; what it holds beside files and folders, and
    what may not be read, is told as a file with a `reason`. `-` is left to the caller.
    """
    inputs: dict[Path, InputFile] = {}
    mistakes = []
    pipes = 0
    for argument in arguments:
        files = list(_files_of(argument))
        if not files:
            mistakes.append(f"{argument}: no such file or folder, and no file matches it as a pattern")
        for file in files:
            if file.is_stream:
                pipes += 1
                file = InputFile(file.path, f"pipe-{pipes}", is_stream=True)  # the system's number differs by run
            inputs.setdefault(_resolved(file.path), file)
    return sorted(inputs.values(), key=lambda file: (file.name, str(file.path))), mistakes


def _files_of(argument: str) -> Iterator[InputFile]:
    path = Path(argument)
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder above may not be entered
        yield from _below(path)
    elif os.path.lexists(path):
        yield _file(path, path.name, is_named=True)
    else:
        for match in sorted(glob.glob(argument, recursive=True)):  # noqa: PTH207 - patterns may be absolute
            if os.path.isdir(match):  # noqa: PTH112
                yield from _below(Path(match))
            else:
                yield _file(Path(match), Path(match).name, is_named=True)


def _below(folder: Path) -> Iterator[InputFile]:
    """All files below a folder; links to folders are told, not followed: they may lead round in a circle."""
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(parent, name)
            yield _file(path, path.relative_to(folder).as_posix())
        for name in folders:
            path = Path(parent, name)
            if path.is_symlink():
                yield _no_input(path, folder, "folder_link", "a link to a folder, not followed; name the folder itself")
    for error in unreadable:
        yield _no_input(Path(error.filename), folder, "unreadable", f"the folder cannot be read ({error.strerror})")


def _file(path: Path, name: str, is_named: bool = False) -> InputFile:
    """What stands at `path`; `is_named` if the user named it, and did not name a folder above it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return InputFile(path, name, reason="broken_link", message=f"{name}: a link to a file that is not there")
    except OSError as error:
        return InputFile(path, name, reason="unreadable", message=f"{name}: cannot be read ({error.strerror})")
    if stat.S_ISREG(mode):
        return InputFile(path, name)
    if stat.S_ISFIFO(mode) and is_named:
        return InputFile(path, name, is_stream=True)
    return InputFile(path, name, reason="not_a_file", message=f"{name}: a device, a pipe or a socket, not a file")


def _no_input(path: Path, folder: Path, reason: str, message: str) -> InputFile:
    name = path.relative_to(folder).as_posix() if path != folder else path.name or str(path)
    return InputFile(path, name, reason=reason, message=f"{name}: {message}")


def _resolved(path: Path) -> Path:
    """The path that tells whether two names mean one file."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that lead round in a circle
        return path.absolute()
