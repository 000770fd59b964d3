import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from newsbeam.transforms.http.decoding import Body
from newsbeam.transforms.model.errors import Rejected

TEXT = b"The ferry was late again. " * 400


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", lambda data: data),
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "brotli": ("br", brotli.compress),
    "zstd": ("zstd", lambda data: zstandard.ZstdCompressor().compress(data)),
    "two codings": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
}


def decoded(coding: str, data: bytes, step: int = 1000, limit: int = 1 << 20) -> bytes:
    body = Body(coding, limit)
    for start in range(0, len(data), step):
        body.feed(data[start : start + step])
    return body.whole()


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_a_body_is_the_same_however_it_was_cut_on_its_way(name: str, step: int) -> None:
    coding, pack = CODINGS[name]
    assert decoded(coding, pack(TEXT), step) == TEXT


@pytest.mark.parametrize("name", [name for name in CODINGS if name != "plain"])
def test_a_bomb_ends_at_the_limit(name: str) -> None:
    coding, pack = CODINGS[name]
    bomb = pack(b"\0" * (30 << 20))
    body = Body(coding, 1 << 20)

    def feed_all() -> None:
        for start in range(0, len(bomb), 1000):
            body.feed(bomb[start : start + 1000])

    with pytest.raises(Rejected) as refused:
        feed_all()
    assert refused.value.reason == "too_large"
    assert len(body.so_far()) < 8 << 20


@pytest.mark.parametrize("name", [name for name in CODINGS if name != "plain"])
def test_a_body_that_was_cut_short_is_not_taken_for_a_whole_one(name: str) -> None:
    coding, pack = CODINGS[name]
    with pytest.raises(Rejected) as refused:
        decoded(coding, pack(TEXT)[:-12])
    assert refused.value.reason in ("truncated", "bad_encoding")


def test_members_of_gzip_are_joined_and_garbage_behind_them_is_ignored() -> None:
    assert decoded("gzip", gzip.compress(b"one ") + gzip.compress(b"two") + b"JUNK") == b"one two"


def test_a_plain_body_that_claims_to_be_gzip_is_read_as_it_is() -> None:
    assert decoded("gzip", b"<rss/>") == b"<rss/>"


def test_a_gzip_file_without_a_label_is_unpacked() -> None:
    assert decoded("", gzip.compress(b"<rss/>")) == b"<rss/>"


def test_an_empty_body_is_empty_in_any_coding() -> None:
    assert decoded("gzip", b"") == b""


@pytest.mark.parametrize("coding", ["compress", "aes128gcm", "gzip, gzip, gzip", "gzip;q=1"])
def test_a_coding_that_nobody_uses_is_refused(coding: str) -> None:
    with pytest.raises(Rejected) as refused:
        decoded(coding, b"x")
    assert refused.value.reason == "bad_encoding"


@given(st.sampled_from(["gzip", "deflate", "br", "zstd", "br, gzip"]), st.binary(max_size=200), st.integers(1, 50))
def test_no_bytes_break_a_decoder(coding: str, data: bytes, step: int) -> None:
    with suppress(Rejected):
        decoded(coding, data, step)
