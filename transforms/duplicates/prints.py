"""What is kept of an article to know its copies by: packed bytes that travel between shards and lie in their logs."""

import struct
from typing import NamedTuple

import numpy as np

from newsbeam.transforms.duplicates.features import U32, Features
from newsbeam.transforms.model.order import KEY

_PRINT = struct.Struct(f"<{KEY}sqQIHBHBBBB")


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
    names: U32
    """Under which others may credit its outlet, and ..."""
    credits: U32
    """... whom it credits itself; both empty unless the policy `survivor` asks for them."""

    def packed(self) -> bytes:
        bound = b"" if self.bound == self.key else self.bound
        header = _PRINT.pack(
            *(self.key, self.time, self.exact, self.words, self.revision, self.bits),
            *(self.sketch.size, self.numbers.size, len(bound), self.names.size, self.credits.size),
        )
        arrays = (self.sketch, self.numbers, self.names, self.credits)
        return header + b"".join([array.tobytes() for array in arrays]) + bound


def unpack_print(packed: bytes) -> Print:
    """The print that `packed` made."""
    key, time, exact, words, revision, bits, sketches, numbers, bounds, names, credits = _PRINT.unpack_from(packed)
    at = sketches
    arrays = np.frombuffer(packed, np.uint32, sketches + numbers + names + credits, _PRINT.size)
    bound = packed[_PRINT.size + 4 * arrays.size : _PRINT.size + 4 * arrays.size + bounds] or key
    return Print(
        key=key,
        bound=bound,
        time=time,
        exact=exact,
        words=words,
        revision=revision,
        bits=bits,
        sketch=arrays[:at],
        numbers=arrays[at : at + numbers],
        names=arrays[at + numbers : at + numbers + names],
        credits=arrays[at + numbers + names :],
    )


_FEATURES = struct.Struct(f"<{KEY}sq16sBQQIHHHHBB")


class Sighting(NamedTuple):
    """One article as it comes to the shard of its outlet, with all that may yet prove to be boilerplate."""

    key: bytes
    time: int
    """Event time, in microseconds since 1970."""
    content: bytes
    """16 bytes: equal for equal title and text."""
    by_content: bool
    """The id is a hash of the content: there was no address."""
    from_feed: bool
    """The text is a feed's, not that of the page itself."""
    outlet: int
    """Hash of the host; 0 where there is none."""
    features: Features
    names: U32
    credits: U32

    def packed(self) -> bytes:
        f = self.features
        header = _FEATURES.pack(
            *(self.key, self.time, self.content, self.by_content | self.from_feed << 1, self.outlet, f.exact, f.words),
            *(f.sentences.size, f.anchors.size, f.sketch.size, f.numbers.size, self.names.size, self.credits.size),
        )
        wide = (f.sentences, f.anchors, f.sketch, f.numbers)
        narrow = (f.sentence_words, f.anchor_sentences, f.sketch_sentences, f.number_sentences)
        return header + b"".join([array.tobytes() for array in (*wide, *narrow, self.names, self.credits)])


def unpack_sighting(packed: bytes) -> Sighting:
    """The sighting that `packed` made."""
    key, time, content, flags, outlet, exact, words, *sizes = _FEATURES.unpack_from(packed)
    *sizes, names, credits = sizes
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
        words=words,
        exact=exact,
        sentences=sentence_hashes,
        sentence_words=narrow[0],
        anchors=anchor_hashes,
        anchor_sentences=narrow[1],
        sketch=sketch_hashes,
        sketch_sentences=narrow[2],
        numbers=number_hashes,
        number_sentences=narrow[3],
    )
    named = np.frombuffer(packed, np.uint32, names, at)
    credited = np.frombuffer(packed, np.uint32, credits, at + 4 * names)
    return Sighting(key, time, content, bool(flags & 1), bool(flags & 2), outlet, features, named, credited)
