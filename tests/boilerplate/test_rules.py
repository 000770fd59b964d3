"""What each rule takes and, as important, what it leaves."""

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.boilerplate import rules
from newsbeam.transforms.boilerplate.patterns import patterns
from newsbeam.transforms.boilerplate.rules import Text
from newsbeam.transforms.boilerplate.strip import all_lines, strip_boilerplate
from newsbeam.transforms.extraction.plain.plain_lines import best_segment
from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import Article, RemovedBlock
from newsbeam.transforms.text.line_features import fold, folds_to
from newsbeam.transforms.text.line_words import words_of

PROSE = (
    "The council met on Monday evening and agreed, after four hours of debate, to rebuild the bridge over the river."
)
MORE = "Nobody had expected the vote to be so clear, said the mayor, who had argued for the plan since the spring."


def taken(rule: object, *lines: str, title: str = "", authors: tuple[str, ...] = ()) -> list[str]:
    places = rule(Text(lines, title, authors))  # type: ignore[operator]
    return [lines[place] for place in sorted(places)]


@pytest.mark.parametrize(
    "line",
    [
        "25 March 2024, 19:08 | Updated: 25 March 2024, 21:07",
        "Veröffentlicht am 2. März 2021 um 10:30 Uhr",
        "Publié le 14 juillet 2023 à 08h15",
        "Опубликовано 12 мая 2020, 14:33",
        "Δημοσίευση: 3 Μαρτίου 2022, 09:15",
        "2020年5月12日 14:33 发布",
        "Published 8:14 PM EST, Fri December 22, 2023",
    ],
)
def test_a_line_of_dates_is_a_dateline_in_any_language(line: str) -> None:
    assert taken(rules.datelines, PROSE, line, MORE) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "On 25 March 2024 the council met in Saltmarsh.",
        "4/1/2018 +7.5%",
        "March 2024 was the warmest since 1911",
        "Born 3 May 1951 in Leeds, died 25 March 2024",
    ],
)
def test_a_sentence_or_a_row_of_figures_with_a_date_is_not(line: str) -> None:
    assert taken(rules.datelines, PROSE, line, MORE) == []


def test_a_caption_and_the_same_with_its_credit_both_go() -> None:
    caption = "The mayor on the old bridge"
    assert taken(rules.captions, PROSE, caption, f"{caption}. Picture: Getty/Alamy", MORE) == [
        caption,
        f"{caption}. Picture: Getty/Alamy",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Photo: Jane Doe / AFP",
        "Der Bürgermeister am Abend. Foto: Stadtarchiv",
        "Мост весной. Фото: ТАСС",
        "(AP Photo/J. Doe)",
    ],
)
def test_a_credit_is_known_by_its_label_in_other_languages(line: str) -> None:
    assert taken(rules.captions, PROSE, line, MORE) == [line]


@pytest.mark.parametrize(
    "line",
    [
        "“The picture: it was gone,” she said, and her eyes filled with tears as she looked at the empty wall.",
        "The company said its video: streaming business had grown faster than any other part of it in the past year.",
        "What the map tells us",
        "He ran the PAP for years",
    ],
)
def test_prose_and_sub_headings_are_not_captions(line: str) -> None:
    assert taken(rules.captions, PROSE, line, MORE) == []


def test_the_title_of_an_embedded_video_goes_and_a_sub_heading_stays() -> None:
    video = "Wilhelmina Strand asked whether Ferdinand Kolb will resign tonight"
    heading = "A bridge that nobody had expected"
    assert taken(rules.embedded_titles, PROSE, video, MORE, heading, PROSE) == [video]


def test_a_list_of_teasers_goes_to_the_end_and_an_article_that_goes_on_stays() -> None:
    teasers = ["More Latest News", "Bakery to close after ninety years", "Pool opens late", "Bus line starts in April"]
    assert taken(rules.teasers, PROSE, MORE, PROSE, *teasers) == teasers
    assert taken(rules.teasers, PROSE, MORE, "Latest news", PROSE, MORE, PROSE, MORE) == []


def test_a_byline_before_the_text_goes_and_a_sentence_that_begins_so_stays() -> None:
    lines = ("Kieran Kelly", "By Kieran Kelly", PROSE, "By Friday the water had gone down and the road was open again.")
    assert taken(rules.bylines, *lines, authors=("Kieran Kelly",)) == ["Kieran Kelly", "By Kieran Kelly"]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("Read More: UN chief calls for aid", "read_more"),
        ("Lesen Sie auch: Warum die Straße fehlt", "read_more"),
        ("Читайте также: Мост откроют весной", "read_more"),
        ("Czytaj też: Most otwarty", "read_more"),
        ("Pročitajte još: Most otvoren", "read_more"),
        ("קראו גם: הגשר נפתח", "read_more"),
        ("বিস্তারিত: সেতু খুলেছে", None),
        ("আরও পড়ুন: সেতু খুলেছে", "read_more"),
        ("Διαβάστε επίσης: Ανοίγει η γέφυρα", "read_more"),
        ("ADVERTISEMENT", "advertisement"),
        ("Anzeige", "advertisement"),
        ("Listen to this article", "player"),
        ("© 2024 All rights reserved", None),
        ("All rights reserved.", "copyright"),
        ("分享到", "share"),
    ],
)
def test_a_phrase_of_the_data_file_names_its_rule(line: str, rule: str | None) -> None:
    assert patterns().of_line(line) == rule


@pytest.mark.parametrize(
    "line",
    [
        "Cookies were sold at the fair until the rain came.",
        "She cleared her inbox and went home.",
        "Readers more than 60 years old were asked to sign up in person.",
        "Shares fell by a third on Monday.",
        "Commentators said the printing of money would end.",
    ],
)
def test_a_bare_word_in_a_sentence_removes_nothing(line: str) -> None:
    assert patterns().of_line(line) is None


def test_fifteen_languages_have_patterns() -> None:
    from pathlib import Path

    rows = (Path(rules.__file__).parent / "patterns.tsv").read_text(encoding="utf-8").splitlines()
    assert len({row.split("\t")[2] for row in rows if row and not row.startswith("#")}) >= 15


def test_the_best_segment_is_the_one_with_the_largest_sum() -> None:
    rnd = random.Random(5)
    for _ in range(50):
        scores = np.array([rnd.uniform(-3, 3) for _ in range(rnd.randrange(1, 25))])
        start, end = best_segment(scores)
        best = max(scores[i:j].sum() for i in range(len(scores)) for j in range(i + 1, len(scores) + 1))
        assert scores[start:end].sum() == pytest.approx(best)


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [PROSE, MORE, "Share", "Picture: A/B", "By Ann Lee", "25 March 2024", "More news", ".", "标题"]
        ),
        st.text(alphabet=st.characters(exclude_categories=("Cs", "Zl", "Zp", "Cc")), min_size=1, max_size=60).filter(
            lambda line: bool(line.strip())
        ),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=120, deadline=None)
@given(lines=LINES, marks=st.lists(st.booleans(), max_size=25), plain=st.booleans())
def test_no_line_is_ever_lost_or_changed(lines: list[str], marks: list[bool], plain: bool) -> None:
    removed = [place for place, mark in enumerate(marks[: len(lines) - 1]) if mark]
    article = Article(
        id="",
        url="https://x.example/a",
        title="Title",
        text="\n".join(line for place, line in enumerate(lines) if place not in removed),
        removed_blocks=tuple(RemovedBlock("links", lines[place], place) for place in removed),
        extractor="plain" if plain else "blocks",
    )
    stripped = strip_boilerplate(article)
    assert [line for line, _ in all_lines(stripped)] == lines
    assert all(block.rule for block in stripped.removed_blocks)
    assert strip_boilerplate(article) == stripped


def test_an_article_without_text_is_refused() -> None:
    with pytest.raises(Rejected) as refused:
        strip_boilerplate(Article(id="", url="https://x.example/a"))
    assert refused.value.reason == "no_text"


def test_rules_never_leave_an_article_empty() -> None:
    article = Article(id="", url="u", title="T", text="Share\nAdvertisement", extractor="blocks")
    stripped = strip_boilerplate(article)
    assert stripped.text == article.text
    assert stripped.warnings == ("rules_undone",)
    assert strip_boilerplate(replace(article, text=f"{PROSE}\nShare")).text == PROSE


LINES = st.text(alphabet="aeIİıßﬁé\u0301Σ漢กк 12.!’-", max_size=60)


@settings(max_examples=300, deadline=None)
@given(LINES, LINES)
def test_a_line_is_the_headline_if_both_fold_to_the_same(line: str, headline: str) -> None:
    for other in (headline, line.upper(), f"{line}!", f"1 {line}"):
        folded = fold(other)
        assert folds_to(line, folded) == (fold(line) == folded and folded != "")


@settings(max_examples=300, deadline=None)
@given(LINES)
def test_prose_has_twelve_words(line: str) -> None:
    assert rules.is_prose(f"{line}.") == (len(words_of(line)) >= 12)
    long = f"{line} {line} é {line}."
    assert rules.is_prose(long) == (len(words_of(long)) >= 12)
