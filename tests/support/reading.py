"""Reads a file as a replay does: a page or a dead letter for each of its units."""

from pathlib import Path

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import DeadLetter, Page
from newsbeam.transforms.model.units import Unit
from newsbeam.transforms.runtime.dead_letters import dead_letter
from newsbeam.transforms.sources.files.payload import read_page
from newsbeam.transforms.sources.files.scan import scan


def read(path: Path, spool: Path | None = None) -> list[Page | DeadLetter]:
    """What becomes of each unit of the file; copies go to `spool`."""
    return [page_or_letter(unit) for unit in scan(path, path.name, spool or path.parent)]


def page_or_letter(unit: Unit) -> Page | DeadLetter:
    """The page of a unit, or why there is none."""
    try:
        return read_page(unit)
    except Rejected as rejected:
        return dead_letter("read", unit, rejected)


def write(folder: Path, name: str, content: bytes) -> Path:
    """A new file."""
    path = folder / name
    path.write_bytes(content)
    return path
