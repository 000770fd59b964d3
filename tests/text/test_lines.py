"""Lines in numbers: what arrays say of all lines at once is what each line says alone."""

import re

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsbeam.transforms.extraction.tree_model import tree_model
from newsbeam.transforms.text.characters import UPPER, characters_of, words_in_lines
from newsbeam.transforms.text.line_features import LINE_FEATURES, line_features
from newsbeam.transforms.text.line_words import words_of

_SAMPLES = "aB cÉ.дЖ,?!…»\"'1٣7 -/:@#.北京。東ก็İß²½𝐀😀_\u00a0|©"
LINES = st.lists(
    st.one_of(st.text(st.sampled_from(_SAMPLES), min_size=1, max_size=30), st.text(min_size=1, max_size=30)).map(
        lambda text: " ".join(text.split()) or "x"
    ),
    min_size=1,
    max_size=8,
)


def column(name: str, lines: list[str], title: str = "", description: str = "") -> list[float]:
    rows, _ = line_features(lines, title, description)
    return [round(float(value), 5) for value in rows[:, LINE_FEATURES.index(name)]]


@given(LINES)
@settings(max_examples=150, deadline=None)
def test_counts_of_characters_are_those_of_patterns(lines: list[str]) -> None:
    enders = re.compile(r"[.!?…。！？।؟](?=[\s\"'”’»“)』」）]|$)|[。！？]")
    assert column("enders", lines) == [len(enders.findall(line)) for line in lines]
    assert column("quotes", lines) == [len(re.findall(r"[\"“”„«»「」『』]", line)) for line in lines]
    assert column("digit_share", lines) == [round(len(re.findall(r"\d", line)) / len(line), 5) for line in lines]
    years = re.compile(r"\b(?:19|20)\d\d\b")
    assert column("year", lines) == [float(bool(years.search(line))) for line in lines]
    addresses = re.compile(r"https?://|www\.|\S@\S|(?:^|\s)[@#]\w")
    assert column("address", lines) == [float(bool(addresses.search(line))) for line in lines]
    short = [
        sum(len(run) <= 3 and run.islower() for run in runs) / max(1, len(runs))
        for runs in (re.findall(r"[^\W\d_]+", line) for line in lines)
    ]
    assert column("short_lower_words", lines) == [round(share, 5) for share in short]
    assert characters_of(lines).count(UPPER).tolist() == [sum(map(str.isupper, line)) for line in lines]


@given(LINES, st.text(st.sampled_from(_SAMPLES.replace("İ", "")), max_size=40))
@settings(max_examples=150, deadline=None)
def test_words_shared_with_the_title_are_those_of_sets(lines: list[str], title: str) -> None:
    # Lower case of the dotted capital I is two characters, of which one is no letter; taken out here.
    lines = [line.replace("İ", "I") for line in lines]
    known = set(words_of(title))
    sets = [set(words_of(line)) for line in lines]
    assert column("title_in_line", lines, title) == [round(len(one & known) / max(1, len(known)), 5) for one in sets]
    assert column("line_in_title", lines, title) == [round(len(one & known) / max(1, len(one)), 5) for one in sets]


def test_lines_of_another_text_share_its_neighbouring_words() -> None:
    _, words = line_features(["The wall was closed.", "Was the wall closed?", "Sign up", "城墙关闭"], "", "")
    shares = words.pairs_in("So the wall was closed for a year. 城墙 关闭").tolist()
    assert [round(share, 3) for share in shares] == [1.0, 0.333, 0.0, 1.0]


def test_the_opening_of_a_story_is_told_by_its_longer_words() -> None:
    lines = ["Harbour wall reopens after winter", "The harbour reopens", "Election results expected tonight"]
    _, words = line_features(lines, "", "")
    assert words.lead_overlap([0], "").tolist() == [1.0, 1.0, 0.0]


def test_the_trees_of_a_model_are_added_up() -> None:
    random = np.random.default_rng(0)
    features, borders = random.integers(0, 5, (7, 3)), random.normal(size=(7, 3)).astype(np.float32)
    values = random.normal(size=(7, 8)).astype(np.float32)
    names = np.array(list("abcde"))
    arrays = {"features": features, "borders": borders, "values": values, "bias": np.float64(0.1), "names": names}
    rows = random.normal(size=(20, 5)).astype(np.float32)

    def alone(row: np.ndarray) -> float:
        answers = row[features] > borders
        leaves = (answers * [1, 2, 4]).sum(axis=1)
        return 1 / (1 + np.exp(-(values[np.arange(7), leaves].sum() + 0.1)))

    assert np.allclose(tree_model(arrays).probability(rows), [alone(row) for row in rows], atol=1e-6)


@given(st.lists(st.text(st.characters(blacklist_categories=["Lu", "Lt", "Cs"]), max_size=40), min_size=1, max_size=6))
@example(["", "two words", "数 えると", "ก and ข", "a1b_c", "words!"])
def test_words_are_counted_in_many_lines_as_they_are_split_in_one(lines: list[str]) -> None:
    lines = [line.replace("\n", " ") for line in lines]
    assert words_in_lines(lines).tolist() == [len(words_of(line)) for line in lines]
