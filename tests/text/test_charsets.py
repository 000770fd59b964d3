"""Pages in legacy charsets come out with the right letters, labelled wrongly, rightly, or not at all."""

import json

import pytest

from newsbeam.transforms.text.charsets import decode
from newsbeam.transforms.text.legacy_charsets import codec_of, guess_codec, language_charsets
from tests.support.places import DATA

SENTENCES: dict[str, str] = json.loads((DATA / "charsets/sentences.json").read_text("utf-8"))
"""A few sentences of each language of `letters.tsv`, and of those whose charsets need no help; our own words."""
OTHERS = {
    "ja": ("cp932", "euc_jp", "iso2022_jp"),
    "ko": ("cp949",),
    "th": ("cp874",),
    "zh": ("gb18030",),
}


def cases() -> list[tuple[str, str]]:
    known = {language: charsets.codecs for language, charsets in language_charsets().items()}
    return [
        (language, codec)
        for language, text in SENTENCES.items()
        for codec in {**known, **OTHERS}[language]
        if can_write(text, codec)
    ]


def can_write(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def page(language: str, text: str, codec: str, lang: bool) -> bytes:
    attribute = f' lang="{language}"' if lang else ""
    return f"<html{attribute}><head><title>x</title></head><body><p>{text}</p></body></html>".encode(codec)


@pytest.mark.parametrize(("language", "codec"), cases(), ids=str)
@pytest.mark.parametrize("claimed", ["", "utf-8"])
def test_a_page_that_says_its_language_has_the_right_letters(language: str, codec: str, claimed: str) -> None:
    if codec == "iso2022_jp" and claimed:
        pytest.skip("all its bytes are ASCII, so that nothing speaks against the label")
    text, _ = decode(page(language, SENTENCES[language], codec, lang=True), claimed, True, "")
    assert SENTENCES[language] in text


def test_of_pages_that_say_nothing_nearly_all_have() -> None:
    right = [
        SENTENCES[language] in decode(page(language, SENTENCES[language], codec, lang=False), "", True, "")[0]
        for language, codec in cases()
    ]
    assert len(right) > 50
    assert sum(right) / len(right) >= 0.95


def test_a_few_broken_bytes_in_utf_8_stay_a_damage() -> None:
    body = "<html lang='de'><p>Größe und Straße, Übung und Öl</p>".encode() + b"\xff"
    text, warnings = decode(body, "utf-8", True, "")
    assert "Größe und Straße" in text
    assert warnings == ("charset_errors",)


def test_two_letters_of_a_short_page_are_letters_and_no_damage() -> None:
    text, warnings = decode("<html lang='fr'><p>un été</p>".encode("cp1252"), "utf-8", True, "")
    assert "un été" in text
    assert warnings == ("charset_mismatch",)


@pytest.mark.parametrize(
    ("label", "codec"),
    [("latin1", "cp1252"), ("GB2312", "gb18030"), ("tis-620", "cp874"), ("iso-8859-9", "cp1254"), ("nonsense", "")],
)
def test_labels_mean_what_they_mean_on_the_web(label: str, codec: str) -> None:
    assert codec_of(label) == codec


def test_hostile_bytes_are_guessed_in_bounded_time() -> None:
    for body in (bytes(range(128, 256)) * 20_000, b"\x1b$" * 50_000, b"\xff" * 1_000_000):
        assert guess_codec(body, "tr")
