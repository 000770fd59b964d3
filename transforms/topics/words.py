"""Words of a text, the same on every platform and at every speed the pipeline runs at.

A word is a run of letters, folded to lower case; digits and signs separate. Scripts that do not put spaces between
words have none to find, so their letters are taken in pairs, which is what their tables hold.
"""

import re

_WORD = re.compile(r"[^\W\d_]+")
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]{2,}")


def words_of(text: str) -> list[str]:
    """The words of `text` in order, lower case."""
    words = _WORD.findall(text.lower())
    if not _SPACELESS.search(text):
        return words
    return [part for word in words for part in _pairs(word)]


def _pairs(word: str) -> list[str]:
    if len(word) < 2 or not _SPACELESS.match(word):
        return [word]
    return [word[place : place + 2] for place in range(len(word) - 1)]
