"""Sinks by URI: what a user writes after `--to`."""

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import SinkError, UsageError
from newsbeam.transforms.sinks.jsonl import is_special
from newsbeam.transforms.sinks.sink import Sink, WriteCounts
from newsbeam.transforms.sinks.table import SINKS, SinkKind

_ALIASES = {"postgres": "postgresql"}


@dataclass(frozen=True)
class SinkSpec:
    """A sink's address, taken apart."""

    address: Address
    kind: SinkKind
    target: str = field(repr=False)
    """What follows the scheme: a path for files, the whole address, with its credentials, for servers."""

    @property
    def scheme(self) -> str:
        """The scheme, in lower case."""
        return self.kind.scheme


def parse_sink(uri: Union[str, Address]) -> SinkSpec:
    """Takes a sink's address apart.

    Raises:
        UsageError: a form that no sink has; the message lists those there are.
    """
    address = Address.of(uri)
    scheme, colon, rest = address.whole.partition(":")
    kind = SINKS.get(_ALIASES.get(scheme.lower(), scheme.lower())) if colon else None
    if kind is None:
        guess = f" Did you mean jsonl:{address}?" if not colon and address.whole else ""
        forms = "; ".join(known.example for known in SINKS.values())
        raise UsageError(f"{str(address)!r} names no sink newsbeam knows.{guess} Sinks are: {forms}")
    return SinkSpec(address, kind, _target(address, kind, rest))


def _target(address: Address, kind: SinkKind, rest: str) -> str:
    shown = repr(str(address))
    if kind.target == "screen":
        if rest not in ("", "-"):
            raise UsageError(f"{shown}: standard output takes no path; write 'stdout:'", address=str(address))
        return ""
    if kind.target == "server":
        if not rest.startswith("//"):
            raise UsageError(f"{shown}: where to? Write it as {kind.example}", address=str(address))
        return f"{kind.scheme}:{rest}"
    if kind.target == "tree" and "://" in rest:
        return rest
    return _path(shown, kind, rest)


def _path(shown: str, kind: SinkKind, rest: str) -> str:
    if rest.startswith("//"):
        if not rest.startswith("///"):
            message = f"{kind.scheme} takes a path on this machine; write '{kind.scheme}:{rest.lstrip('/')}'"
            raise UsageError(f"{shown}: {message}")
        rest = "/" + rest.lstrip("/")
    if not rest:
        raise UsageError(f"{shown}: where to? Write it as {kind.example}")
    if kind.target == "file" and (rest.endswith("/") or Path(rest).is_dir()):
        example = f"{rest.rstrip('/')}/{kind.example.rpartition('/')[2]}"
        raise UsageError(f"{shown} is a folder; {kind.scheme} needs a file: '{kind.scheme}:{example}'")
    return rest


def absolute_sink(uri: Union[str, Address]) -> Address:
    """The address with the path of a file made absolute: a worker may stand in another folder."""
    spec = parse_sink(uri)
    if spec.kind.target not in ("file", "path", "tree") or "://" in spec.target:
        return spec.address
    slash = "/" if spec.target.endswith("/") else ""
    return Address(f"{spec.scheme}:{Path(spec.target).absolute()}{slash}")


def folder_of(uri: Union[str, Address]) -> Union[Path, None]:
    """The folder on this machine in which a run's other files may lie beside a sink; None if the sink has none.

    Never a folder that is a sink: who reads that takes every file in it for records.
    """
    spec = parse_sink(uri)
    path = Path(spec.target)
    if spec.kind.target not in ("file", "path", "tree") or "://" in spec.target or is_special(spec.target):
        return None
    if spec.kind.target == "path" and (spec.target.endswith("/") or path.is_dir()):
        return path
    return path.parent


def open_sink(uri: Union[str, Address], *, live: bool = False) -> Sink:
    """The sink that an address names, not yet opened.

    Args:
        uri: see `table.SINKS`.
        live: records are to be seen as they come; in replay a file appears complete and sorted, at `finalize_sink`.
    """
    spec = parse_sink(uri)
    if spec.kind.cloud:
        raise ValueError(f"{spec.scheme} is written by Beam's own transforms")
    return spec.kind.load().make(spec.target, live=live)


def check_sink(uri: Union[str, Address]) -> None:
    """Finds before the work starts what would stop it: a bad form, a missing package, a path that cannot be written.

    Makes the folders a file needs.

    Raises:
        UsageError, SinkError: with what is wrong and what would be right.
    """
    spec = parse_sink(uri)
    if spec.kind.needs:
        try:
            importlib.import_module(spec.kind.needs)
        except ImportError as error:
            install = f"pip install 'newsbeam[{spec.kind.extra}]'"
            message = f"{str(spec.address)!r} needs more packages: {install} ({error})"
            raise SinkError(message, address=str(spec.address)) from error
    spec.kind.load().check(spec.target)


def finalize_sink(uri: Union[str, Address]) -> WriteCounts:
    """What is left to do when a run has ended, on the submitting machine: a JSONL file is sorted and put in place.

    Safe to call again, and after a crash. Counts are zero for sinks that counted while they wrote.
    """
    spec = parse_sink(uri)
    return spec.kind.load().finalize(spec.target)
