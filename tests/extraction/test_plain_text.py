"""Copied pages without markup: their lines, their headline, and variants of them to train on."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.boilerplate.strip import all_lines, strip_boilerplate
from newsbeam.transforms.extraction import extract_article
from newsbeam.transforms.extraction.plain.headline import HEADLINE_FEATURES, headline_features
from newsbeam.transforms.extraction.plain.plain_lines import LOOKS, looks_of, plain_lines
from newsbeam.transforms.extraction.plain.plain_model import PLAIN_FEATURES, plain_features
from newsbeam.transforms.extraction.plain.plain_second import SECOND_FEATURES, second_features
from newsbeam.transforms.extraction.plain.plain_text import headline_of
from newsbeam.transforms.model.records import Article, Page
from scripts.evaluation.plain_variants import PlainExample, variant

HEADLINE = "Harbour wall reopens after two winters of repairs"
STORY = (
    "The harbour wall at Easthaven reopened on Tuesday, two winters after storms tore a hole in it as wide as a bus.",
    "Repairs cost the town four million pounds, half as much again as the council had been told to expect.",
    "“We said it would be back before the herring, and it is,” said Ann Lee, who led the repairs for the town.",
    "Fishing boats had to land their catch in the next town while the wall was closed, a journey of two hours.",
    "The council will decide in spring whether the older wall across the harbour is to be raised as well.",
)
MENU = ("Skip to main content", "* News", "* Sport", "* Weather and travel today", "* More", "Search", "Sign in")
FOOTER = ("Most read", "* Cat found in church tower", "* Ten walks by the sea", "Privacy policy", "© Easthaven Echo")
PAGE = "\n".join((*MENU, "", "", HEADLINE, "", "By Ann Writer", "", "\n\n".join(STORY), "", *FOOTER))
PIECES = ["a", "Ab ", "Z. ", "\n", "\n\n", " ", "* ", "标", "\u2028", "9", "\t", STORY[0]]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


def extracted(text: str) -> Article:
    return extract_article(Page(url="https://x.example/a", body=text.encode(), content_type="text/plain"))


def test_the_headline_of_a_page_stands_below_its_menu() -> None:
    assert extracted(PAGE).title == HEADLINE


def test_of_a_copied_page_the_story_is_left() -> None:
    assert strip_boilerplate(extracted(PAGE)).text.split("\n") == list(STORY)


def test_byline_and_dateline_are_looked_for_next_to_the_headline() -> None:
    dated = PAGE.replace("By Ann Writer", "By Ann Writer\n3 March 2024, 09:15").replace("Search", "Search\n1 May 2025")
    article = extracted(dated)
    assert article.published_at == "2024-03-03T09:15"
    assert article.authors == ("Ann Writer",)


def test_what_extraction_takes_out_of_plain_text_is_on_record() -> None:
    article = extracted(PAGE)
    assert [line for line, _ in all_lines(article)] == [line for line in PAGE.split("\n") if line]
    assert {"byline", "teasers", "line_model"} <= {block.rule for block in article.removed_blocks}
    assert strip_boilerplate(article) == article


def test_lines_know_how_many_empty_ones_stand_before_them_and_how_far_they_are_indented() -> None:
    page = plain_lines("one\n\n \n   two  three\n\tfour\n\n")
    assert page.lines == ("one", "two three", "four")
    assert page.blanks == (0, 2, 0)
    assert page.indents == (0, 3, 1)


def test_a_headline_shares_its_words_with_the_paragraphs_that_follow() -> None:
    page = plain_lines(PAGE)
    rows = headline_features(looks_of(page))
    lead = rows[:, HEADLINE_FEATURES.index("in_lead")]
    assert lead[page.lines.index(HEADLINE)] > 0.6
    assert lead[: len(MENU)].max() < 0.3
    assert rows[page.lines.index(HEADLINE), HEADLINE_FEATURES.index("rank")] <= len(STORY)


def test_where_no_line_is_likely_the_headline_it_is_the_first_of_three_words_before_the_story() -> None:
    lines = ("News", "Sport and weather", "Wall reopens today", STORY[0])
    assert headline_of(lines, np.full(4, 0.1, dtype=np.float32)) == 1
    assert headline_of(lines, np.array([0.1, 0.2, 0.6, 0.1], dtype=np.float32)) == 2
    assert headline_of((STORY[0] * 9, "News"), np.array([0.9, 0.1], dtype=np.float32)) == 0
    assert headline_of((), np.zeros(0, dtype=np.float32)) == 0


def test_the_second_look_sees_which_words_a_line_shares_with_the_lines_that_were_kept() -> None:
    other = "Nobody knows why penguins swim faster under clouded evening skies than beneath moonlight."
    looks = looks_of(plain_lines("\n".join((*STORY, other))))
    first = np.array([0.9] * len(STORY) + [0.5], dtype=np.float32)
    rows = second_features(looks, plain_features(looks, HEADLINE, {}), first)
    shared = rows[:, SECOND_FEATURES.index("words_in_run")]
    assert shared[-1] == 0
    assert sum(shared[: len(STORY)] > 0) >= 4


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_any_text_has_a_row_of_numbers_for_each_of_its_lines(text: str) -> None:
    page = plain_lines(text)
    assert list(page.lines) == [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    looks = looks_of(page)
    first = plain_features(looks, "Ab", {})
    for rows, names in (
        (looks.rows, LOOKS),
        (headline_features(looks), HEADLINE_FEATURES),
        (first, PLAIN_FEATURES),
        (second_features(looks, first, np.full(len(first), 0.6, dtype=np.float32)), SECOND_FEATURES),
    ):
        assert rows.shape == (len(page.lines), len(names))
        assert np.isfinite(rows).all()


def example(site: str, menu: str, story: str, footer: str) -> PlainExample:
    page = plain_lines("\n".join([menu] * 6 + ["Title"] + [f"{story} {n}" for n in range(8)] + [footer] * 6))
    labels = np.array([line.startswith(story) for line in page.lines])
    headline = np.array([line == "Title" for line in page.lines])
    return PlainExample(site, page, labels, np.ones(len(labels)), headline, np.zeros(len(labels), dtype=bool))


def test_a_variant_has_its_page_s_article_among_the_lines_of_others() -> None:
    one, other = example("a", "menu a", "story a", "footer a"), example("b", "menu b", "story b", "footer b")
    seen = set()
    for seed in range(40):
        made = variant(one, [other], np.random.default_rng(seed))
        lines = np.array(made.page.lines)
        assert set(lines[made.labels]) <= {line for line in one.page.lines if line.startswith("story")}
        assert made.labels.any()
        assert list(lines[made.headline]) == ["Title"]
        # What there is of the other page's article stands behind all else.
        theirs = np.flatnonzero([line.startswith("story b") for line in made.page.lines])
        assert not len(theirs) or theirs[0] > np.flatnonzero(made.labels)[-1]
        assert len(made.labels) == len(made.weights) == len(made.easy) == len(made.page.blanks)
        seen |= set(lines)
    assert {"menu a", "menu b", "footer a", "footer b", "story b 1"} <= seen


def test_the_same_seed_makes_the_same_variant() -> None:
    one, other = example("a", "menu a", "story a", "footer a"), example("b", "menu b", "story b", "footer b")
    first, second = (variant(one, [other], np.random.default_rng(7)) for _ in range(2))
    assert first.page == second.page
