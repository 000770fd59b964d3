"""Undoes content codings a chunk at a time, never giving more than a limit: a bomb ends where the limit is.

aiohttp could do it, but decodes before the caller has seen the status, takes a wrong label for an error, and gives no
say over what comes after the last member. `gzip`, `deflate` (with and without zlib's header), `br` and `zstd` are
known (RFC 9110 8.4.1, RFC 7932, RFC 8878).
"""

import zlib
from typing import Any, Protocol

import brotli
import zstandard

from newsbeam.transforms.model.errors import Rejected

ACCEPTED = "gzip, deflate, br, zstd"

_STEP = 1 << 16


class Decoder(Protocol):
    """Undoes one coding."""

    def feed(self, data: bytes, room: int) -> bytes:
        """What `data` adds, up to a little over `room` bytes."""

    @property
    def complete(self) -> bool:
        """Whether the stream may end here."""


class _Zlib:
    """gzip with any number of members, and deflate with or without its header."""

    def __init__(self, gzip: bool) -> None:
        self._gzip = gzip
        self._stream: Any = None
        self._head = b""
        self._members = 0
        self._plain = False
        self._ended = False

    @property
    def complete(self) -> bool:
        return self._plain or self._ended or (self._stream is None and self._members > 0)

    def feed(self, data: bytes, room: int) -> bytes:
        out = bytearray()
        while data and not self._ended and len(out) <= room:
            if self._plain:
                return data
            data = self._begin(data) if self._stream is None else self._inflate(data, room, out)
        return bytes(out)

    def _begin(self, data: bytes) -> bytes:
        """Waits for the two bytes that tell what a member is, then begins it."""
        data, self._head = self._head + data, b""
        if len(data) < 2:
            self._head = data
            return b""
        if not self._gzip:
            # RFC 1950 2.2 has a header; old servers send raw deflate (RFC 1951).
            zlib_header = data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._stream = zlib.decompressobj(15 if zlib_header else -15)
        elif data[:2] == b"\x1f\x8b":
            self._stream = zlib.decompressobj(31)
        elif self._members:
            self._ended = True  # garbage after the last member is ignored, as gzip(1) does
        else:
            self._plain = True  # labelled gzip, and is not: it happens, and harms nobody
        return data

    def _inflate(self, data: bytes, room: int, out: bytearray) -> bytes:
        try:
            out += self._stream.decompress(data, max(1, room - len(out) + 1))
        except zlib.error:
            if not self._members:
                raise
            self._ended = True  # what follows a whole member looked like one, and is none
            return b""
        if not self._stream.eof:
            return bytes(self._stream.unconsumed_tail)
        rest = bytes(self._stream.unused_data)
        self._stream = None
        self._members += 1
        self._ended = not self._gzip
        return rest


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    @property
    def complete(self) -> bool:
        return bool(self._stream.is_finished())

    def feed(self, data: bytes, room: int) -> bytes:
        if self._stream.is_finished():
            return b""
        out = bytearray(self._stream.process(data, output_buffer_limit=_STEP))
        while len(out) <= room and not self._stream.can_accept_more_data():
            out += self._stream.process(b"", output_buffer_limit=_STEP)
        return bytes(out)


class _Zstd:
    """Frames are decoded through a window of at most 8 MiB (RFC 8878 3.1.1.1.2: what a decoder should support)."""

    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj(write_size=_STEP)
        self._seen = False

    @property
    def complete(self) -> bool:
        return bool(self._stream.eof)

    def feed(self, data: bytes, room: int) -> bytes:
        out = bytearray()
        # The library gives all that its input holds; fed in slices, a slice of 64 bytes can hold 64 x 128 KiB at most.
        for start in range(0, len(data), 64):
            if self._stream.eof:
                break
            out += self._stream.decompress(data[start : start + 64])
            if len(out) > room:
                break
        return bytes(out)


class Body:
    """Collects a response's body, decoded, up to a limit.

    Args:
        coding: the `Content-Encoding` header, as sent.
        limit: bytes after decoding.

    Raises:
        Rejected: `bad_encoding` for a coding that is not known, or more than two of them.
    """

    def __init__(self, coding: str, limit: int) -> None:
        names = [name.strip().lower() for name in coding.split(",")]
        self._decoders = [_decoder(name) for name in reversed([n for n in names if n not in ("", "identity")])]
        if len(self._decoders) > 2:
            raise Rejected("bad_encoding", f"`Content-Encoding: {coding[:100]}` has more than two codings")
        self._coding = coding
        self._limit = limit
        self._got = bytearray()
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes from the wire.

        Raises:
            Rejected: `too_large` past the limit, `bad_encoding` where the bytes are not in the coding claimed.
        """
        self._begun = self._begun or bool(chunk)
        try:
            for decoder in self._decoders:
                chunk = decoder.feed(chunk, self._limit - len(self._got))
                if len(chunk) > self._limit:
                    break
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise Rejected("bad_encoding", f"the body is not `{self._coding[:50]}` as it claims: {error}") from error
        self._got += chunk
        if len(self._got) > self._limit:
            raise Rejected("too_large", f"the body has more than {self._limit} bytes")

    def whole(self) -> bytes:
        """The decoded body.

        Raises:
            Rejected: `truncated` if a coding has not come to its end.
        """
        if self._begun and not all(decoder.complete for decoder in self._decoders):
            raise Rejected("truncated", f"the body ends in the middle of its `{self._coding[:50]}` coding")
        return self.unlabelled(bytes(self._got))

    def so_far(self) -> bytes:
        """What there is of the body, whether or not it is whole."""
        return bytes(self._got)

    def unlabelled(self, body: bytes) -> bytes:
        """`body`, with gzip undone that no header named (`feed.xml.gz`), once and within the limit."""
        if not body.startswith(b"\x1f\x8b\x08"):
            return body
        inner = Body("gzip", self._limit)
        inner.feed(body)
        if not all(decoder.complete for decoder in inner._decoders):
            raise Rejected("truncated", "the body is gzip that ends too early")
        return bytes(inner._got)


def _decoder(name: str) -> Decoder:
    if name in ("gzip", "x-gzip"):
        return _Zlib(gzip=True)
    if name == "deflate":
        return _Zlib(gzip=False)
    if name == "br":
        return _Brotli()
    if name == "zstd":
        return _Zstd()
    raise Rejected("bad_encoding", f"`Content-Encoding: {name[:50]}` is not known")
