"""What a text is recognised by: anchors, a sketch, numbers, hashes of its sentences. Numbers only, no text."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from newsbeam.transforms.duplicates.folding import I64, Folded, fold

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

ANCHORS = 16
ANCHOR_POOL = 64
"""Anchors kept until it is known which sentences are boilerplate."""
ANCHOR_WORDS = 5
SHINGLE = 7
"""Characters in one shingle of the sketch."""
SKETCH_BITS = 30
"""The sketch has the shingles whose 32-bit hash lies below 2^30: a quarter of them ..."""
PLACE_BITS = 2
"""... each followed by the quarter of the text that it first stands in; ..."""
SKETCH_SIZE = 320
"""... or only those below a lower power of two, the highest at which no more than this are left."""
MOST_NUMBERS = 48
MOST_SENTENCES = 400
LONGEST_TEXT = 60_000
"""Characters that are looked at."""
TOGETHER = 64
"""Most texts that are taken together."""

_LETTERS = LONGEST_TEXT + TOGETHER + 1

_MULTIPLIER = 0x9E3779B97F4A7C15 | 1
_SHINGLE_MULTIPLIER = 0xD6E8FEB86659FD93
_MASK = (1 << 64) - 1
_PLACE = 17
"""Bits that tell the place of a letter, of so many as are taken together."""
_HASH = 41
"""Bits of a hash by which anchors are put in order: with 6 for the text and those of the place they fill a word."""


class Features(NamedTuple):
    """Of one text. Each array of hashes has beside it the sentence where each was first seen."""

    words: int
    """Tokens: a letter of a script without spaces is one."""
    exact: int
    """Hash of the whole text without case, punctuation and spacing."""
    sentences: U64
    """Hash of each sentence, in order."""
    sentence_words: npt.NDArray[np.uint16]
    anchors: U64
    """The `ANCHOR_POOL` smallest hashes of five words in a row, ascending."""
    anchor_sentences: npt.NDArray[np.uint16]
    sketch: U32
    """Ascending: hash and, in the lowest two bits, quarter of the text."""
    sketch_sentences: npt.NDArray[np.uint16]
    numbers: U32
    """Ascending hashes of the numbers in the text."""
    number_sentences: npt.NDArray[np.uint16]


@lru_cache(maxsize=1)
def _powers() -> tuple[U64, U64]:
    """Powers of the multiplier and of its inverse modulo 2^64, for hashing any span of a text at once."""
    inverse = pow(_MULTIPLIER, -1, 1 << 64)
    powers = np.empty(_LETTERS + 1, np.uint64)
    inverses = np.empty(_LETTERS + 1, np.uint64)
    power = back = 1
    for i in range(_LETTERS + 1):
        powers[i], inverses[i] = power, back
        power, back = power * _MULTIPLIER & _MASK, back * inverse & _MASK
    return powers, inverses


def _mixed(hashes: U64) -> U64:
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014): makes hashes that differ in one bit differ in half."""
    mixed: U64 = hashes ^ (hashes >> np.uint64(30))
    mixed = mixed * np.uint64(0xBF58476D1CE4E5B9)
    mixed = mixed ^ (mixed >> np.uint64(27))
    mixed = mixed * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _spans(prefix: U64, starts: I64, ends: I64) -> U64:
    """Hashes of `letters[start:end]` for many spans, from the sums over their beginnings."""
    hashes: U64 = (prefix[ends] - prefix[starts]) * _powers()[1][starts]
    return hashes


def features(text: str) -> Features:
    """The features of a text, in any script. Equal texts have equal features anywhere."""
    return features_of([text])[0]


def token_count(text: str) -> int:
    """`Features.words` of a text: the measure by which duplicates compare lengths, not the record's `word_count`."""
    return int(fold([text[:LONGEST_TEXT]]).words[-1])


def features_of(texts: Sequence[str]) -> list[Features]:
    """The features of each of many texts: the same as one by one, in a third of the time."""
    cut_texts = [text[:LONGEST_TEXT] for text in texts]
    plain = [text.isascii() for text in cut_texts]
    found: dict[int, Features] = {}
    for ascii_only in (True, False):
        batch: list[int] = []
        size = 0
        for i, text in enumerate(cut_texts):
            if plain[i] != ascii_only:
                continue
            if batch and (size + len(text) > LONGEST_TEXT or len(batch) == TOGETHER):
                found.update(zip(batch, _features([cut_texts[one] for one in batch]), strict=True))
                batch, size = [], 0
            batch.append(i)
            size += len(text)
        if batch:
            found.update(zip(batch, _features([cut_texts[one] for one in batch]), strict=True))
    return [found[i] for i in range(len(texts))]


def _features(texts: Sequence[str]) -> list[Features]:
    folded = fold(texts)
    letters, bounds, starts, stops, in_sentence, words = folded
    prefix = np.zeros(letters.size + 1, np.uint64)
    np.cumsum((letters.astype(np.uint64) + np.uint64(1)) * _powers()[0][: letters.size], out=prefix[1:])
    mixed_words = _mixed(_spans(prefix, starts, stops))
    each = np.diff(words)
    text_of_word = np.repeat(np.arange(len(texts)), each)

    # Sentences: from the first word of each to its last.
    firsts = np.flatnonzero(np.diff(in_sentence, prepend=-1))
    lasts = np.append(firsts[1:], starts.size) - 1 if starts.size else firsts
    sentences = _mixed(_spans(prefix, starts[firsts], stops[lasts]))
    sentence_words = np.minimum(lasts - firsts + 1, 65535).astype(np.uint16)
    sentence_bounds = firsts.searchsorted(words)
    begins = np.zeros(starts.size, np.int64)
    begins[firsts] = 1
    sentence_of = np.cumsum(begins) - 1 - np.repeat(sentence_bounds[:-1], each)
    sentence_numbers = np.minimum(sentence_of, MOST_SENTENCES - 1).astype(np.uint16)

    anchors, anchor_words, anchor_bounds = _anchors(mixed_words, words, text_of_word)
    sketch, sketch_words, sketch_bounds = _sketch(prefix, folded)
    quarters = ((sketch_words - np.repeat(words[:-1], np.diff(sketch_bounds))) * 4).astype(np.uint32)
    quarters //= np.repeat(np.maximum(each, 1), np.diff(sketch_bounds)).astype(np.uint32)
    sketch = sketch << np.uint32(PLACE_BITS) | quarters
    numbers, number_words, number_bounds = _numbers(folded, mixed_words, text_of_word)
    exact = _mixed(_spans(prefix, bounds[:-1], bounds[1:] + 1)).tolist()

    found = []
    for i in range(len(texts)):
        own = slice(sentence_bounds[i], min(sentence_bounds[i + 1], sentence_bounds[i] + MOST_SENTENCES))
        anchored = slice(anchor_bounds[i], anchor_bounds[i + 1])
        sketched = slice(sketch_bounds[i], sketch_bounds[i + 1])
        numbered = slice(number_bounds[i], min(number_bounds[i + 1], number_bounds[i] + MOST_NUMBERS))
        found.append(
            Features(
                words=int(each[i]),
                exact=exact[i],
                sentences=sentences[own],
                sentence_words=sentence_words[own],
                anchors=anchors[anchored],
                anchor_sentences=sentence_numbers[anchor_words[anchored]],
                sketch=sketch[sketched],
                sketch_sentences=sentence_numbers[sketch_words[sketched]],
                numbers=numbers[numbered],
                number_sentences=sentence_numbers[number_words[numbered]],
            )
        )
    return found


def _anchors(mixed_words: U64, words: I64, text_of_word: I64) -> tuple[U64, I64, I64]:
    """The `ANCHOR_POOL` smallest distinct hashes of each text, ascending; the first word of each; and bounds of those
    of each text."""
    each = np.diff(words)
    grams = np.zeros(mixed_words.size, np.uint64)
    last = max(mixed_words.size - ANCHOR_WORDS + 1, 0)
    if last:
        for i in range(ANCHOR_WORDS):
            grams[:last] = grams[:last] * np.uint64(_MULTIPLIER) + mixed_words[i : last + i]
    whole = np.zeros(mixed_words.size, np.bool_)
    whole[:last] = text_of_word[:last] == text_of_word[ANCHOR_WORDS - 1 :]
    for i in np.flatnonzero((each > 0) & (each < ANCHOR_WORDS)).tolist():
        # A text of fewer words has one gram of all.
        gram = 0
        for word in mixed_words[words[i] : words[i + 1]].tolist():
            gram = (gram * _MULTIPLIER + word) & _MASK
        grams[words[i]], whole[words[i]] = gram, True
    grams = _mixed(grams)
    # Of a long text only those are sorted that may be among the smallest: twice and a half as many, by their number.
    parts = 5 * ANCHOR_POOL / (2 * np.maximum(each, 1))
    limits = (np.minimum(parts, 1.0) * float(1 << 40)).astype(np.uint64)
    low = whole & (grams >> np.uint64(24) < np.repeat(limits, each))
    anchors, at, bounds = _smallest(grams, low, text_of_word, each.size)
    few = np.flatnonzero((np.diff(bounds) < ANCHOR_POOL) & (parts < 1.0))
    if few.size:
        low[np.isin(text_of_word, few)] = True
        anchors, at, bounds = _smallest(grams, low & whole, text_of_word, each.size)
    return anchors, at, bounds


def _smallest(grams: U64, chosen: npt.NDArray[np.bool_], text_of_word: I64, texts: int) -> tuple[U64, I64, I64]:
    at = np.flatnonzero(chosen)
    place = np.uint64((1 << _PLACE) - 1)
    text = text_of_word[at].astype(np.uint64) << np.uint64(_HASH + _PLACE)
    keys = text | grams[at] >> np.uint64(64 - _HASH) << np.uint64(_PLACE) | at.astype(np.uint64)
    keys.sort()
    at = (keys & place).astype(np.int64)
    first = _first_of_each(keys >> np.uint64(_PLACE))
    at = at[first]
    bounds = text_of_word[at].searchsorted(np.arange(texts + 1))
    rank = np.arange(at.size) - np.repeat(bounds[:-1], np.diff(bounds))
    at = at[rank < ANCHOR_POOL]
    return grams[at], at, text_of_word[at].searchsorted(np.arange(texts + 1))


def _first_of_each(ascending: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.bool_]:
    """Which of some numbers differ from the one before."""
    first = np.ones(ascending.size, np.bool_)
    first[1:] = ascending[1:] != ascending[:-1]
    return first


def _sketch(prefix: U64, folded: Folded) -> tuple[U32, I64, I64]:
    """Hashes of shingles of each text, distinct and ascending; the word where each is first seen; and bounds."""
    bounds, words = folded.bounds, folded.words
    shingles = prefix[SHINGLE:] - prefix[:-SHINGLE] if prefix.size > SHINGLE else prefix[:0]
    # The upper half of a product depends on all of the lower: enough for choosing, and a fifth of the work of `_mixed`.
    shingles = shingles * _powers()[1][: shingles.size] * np.uint64(_SHINGLE_MULTIPLIER) >> np.uint64(32)
    low = np.flatnonzero(shingles < np.uint64(1 << SKETCH_BITS))
    text = np.repeat(np.arange(bounds.size - 1), np.diff(low.searchsorted(bounds)))
    low = low[: text.size]
    inside = (low + SHINGLE <= bounds[text + 1] + 1) & (words[text + 1] > words[text])
    low, text = low[inside], text[inside].astype(np.uint64)
    keys = text << np.uint64(SKETCH_BITS + _PLACE) | shingles[low] << np.uint64(_PLACE) | low.astype(np.uint64)
    keys.sort()
    keys = keys[_first_of_each(keys >> np.uint64(_PLACE))]
    low = (keys & np.uint64((1 << _PLACE) - 1)).astype(np.int64)
    text = (keys >> np.uint64(SKETCH_BITS + _PLACE)).astype(np.int64)
    word_at = np.zeros(folded.letters.size, np.int32)
    word_at[folded.starts] = 1
    word_at = np.cumsum(word_at, dtype=np.int32)
    at = np.maximum(word_at[low + SHINGLE // 2] - 1, words[text])
    hashes = (keys >> np.uint64(_PLACE) & np.uint64((1 << SKETCH_BITS) - 1)).astype(np.uint32)
    return hashes, at, text.searchsorted(np.arange(bounds.size))


def _numbers(folded: Folded, mixed_words: U64, text_of_word: I64) -> tuple[U32, I64, I64]:
    """Hashes of the numbers of each text, distinct and ascending; the word where each is first seen; and bounds."""
    letters = folded.letters[folded.starts]
    at = np.flatnonzero((letters >= 0x30) & (letters <= 0x39))
    text, hashes = text_of_word[at], (mixed_words[at] >> np.uint64(32)).astype(np.uint32)
    order = np.lexsort((at, hashes, text))
    at, text, hashes = at[order], text[order], hashes[order]
    first = _first_of_each(text.astype(np.uint64) << np.uint64(32) | hashes)
    at, text, hashes = at[first], text[first], hashes[first]
    return hashes, at, text.searchsorted(np.arange(folded.bounds.size))


def cut(sketch: U32) -> tuple[U32, int]:
    """The part of a sketch that is kept, and b: it has the hashes below 2^b, the most that are no more than
    `SKETCH_SIZE`. Two sketches are compared below the smaller of their bounds."""
    bits = SKETCH_BITS
    while sketch.size > SKETCH_SIZE:
        bits -= 1
        sketch = below(sketch, bits)
    return sketch, bits


def below(sketch: U32, bits: int) -> U32:
    """The part of a sketch whose hashes lie below 2^bits."""
    if bits >= SKETCH_BITS:
        return sketch
    return sketch[: int(np.searchsorted(sketch, np.uint32(1 << bits + PLACE_BITS)))]
