"""The charset of bytes that are not UTF-8, and that nobody names or names wrongly.

chardetng, the detector of Firefox, guesses. Where the language is known and the guess gives letters that it does not
have, the language's own charsets are tried, as browsers do (HTML standard, "determining the character encoding", last
step). Measured by `tests/text/test_charsets.py` on sentences in 40 languages.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import webencodings
from chardetng_py import EncodingDetector

_BYTES = 65_536
"""So many of a page tell its charset."""
_OWN = 0.97
"""Share of a text's letters beyond ASCII that are its language's: names from abroad are the rest."""
_LETTER = re.compile(r"[^\W\d_a-zA-Z]")


class LanguageCharsets(NamedTuple):
    """The letters of a language beyond a to z, and the charsets (Python codecs) that its pages were written in."""

    letters: frozenset[str]
    codecs: tuple[str, ...]


def codec_of(label: str) -> str:
    """The Python codec that a label means on the web (WHATWG Encoding standard); empty for one it does not know."""
    encoding = webencodings.lookup(label.strip())
    if encoding is None or encoding.name == "x-user-defined":
        return ""
    codec = encoding.codec_info.name
    return "gb18030" if codec in ("gbk", "gb2312") else codec


def guess_codec(body: bytes, language: str = "") -> str:
    """The Python codec that bytes are most likely written in, other than UTF-8.

    Args:
        body: a text with markup or without; the first `_BYTES` count.
        language: as the page or its feed says (BCP 47); empty if nobody does.
    """
    body = body[:_BYTES]
    detector = EncodingDetector()
    detector.feed(body, last=True)
    guessed = str(detector.guess(tld=None, allow_utf8=False))
    guess = codec_of(guessed) or guessed
    own = language_charsets().get(language.partition("-")[0].lower())
    if own is None or share_of_letters(body, guess, own.letters) >= _OWN:
        return guess
    best = max(own.codecs, key=lambda codec: share_of_letters(body, codec, own.letters))
    return best if share_of_letters(body, best, own.letters) >= _OWN else guess


def share_of_letters(body: bytes, codec: str, letters: frozenset[str]) -> float:
    """The share of letters beyond ASCII that are among `letters` if bytes are read by `codec`; -1 if they cannot be."""
    try:
        text = body.decode(codec)
    except UnicodeDecodeError:
        return -1.0
    beyond = _LETTER.findall(text.lower())
    controls = sum("\x80" <= char <= "\x9f" for char in text)
    return (sum(letter in letters for letter in beyond) - controls) / len(beyond) if beyond else 0.0


@lru_cache(maxsize=1)
def language_charsets() -> dict[str, LanguageCharsets]:
    """By language (primary subtag), from `letters.tsv`."""
    table = {}
    for line in (Path(__file__).parent / "letters.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            language, letters, labels = line.split("\t")
            table[language] = LanguageCharsets(frozenset(letters), tuple(map(codec_of, labels.split())))
    for alias, language in (("nb", "no"), ("nn", "no")):
        table[alias] = table[language]
    return table
