"""Scripts that put no space between words: which characters they have, and how many of them make a word.

Everything that splits text into words or tokens takes the ranges from here. What each place makes of them:

| function | a spaceless script gives | for |
|---|---|---|
| `text.words.count_words` | an estimated number of words | the record's `word_count` |
| `text.line_words.words_of` | one token a character | comparing lines; the line models were trained so |
| `text.words.words_and_pairs` | one token for each two characters in a row | topics; their table was trained so |
| `stories.terms.count_terms` | the same, as UTF-8 | stories; the IDF table was trained so |
| `duplicates.folding.fold` | one token a character | shingles of duplicates |

The ranges are those of the Unicode blocks (Unicode 15, Blocks.txt). Korean, Tibetan and Ethiopic mark where a word or
syllable ends and do not belong here.
"""

import numpy as np
from numpy.typing import NDArray

_HAN_AND_KANA = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
_SOUTH_EAST_ASIAN = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF))


def _for_patterns(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


HAN_AND_KANA = _for_patterns(_HAN_AND_KANA)
"""Han characters and kana, as the inside of a regular expression's `[...]`."""
SOUTH_EAST_ASIAN = _for_patterns(_SOUTH_EAST_ASIAN)
"""Thai, Lao, Burmese and Khmer, in the same form."""
SPACELESS = HAN_AND_KANA + SOUTH_EAST_ASIAN
"""All of them, in the same form."""

HAN_PER_WORD = 2
"""Characters of a Chinese or Japanese word: about the average of news prose. UAX #29 leaves such words to a dictionary,
which would have to be the same on every machine."""
LETTERS_PER_WORD = 5
"""Letters and vowel signs of a Thai, Lao, Burmese or Khmer word: about the average of news prose."""


def spaceless_points(size: int) -> NDArray[np.bool_]:
    """For each code point below `size` whether it belongs to a script without spaces."""
    points = np.zeros(size, np.bool_)
    for first, last in (*_HAN_AND_KANA, *_SOUTH_EAST_ASIAN):
        points[first : last + 1] = True
    return points
