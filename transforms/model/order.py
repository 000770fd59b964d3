"""The total order in which stages with memory process articles, as bytes that compare."""

import hashlib
import struct

from newsbeam.transforms.model.identity import order_time
from newsbeam.transforms.model.records import Article

KEY = 42
"""Length of a key in bytes. A key orders articles by the time they were seen, then the tie (the input's own id, or its
content), then the article's id, then the input."""
ID = 10
ID_AT = 28
_TIE = 20
_TIME = struct.Struct(">Q")
_EPOCH = 1 << 62


def key_of(seconds: float, tie: str, article_id: str, unit: str, content: str) -> bytes:
    """The key of an article that came from input `unit` at `seconds` (since 1970, UTC), and before others of the same
    time by the first letters of `tie`.

    Raises:
        ValueError: `article_id` is not one that `identity.article_id` made.
    """
    try:
        identity = bytes.fromhex(article_id)
    except ValueError:
        identity = b""
    if len(identity) != ID:
        raise ValueError(f"{article_id!r} is not an article id: it has 20 hexadecimal digits (see `identify`)")
    unit_hash = hashlib.blake2b(f"{unit}\n{content}".encode("utf-8", "replace"), digest_size=4).digest()
    time = _TIME.pack(_EPOCH + round(seconds * 1_000_000))
    return time + tie.encode("utf-8", "replace")[:_TIE].ljust(_TIE, b"\0") + identity + unit_hash


def micros_of(key: bytes) -> int:
    """The time of a key, in microseconds since 1970."""
    return int(_TIME.unpack_from(key)[0]) - _EPOCH


def id_of(key: bytes) -> bytes:
    """The article id of a key."""
    return key[ID_AT : ID_AT + ID]


def id_shard(article: bytes, shards: int) -> int:
    """The shard of an article id. The id is a hash already, so its digits are spread evenly."""
    return int.from_bytes(article[:4], "little") % shards


def article_key(article: Article) -> bytes:
    """The key of an article that `identify` has seen."""
    return key_of(
        *(order_time(article), article.origin.rank.partition("|")[2], article.id),
        *(article.origin.unit, article.content_hash),
    )
