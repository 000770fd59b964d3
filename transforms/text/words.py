"""Words of a text: how many there are, and which, the same on every platform.

`count_words` is the one count of words that a record shows. `words_and_pairs` gives the tokens that topics were trained
on. `text.spaceless` lists what else splits text and why.
"""

import re

from newsbeam.transforms.text.spaceless import (
    HAN_AND_KANA,
    HAN_PER_WORD,
    LETTERS_PER_WORD,
    SOUTH_EAST_ASIAN,
    SPACELESS,
)

# Marks that belong to the letter before them, which `\w` leaves out (UAX #29, WB4): accents, Hebrew points, Arabic and
# Syriac vowels, vowel signs of Indic scripts and Tibetan, and joiners.
_MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u0900-\u0963\u0980-\u0dff"
    "\u0f18\u0f19\u0f35\u0f37\u0f39\u0f71-\u0f84\u0f86-\u0fbc\u00ad\u200c\u200d\u2060\ufe00-\ufe0f"
)
_UNSPACED = re.compile(f"([{HAN_AND_KANA}])|([{SOUTH_EAST_ASIAN}])")
# Apostrophe, full stop, comma and hyphen inside a word do not part it (UAX #29, WB6, WB7, WB11, WB12).
_COUNTED = re.compile(rf"\w[\w{_MARKS}]*(?:['’.,-]\w[\w{_MARKS}]*)*")

_WORD = re.compile(r"[^\W\d_]+")
# Vowel signs of Indic scripts are marks, not letters, to Python; they are part of the word all the same.
_INDIC = re.compile(r"[\u0900-\u0dff]")
_INDIC_WORD = re.compile(r"(?:[^\W\d_]|[\u0900-\u0963\u0971-\u0dff])+")
_SPACELESS = re.compile(f"[{SPACELESS}]{{2,}}")


# What English print has beside ASCII; taken out, most texts are ASCII, which is split four times as fast.
_PRINT = "\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u00a0\u00a3\u20ac\u2022"
_SPACES = {code: " " for code in range(128) if not chr(code).isalpha()}


def count_words(text: str) -> int:
    """Number of words, by the rules of UAX #29 for scripts with spaces; a number is a word, too.

    Scripts without spaces are estimated: `HAN_PER_WORD` Han or kana, or `LETTERS_PER_WORD` letters of Thai, Lao,
    Burmese or Khmer, make a word. This is the record's `word_count`, at every stage.
    """
    han = others = 0
    if not text.isascii():
        for match in _UNSPACED.finditer(text):
            if match[1]:
                han += 1
            else:
                others += 1
        if han or others:
            text = _UNSPACED.sub(" ", text)
    return len(_COUNTED.findall(text)) - (-han // HAN_PER_WORD) - (-others // LETTERS_PER_WORD)


def words_and_pairs(text: str) -> list[str]:
    """The words of `text` in order, lower case: runs of letters, and of scripts without spaces each two characters.

    Digits and signs separate words. The tables of topics were trained on these tokens.
    """
    text = text.lower()
    if not text.isascii():
        for sign in _PRINT:
            text = text.replace(sign, " ")
    if text.isascii():
        return text.translate(_SPACES).split()
    words = (_INDIC_WORD if _INDIC.search(text) else _WORD).findall(text)
    if not _SPACELESS.search(text):
        return words
    return [part for word in words for part in _pairs(word)]


def _pairs(word: str) -> list[str]:
    if len(word) < 2 or not _SPACELESS.match(word):
        return [word]
    return [word[start : start + 2] for start in range(len(word) - 1)]
