"""Files read as a whole or unpacked to be read in parts; gzip is looked through, damaged gzip as far as it goes."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.sources.files.gzip_members import is_gzip, pieces
from newsbeam.transforms.sources.files.sniff import HEAD_BYTES

MAX_DOCUMENT_BYTES = 15 * 1024 * 1024
"""A page or a row larger than this is no article; the limit that fetching has too."""
MAX_EXPANSION = 200
"""Text shrinks 3 to 30 times in gzip; what grows more than this beyond `FREE_EXPANSION_BYTES` is a bomb."""
FREE_EXPANSION_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Document:
    """A file as a whole, decompressed.

    Attributes:
        damage: what was wrong behind its end, for a person; empty if nothing was.
    """

    body: bytes
    damage: str = ""


@dataclass(frozen=True)
class Damage:
    """A damaged place of a gzip file: `at` is the byte of the decompressed file before which all is sound."""

    at: int
    message: str
    reason: str
    """As of a `Piece`, and of the dead letter for it."""


@dataclass(frozen=True)
class Unpacked:
    """A decompressed copy of a file, and where the original was damaged, in order."""

    path: Path
    damages: Sequence[Damage]


def read_head(path: Path, name: str) -> bytes:
    """The first `HEAD_BYTES` of a file, decompressed; fewer where it ends or is damaged.

    Raises:
        Rejected: `truncated` or `damaged` if it is gzip of which nothing can be read.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        if not is_gzip(path):
            return stream.read(HEAD_BYTES)
        head = bytearray()
        for piece in pieces(stream):
            head += piece.data
            if piece.damage and not head:
                raise Rejected(piece.reason, f"{name}: {piece.damage}")
            if piece.damage or len(head) >= HEAD_BYTES:
                break
    return bytes(head[:HEAD_BYTES])


def read_document(path: Path, name: str) -> Document:
    """Reads a whole page.

    Raises:
        Rejected: `too_large` beyond `MAX_DOCUMENT_BYTES`; `truncated` or `damaged` if it is gzip that cannot be read to
            its end.
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        if not is_gzip(path):
            body, damage = stream.read(MAX_DOCUMENT_BYTES + 1), ""
        else:
            body, damage = _decompressed(stream, name)
    if len(body) > MAX_DOCUMENT_BYTES:
        raise Rejected("too_large", f"{name}: larger than {MAX_DOCUMENT_BYTES >> 20} MiB, which no article is")
    return Document(body, damage)


def _decompressed(stream: IO[bytes], name: str) -> tuple[bytes, str]:
    body = bytearray()
    for piece in pieces(stream):
        body += piece.data
        if len(body) > MAX_DOCUMENT_BYTES:
            break
        if piece.reason == "not_gzip":
            return bytes(body), piece.damage
        if piece.damage:
            raise Rejected(piece.reason, f"{name}: {piece.damage}")
    return bytes(body), ""


def digest(body: bytes) -> str:
    """What a payload holds, in 16 hexadecimal digits, by a hash that is cheap: all that is read goes through it."""
    return hashlib.sha256(body).hexdigest()[:16]


def unpack(path: Path, folder: Path, start: int = 0, begins: bytes = b"", between: bytes = b"") -> Unpacked:
    """Decompresses `path` from byte `start` on into a file of `folder`.

    Args:
        begins: how the content of a member begins with which reading may go on after a damage.
        between: what stands in the copy for a damaged place, so that what is around it stays apart.

    Raises:
        Rejected: `bomb` if it grows as no honest file does.
    """
    copy = folder / f"{digest(str(path.resolve()).encode('utf-8', 'surrogateescape'))}.{start}.unpacked"
    limit = max(FREE_EXPANSION_BYTES, path.stat().st_size * MAX_EXPANSION)
    damages = []
    with path.open("rb") as packed, copy.open("wb") as plain:
        for piece in pieces(packed, start, begins):
            plain.write(piece.data)
            if piece.damage:
                damages.append(Damage(plain.tell(), piece.damage, piece.reason))
                plain.write(between)
            if plain.tell() > limit:
                raise Rejected("bomb", f"{path.name}: grows more than {MAX_EXPANSION} times when it is decompressed")
    return Unpacked(copy, damages)


def copy_stream(stream: IO[bytes], folder: Path, name: str) -> Path:
    """Copies a stream that can be read only once (standard input, a pipe) into a file of `folder`."""
    copy = folder / name
    with copy.open("wb") as plain:
        shutil.copyfileobj(stream, plain)
    return copy
