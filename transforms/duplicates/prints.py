"""What is kept of an article to know its copies by: packed bytes that travel between shards and lie in their logs."""

import struct
from typing import NamedTuple

import numpy as np

from transforms.duplicates.features import U32, Features
from transforms.order import KEY

_PRINT = struct.Struct(f"<{KEY}sqQIHBHBB")


class Print(NamedTuple):
    """Features of one article, without boilerplate."""

    key: bytes
    bound: bytes
    """The key of the article's first revision: it is compared only with what is smaller."""
    time: int
    """Event time, in microseconds since 1970."""
    exact: int
    words: int
    revision: int
    bits: int
    """The sketch has all hashes below 2^bits."""
    sketch: U32
    numbers: U32

    def packed(self) -> bytes:
        bound = b"" if self.bound == self.key else self.bound
        header = _PRINT.pack(
            *(self.key, self.time, self.exact, self.words, self.revision, self.bits),
            *(self.sketch.size, self.numbers.size, len(bound)),
        )
        return header + self.sketch.tobytes() + self.numbers.tobytes() + bound


def unpack_print(packed: bytes) -> Print:
    """The print that `packed` made."""
    key, time, exact, words, revision, bits, sketches, numbers, bounds = _PRINT.unpack_from(packed)
    at = _PRINT.size
    sketch = np.frombuffer(packed, np.uint32, sketches, at)
    at += 4 * sketches
    bound = packed[at + 4 * numbers : at + 4 * numbers + bounds] or key
    return Print(
        *(key, bound, time, exact, words, revision, bits, sketch), np.frombuffer(packed, np.uint32, numbers, at)
    )


_FEATURES = struct.Struct(f"<{KEY}sq16sBQQIHHHH")


class Sighting(NamedTuple):
    """One article as it comes to the shard of its outlet, with all that may yet prove to be boilerplate."""

    key: bytes
    time: int
    """Event time, in microseconds since 1970."""
    content: bytes
    """16 bytes: equal for equal title and text."""
    by_content: bool
    """The id is a hash of the content: there was no address."""
    outlet: int
    """Hash of the host; 0 where there is none."""
    features: Features

    def packed(self) -> bytes:
        f = self.features
        header = _FEATURES.pack(
            *(self.key, self.time, self.content, self.by_content, self.outlet, f.exact, f.words),
            *(f.sentences.size, f.anchors.size, f.sketch.size, f.numbers.size),
        )
        wide = (f.sentences, f.anchors, f.sketch, f.numbers)
        narrow = (f.sentence_words, f.anchor_sentences, f.sketch_sentences, f.number_sentences)
        return header + b"".join([array.tobytes() for array in (*wide, *narrow)])


def unpack_sighting(packed: bytes) -> Sighting:
    """The sighting that `packed` made."""
    key, time, content, by_content, outlet, exact, words, *sizes = _FEATURES.unpack_from(packed)
    sentences, anchors, sketch, numbers = sizes
    at = _FEATURES.size
    sentence_hashes = np.frombuffer(packed, np.uint64, sentences, at)
    at += 8 * sentences
    anchor_hashes = np.frombuffer(packed, np.uint64, anchors, at)
    at += 8 * anchors
    sketch_hashes = np.frombuffer(packed, np.uint32, sketch, at)
    at += 4 * sketch
    number_hashes = np.frombuffer(packed, np.uint32, numbers, at)
    at += 4 * numbers
    narrow = []
    for size in sizes:
        narrow.append(np.frombuffer(packed, np.uint16, size, at))
        at += 2 * size
    features = Features(
        *(words, exact, sentence_hashes, narrow[0], anchor_hashes, narrow[1]),
        *(sketch_hashes, narrow[2], number_hashes, narrow[3]),
    )
    return Sighting(key, time, content, bool(by_content), outlet, features)
