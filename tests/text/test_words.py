"""Words in any script: one count, and tokens that share its ranges."""

import re
from dataclasses import replace

import numpy as np
import pytest

from newsbeam.transforms.boilerplate.strip import strip_boilerplate
from newsbeam.transforms.duplicates.folding import fold
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.stories.terms import count_terms
from newsbeam.transforms.text.line_words import words_of
from newsbeam.transforms.text.spaceless import SPACELESS, spaceless_points
from newsbeam.transforms.text.words import count_words, words_and_pairs

THAI = "นายกรัฐมนตรีเดินทางไปต่างประเทศเพื่อประชุมเรื่องเศรษฐกิจ"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("Don't stop: 3.5 million people.", 5),
        ("북한은 오늘 미사일을 발사했다", 4),
        ("हिन्दी में समाचार पढ़ें", 4),
        ("দেশের খবর আজ", 3),
        ("می‌شود گفت", 2),
        ("הַשָּׁלוֹם כאן", 2),
        ("café naïve e\u0301te\u0301", 3),
        ("soft\u00adhyphen", 1),
    ],
)
def test_words_between_spaces_are_counted_exactly(text: str, words: int) -> None:
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("北京时间今天下午国家主席会见了来访的客人", 10),
        ("今日は東京で会議があります。", 6),
        ("นายกรัฐมนตรีเดินทางไปต่างประเทศ", 7),
        (THAI, 11),
        ("Mix 北京 und English", 4),
    ],
)
def test_words_of_scripts_without_spaces_are_estimated(text: str, words: int) -> None:
    assert abs(count_words(text) - words) <= 1


@pytest.mark.parametrize("text", [THAI, "北京时间今天下午国家主席会见了来访的客人"])
def test_stripping_counts_words_as_the_record_does(text: str) -> None:
    article = Article(url="https://news.example/a", title="T", text=text)
    assert strip_boilerplate(article).word_count == count_words(text)
    assert strip_boilerplate(replace(article, text=f"{text}\n{text}x")).word_count > count_words(text)


def test_every_tokenizer_takes_the_same_characters_for_spaceless() -> None:
    points = spaceless_points(0x30000)
    pattern = re.compile(f"[{SPACELESS}]")
    for point in (0x0DFF, 0x0E00, 0x0EFF, 0x0F00, 0x109F, 0x10A0, 0x17FF, 0x3040, 0x30FF, 0x9FFF, 0xFAFF, 0x20000):
        spaceless = pattern.match(chr(point)) is not None
        assert points[point] == spaceless
    for letters in ("ກຂ", "ကခ", "កខ", "ぁあ", "豈更", "𠀀𠀁"):
        assert words_of(letters) == tuple(letters)
        assert words_and_pairs(letters) == [letters]
        assert list(count_terms(letters)) == [letters.encode()]
        assert np.diff(fold([letters]).words).tolist() == [2]
