"""Which script a text is written in, and what that alone says of its language.

Statistical detectors are asked only where a script serves several languages they can tell apart: langdetect calls a
third of Chinese sentences Korean, while one look at the characters cannot go wrong.
Ranges are those of the Unicode blocks (Unicode 15, Blocks.txt).
"""

from bisect import bisect_right
from collections import Counter
from functools import lru_cache

_BLOCKS: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x024F, "Latn"),
    (0x0250, 0x02AF, "Latn"),
    (0x0370, 0x03FF, "Grek"),
    (0x0400, 0x052F, "Cyrl"),
    (0x0530, 0x058F, "Armn"),
    (0x0590, 0x05FF, "Hebr"),
    (0x0600, 0x06FF, "Arab"),
    (0x0700, 0x074F, "Syrc"),
    (0x0750, 0x077F, "Arab"),
    (0x0780, 0x07BF, "Thaa"),
    (0x07C0, 0x07FF, "Nkoo"),
    (0x08A0, 0x08FF, "Arab"),
    (0x0900, 0x097F, "Deva"),
    (0x0980, 0x09FF, "Beng"),
    (0x0A00, 0x0A7F, "Guru"),
    (0x0A80, 0x0AFF, "Gujr"),
    (0x0B00, 0x0B7F, "Orya"),
    (0x0B80, 0x0BFF, "Taml"),
    (0x0C00, 0x0C7F, "Telu"),
    (0x0C80, 0x0CFF, "Knda"),
    (0x0D00, 0x0D7F, "Mlym"),
    (0x0D80, 0x0DFF, "Sinh"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Laoo"),
    (0x0F00, 0x0FFF, "Tibt"),
    (0x1000, 0x109F, "Mymr"),
    (0x10A0, 0x10FF, "Geor"),
    (0x1100, 0x11FF, "Hang"),
    (0x1200, 0x139F, "Ethi"),
    (0x13A0, 0x13FF, "Cher"),
    (0x1780, 0x17FF, "Khmr"),
    (0x1800, 0x18AF, "Mong"),
    (0x1C50, 0x1C7F, "Olck"),
    (0x1C80, 0x1C8F, "Cyrl"),
    (0x1C90, 0x1CBF, "Geor"),
    (0x1E00, 0x1EFF, "Latn"),
    (0x1F00, 0x1FFF, "Grek"),
    (0x2D30, 0x2D7F, "Tfng"),
    (0x3040, 0x30FF, "Kana"),
    (0x3130, 0x318F, "Hang"),
    (0x31F0, 0x31FF, "Kana"),
    (0x3400, 0x4DBF, "Hani"),
    (0x4E00, 0x9FFF, "Hani"),
    (0xA960, 0xA97F, "Hang"),
    (0xAC00, 0xD7FF, "Hang"),
    (0xF900, 0xFAFF, "Hani"),
    (0xFB1D, 0xFB4F, "Hebr"),
    (0xFB50, 0xFDFF, "Arab"),
    (0xFE70, 0xFEFC, "Arab"),
    (0xFF21, 0xFF5A, "Latn"),
    (0xFF66, 0xFF9F, "Kana"),
    (0x20000, 0x323AF, "Hani"),
)
_STARTS = [start for start, _, _ in _BLOCKS]

_ONE_LANGUAGE = {
    "Grek": "el",
    "Armn": "hy",
    "Thaa": "dv",
    "Nkoo": "nqo",
    "Guru": "pa",
    "Gujr": "gu",
    "Orya": "or",
    "Taml": "ta",
    "Telu": "te",
    "Knda": "kn",
    "Mlym": "ml",
    "Sinh": "si",
    "Thai": "th",
    "Laoo": "lo",
    "Mymr": "my",
    "Geor": "ka",
    "Hang": "ko",
    "Cher": "chr",
    "Khmr": "km",
    "Mong": "mn",
    "Olck": "sat",
    "Kana": "ja",
    "Hani": "zh",
}

# Scripts of one large language and few small ones, which letters or words of their own give away.
_MARKED: dict[str, tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "Hebr": ("he", (("yi", ("\u05f0", "\u05f1", "\u05f2", "\u05d0\u05b7", "\u05d0\u05b8", "ײ")),)),
    "Beng": ("bn", (("as", ("\u09f0", "\u09f1")),)),
    "Tibt": ("bo", (("dz", ("འི་", "གི་", "ཨིན")),)),
    "Ethi": ("am", (("ti", ("ቐ", "ቕ", "ኸ", "ዀ", "እዩ", "ናይ")),)),
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WRITTEN_IN: dict[str, frozenset[str]] = {
    "Cyrl": _words("ab av ba be bg bs ce crh cv kk krc kv ky mk mn myv os ru sah sr tg tk tt tyv udm uk uz"),
    "Arab": _words("ar arz az azb bal ckb fa ks ku lrc mzn pnb ps sd skr ug ur uz"),
    "Deva": _words("awa bho gom hi kok ks mai mr ne new sa sd"),
    "Hebr": frozenset(("he", "lad", "yi")),
    "Beng": frozenset(("as", "bn", "bpy", "mni")),
    "Tibt": frozenset(("bo", "dz")),
    "Ethi": frozenset(("am", "ti", "tig")),
    "Hani": frozenset(("zh", "yue", "wuu", "nan", "ja")),
    "Guru": frozenset(("pa",)),
    "Mymr": frozenset(("my", "shn", "mnw")),
    "Mong": frozenset(("mn",)),
}
# Languages of `_WRITTEN_IN` that are written in Latin letters as well, and so may be met there too.
_ALSO_LATIN = _words("az bs crh ku kok ks lad nan sr tg tk tt uz")
_NEVER_LATIN = (frozenset().union(*_WRITTEN_IN.values()) | frozenset(_ONE_LANGUAGE.values())) - _ALSO_LATIN


def count_letters(text: str) -> Counter[str]:
    """How many letters of each script (ISO 15924 code; `Zyyy` for any other) `text` has."""
    counts: Counter[str] = Counter()
    for character, times in Counter(text).items():
        script = _script_of(character)
        if script:
            counts[script] += times
    return counts


@lru_cache(maxsize=8192)
def _script_of(character: str) -> str | None:
    if not character.isalpha():
        return None
    point = ord(character)
    _, end, script = _BLOCKS[bisect_right(_STARTS, point) - 1]
    return script if _STARTS[0] <= point <= end else "Zyyy"


def main_script(counts: Counter[str]) -> str:
    """The script most letters are in. Japanese and Korean mix theirs with Han, and count as what is theirs alone.

    A Han character says as much as three letters of an alphabet, so foreign names do not turn Chinese into Latin.
    """
    weighted = {script: times * (3 if script == "Hani" else 1) for script, times in counts.items()}
    kana, hangul, han = counts["Kana"], counts["Hang"], counts["Hani"]
    if kana * 12 >= han and kana:
        weighted["Kana"] = weighted["Kana"] * 2 + weighted.pop("Hani", 0)
    elif hangul * 2 >= han and hangul:
        weighted["Hang"] = weighted["Hang"] * 2 + weighted.pop("Hani", 0)
    return max(sorted(weighted), key=weighted.__getitem__) if weighted else "Zyyy"


def language_of_script(script: str, text: str) -> str | None:
    """The language that `script` alone decides for `text`; None where a detector has to."""
    if script in _MARKED:
        language, others = _MARKED[script]
        letters = sum(1 for character in text if character.isalpha())
        for other, marks in others:
            if sum(text.count(mark) for mark in marks) * 100 >= letters * 2:
                return other
        return language
    return _ONE_LANGUAGE.get(script)


def can_be_written_in(language: str, script: str) -> bool:
    """Whether a text in `script` may be in `language` (a primary subtag); what is not known may."""
    if script in _WRITTEN_IN:
        return language in _WRITTEN_IN[script]
    if script in _ONE_LANGUAGE:
        return language == _ONE_LANGUAGE[script]
    return script != "Latn" or language not in _NEVER_LATIN
