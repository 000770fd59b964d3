"""The units of a file, found without keeping more than one of them in memory."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.units import Form, Unit
from newsbeam.transforms.sources.files.documents import digest, read_document, read_head
from newsbeam.transforms.sources.files.scan_rows import scan_rows
from newsbeam.transforms.sources.files.scan_warc import scan_warc
from newsbeam.transforms.sources.files.sniff import sniff


def scan(path: Path, name: str, spool: Path) -> Iterator[Unit]:
    """Lists the units of the file at `path`, in the order of the file.

    A file of many records (WARC, JSONL) has a unit for each; what is wrong with a file or with one of its records is
    a unit of form `BROKEN`, and the rest goes on. No content of a file makes this raise.

    Args:
        name: the file for people: its path below what the user named.
        spool: a folder for decompressed copies of files that cannot be read from the middle.
    """
    whole = whole_file(path, name)
    name = whole.name
    try:
        yield from _scan(whole, spool)
    except Rejected as rejected:
        yield whole.broken(rejected.reason, rejected.message)
    except OSError as error:
        yield whole.broken("unreadable", f"{name}: cannot be read ({error.strerror or error})")
    except Exception as error:  # a hostile file may break the library of its format anywhere
        yield whole.broken("unreadable", f"{name}: cannot be read ({type(error).__name__}: {error})")


def whole_file(path: Path, name: str) -> Unit:
    """The file as one unit, before anything of it is read."""
    source = printable_name(str(path))
    return Unit(path=str(path.absolute()), source=source, name=printable_name(name), form=Form.BROKEN)


def printable_name(name: str) -> str:
    r"""A file name as text that can be written anywhere: bytes that are not UTF-8 become `\xff`.

    Python gives such bytes as lone surrogates (PEP 383), which no database and no JSON takes.
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _scan(whole: Unit, spool: Path) -> Iterator[Unit]:
    path = Path(whole.path)
    form = sniff(read_head(path, whole.name), whole.name)
    if form is Form.WARC:
        yield from scan_warc(whole, spool)
    elif form is Form.ROW:
        yield from scan_rows(whole, spool)
    else:
        document = read_document(path, whole.name)
        known = digest(document.body), len(document.body)
        yield replace(whole, form=form, digest=known[0], length=known[1], may_be_feed=form is Form.FEED)
        if document.damage:
            behind = replace(whole, name=f"{whole.name}#2")
            yield behind.broken("not_gzip", f"{behind.name}: {document.damage}; the page before it is whole")
