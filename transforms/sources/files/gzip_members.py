"""Gzip files (RFC 1952) that may be damaged: what can be decompressed is kept, and every damage is named.

A gzip file is a row of members. `gzip.GzipFile` stops at the first damage and drops what it had read with it; here
reading goes on at the next member.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MAGIC = b"\x1f\x8b"
_MEMBER_START = b"\x1f\x8b\x08"
"""The magic and the only compression method there is (RFC 1952, 2.3.1)."""
_GZIP_FORMAT = 31
"""zlib's `wbits` for a gzip header and trailer."""
_READ_BYTES = 64 * 1024
PIECE_BYTES = 1 << 20
_PROBE_BYTES = 512
"""Enough of a member to see how its content begins."""
MOST_DAMAGES = 1_000
"""After so many damages the rest of a file is left out: each costs a search for the next whole member, and a hostile
file could have a million of them."""


@dataclass(frozen=True)
class Piece:
    """A part of a member, decompressed.

    Attributes:
        member: the byte of the file at which the member begins.
        data: the next bytes that it holds, at most `PIECE_BYTES`.
        ends: whether the member ends with this piece.
        damage: what is wrong with the file right behind `data`, for a person; empty if nothing is.
        reason: `truncated` (the file ends too early), `damaged` (a member), `not_gzip` (bytes behind a whole member).
    """

    member: int
    data: bytes
    ends: bool = False
    damage: str = ""
    reason: str = ""


def is_gzip(path: Path) -> bool:
    """Whether the file begins as a gzip file does."""
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def pieces(stream: IO[bytes], start: int = 0, begins: bytes = b"") -> Iterator[Piece]:
    """Decompresses the members of `stream` (seekable) from byte `start` on.

    Damage in a member is told with the last piece of that member that could be read. Bytes between members that are no
    gzip are a piece without data, unless they are all zero: then they are padding.

    Args:
        begins: after a damage, reading goes on at the next member whose content begins with this.
    """
    offset, damages = start, 0
    while True:
        member = _Member(stream, offset)
        yield from member.pieces()
        if member.damage:
            following = _find_member(stream, offset + 1, begins)
            damages += 1
        else:
            following = member.end
            if not _starts_member(stream, following):
                junk = _junk_from(stream, following)
                if not junk:
                    return
                following = _find_member(stream, following, begins)
                yield Piece(member.end, b"", False, f"what follows byte {member.end} is not gzip", "not_gzip")
                damages += 1
        if following < 0:
            return
        if damages >= MOST_DAMAGES:
            told = f"{damages} damages; what follows byte {following} is left out"
            yield Piece(following, b"", False, told, "damaged")
            return
        offset = following


class _Member:
    """Reads one member; `damage` and `end` are known once its pieces are read."""

    def __init__(self, stream: IO[bytes], offset: int) -> None:
        self._stream = stream
        self._offset = offset
        self.damage = ""
        self.end = offset

    def pieces(self) -> Iterator[Piece]:
        self._stream.seek(self._offset)
        inflate = zlib.decompressobj(_GZIP_FORMAT)
        packed = b""
        while not inflate.eof:
            if not packed:
                packed = self._stream.read(_READ_BYTES)
                if not packed:
                    self.damage = "the gzip file is cut short"
                    yield Piece(self._offset, inflate.flush(), False, self.damage, "truncated")
                    return
            before = inflate.copy()
            try:
                data = inflate.decompress(packed, PIECE_BYTES)
            except zlib.error as error:
                self.damage = f"the gzip member at byte {self._offset} is damaged ({_reason(error)})"
                yield Piece(self._offset, _salvage(before, packed), False, self.damage, "damaged")
                return
            packed = inflate.unconsumed_tail
            if inflate.eof:
                self.end = self._stream.tell() - len(inflate.unused_data)
            if data or inflate.eof:
                yield Piece(self._offset, data, inflate.eof)


def _reason(error: zlib.error) -> str:
    """zlib's own words, without the number and the call: "incorrect data check"."""
    return str(error).rpartition(": ")[2]


def _salvage(inflate: "zlib._Decompress", packed: bytes) -> bytes:
    """What `packed` (at most 64 KiB) gives up to the byte at which it is damaged."""
    data = bytearray()
    try:
        for number in range(len(packed)):
            data += inflate.decompress(packed[number : number + 1])
    except zlib.error:
        pass
    return bytes(data)


def _starts_member(stream: IO[bytes], offset: int) -> bool:
    stream.seek(offset)
    return stream.read(len(MAGIC)) == MAGIC


def _junk_from(stream: IO[bytes], offset: int) -> bool:
    """Whether anything but zeros follows."""
    stream.seek(offset)
    while chunk := stream.read(_READ_BYTES):
        if chunk.strip(b"\0"):
            return True
    return False


def _find_member(stream: IO[bytes], offset: int, begins: bytes) -> int:
    """The first byte from `offset` on where a member begins whose content begins with `begins`; -1 if there is none."""
    overlap = len(_MEMBER_START) - 1
    stream.seek(offset)
    base, window = offset, b""
    while chunk := stream.read(PIECE_BYTES):
        window += chunk
        found = window.find(_MEMBER_START)
        while found >= 0:
            if _begins(stream, base + found, begins):
                return base + found
            found = window.find(_MEMBER_START, found + 1)
        stream.seek(base + len(window))
        base, window = base + len(window) - overlap, window[-overlap:]
    return -1


def _begins(stream: IO[bytes], offset: int, begins: bytes) -> bool:
    stream.seek(offset)
    try:
        return zlib.decompressobj(_GZIP_FORMAT).decompress(stream.read(_PROBE_BYTES), PIECE_BYTES).startswith(begins)
    except zlib.error:
        return False
