"""Facts about topics. The stories are our own."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.transforms.model.records import Article, Origin
from newsbeam.transforms.text.words import words_and_pairs
from newsbeam.transforms.topics import (
    Tagger,
    TopicsConfig,
    TopicTagger,
    explain_topics,
    score_topics,
    tag_topics,
)
from newsbeam.transforms.topics.sections import topics_of_label
from newsbeam.transforms.topics.table import TOP_LEVEL, languages, load_table, score
from newsbeam.transforms.topics.taxonomy import load_taxonomy

STORIES = {
    "medtop:15000000": (
        "Late goal sends Rovers to the semi-final",
        "The striker scored in stoppage time as the home team beat the league champions 2-1 on Saturday. The coach "
        "praised the goalkeeper, who saved a penalty before half-time in front of forty thousand fans.",
    ),
    "medtop:11000000": (
        "Prime minister calls early election",
        "The prime minister asked the president to dissolve parliament and call an election in March after the "
        "opposition won a vote of no confidence. Voters will choose a new government; parties began campaigning.",
    ),
    "medtop:04000000": (
        "Central bank raises interest rates as inflation climbs",
        "The central bank raised its key rate by half a point. Shares fell, bond yields rose and the company said "
        "quarterly profit would miss analysts' forecasts as investors sold stock.",
    ),
    "medtop:03000000": (
        "Earthquake kills dozens and destroys villages",
        "A magnitude 6.8 earthquake struck before dawn, killing at least 40 people. Rescuers searched the rubble for "
        "survivors; landslides and aftershocks cut the roads to the villages.",
    ),
    "medtop:16000000": (
        "Shelling resumes as ceasefire collapses",
        "Troops and rebels exchanged artillery fire along the front line after the ceasefire collapsed. Air strikes "
        "hit an ammunition depot, and the army said its soldiers had captured two villages.",
    ),
}


@pytest.fixture(scope="module")
def tagger():
    return Tagger(TopicsConfig())


def story(title="", text="", language="en", **known):
    return Article(id="1", url="https://example.org/1", title=title, text=text, language=language, **known)


def of_top_level(article):
    return [topic for topic in article.topics if topic.uri in TOP_LEVEL]


@pytest.mark.parametrize("uri", STORIES)
def test_a_plain_story_has_its_topic_first(tagger, uri):
    tagged = tag_topics(story(*STORIES[uri]), tagger)
    assert tagged.topics[0].uri == uri
    assert "model" in tagged.topics[0].source
    assert 0.5 < tagged.topics[0].confidence <= 1.0


def test_topics_come_by_descending_confidence_and_lie_in_the_taxonomy(tagger):
    for title, text in STORIES.values():
        topics = tag_topics(story(title, text), tagger).topics
        assert [t.confidence for t in topics] == sorted((t.confidence for t in topics), reverse=True)
        assert all(topic.uri in load_taxonomy().topics for topic in topics)


def test_nothing_is_said_of_nothing(tagger):
    for text in ("", "12:30 4711", "zxqv zzkw qqpl"):
        assert tag_topics(story("", text), tagger).topics == ()


def test_the_full_vector_has_all_seventeen(tagger):
    scores = score_topics(story(*STORIES["medtop:15000000"]), tagger)
    assert list(scores) == list(TOP_LEVEL)
    assert max(scores, key=scores.get) == "medtop:15000000"


def test_a_section_tips_the_balance_and_is_named(tagger):
    text = "The two of them met again on Sunday, and it was a close match."
    without = of_top_level(tag_topics(story("Close to the end", text), tagger))
    with_section = of_top_level(tag_topics(story("Close to the end", text, section="Sport > Tennis"), tagger))
    assert with_section[0].uri == "medtop:15000000"
    assert "section" in with_section[0].source
    assert "medtop:15000000" not in [topic.uri for topic in without[:1]]


def test_feed_hints_and_keywords_are_evidence_and_named(tagger):
    hinted = tag_topics(story("At last", "They came back.", origin=Origin(topic_hints=("Health",))), tagger)
    assert any(topic.uri == "medtop:07000000" and "feed" in topic.source for topic in hinted.topics)
    words = tag_topics(story("Zubia itxita", "", "eu", keywords=("hospital", "medicine")), tagger)
    assert any(topic.uri == "medtop:07000000" and topic.source == "keywords" for topic in words.topics)


def test_a_feed_may_name_a_topic_by_its_uri(tagger):
    tagged = tag_topics(story("x", "y", "eu", origin=Origin(topic_hints=("medtop:20000065",))), tagger)
    assert {"medtop:16000000", "medtop:20000065"} == {topic.uri for topic in tagged.topics}


def test_a_language_without_a_table_has_its_publishers_word_and_says_so(tagger):
    text = "Udal batzarrak zubi zaharra ixtea erabaki du asteartean."
    silent = tag_topics(story("Zubia itxita", text, "eu"), tagger)
    assert silent.topics == ()
    assert silent.warnings == ("topics:no_table",)
    told = tag_topics(story("Zubia itxita", text, "eu", section="Sports"), tagger)
    assert [(topic.uri, topic.source) for topic in told.topics] == [("medtop:15000000", "section")]


def test_second_level_topics_need_a_name_and_their_parent(tagger):
    tagged = tag_topics(story(*STORIES["medtop:11000000"]), tagger)
    elections = [topic for topic in tagged.topics if topic.uri == "medtop:20000574"]
    assert elections
    assert elections[0].source == "terms"
    assert elections[0].confidence < tagged.topics[0].confidence
    sport = tag_topics(story(*STORIES["medtop:15000000"]), tagger)
    assert "medtop:20000574" not in {topic.uri for topic in sport.topics}


def test_names_are_in_the_language_asked_for():
    article = story(*STORIES["medtop:15000000"])
    names = {
        language: tag_topics(article, Tagger(TopicsConfig(name_language=language))).topics[0].name
        for language in ("en", "de", "fr", "pt-BR", "xx")
    }
    assert names == {"en": "sport", "de": "Sport", "fr": "Sport", "pt-BR": "esporte", "xx": "sport"}


def test_an_explanation_shows_the_words_and_pairs_each_topic(tagger):
    article = story(*STORIES["medtop:16000000"])
    explanations = explain_topics(article, tagger)
    assert [e.topic for e in explanations] == list(tag_topics(article, tagger).topics)
    assert {"ceasefire", "troops", "shelling", "rebels"} & {word for word, _ in explanations[0].words}


def test_an_explanation_adds_up_to_the_score(tagger):
    article = story(*STORIES["medtop:04000000"])
    explained = {e.topic.uri: e for e in explain_topics(article, tagger, most=10_000)}["medtop:04000000"]
    table = load_table("en")
    column = TOP_LEVEL.index("medtop:04000000")
    whole = score(table, words_and_pairs(article.title), words_and_pairs(article.text))[column]
    assert sum(weight for _, weight in explained.words) + table.bias[column] == pytest.approx(whole, abs=0.05)


@pytest.mark.parametrize(
    ("label", "language", "uris"),
    [
        ("Sport", "en", ("medtop:15000000",)),
        ("news/politics", "en", ("medtop:11000000",)),
        ("Wirtschaft & Finanzen", "de", ("medtop:04000000",)),
        ("Économie", "fr", ("medtop:04000000",)),
        ("Sport > Fußball", "de", ("medtop:15000000",)),
        ("climate change", "en", ("medtop:06000000",)),
        ("http://cv.iptc.org/newscodes/mediatopic/15000000", "en", ("medtop:15000000",)),
        ("World", "en", ()),
        ("", "en", ()),
    ],
)
def test_labels_are_read_as_publishers_write_them(label, language, uris):
    assert topics_of_label(label, language) == uris


def test_tables_are_small_and_sound():
    assert "en" in languages()
    for language in sorted(languages()):
        table = load_table(language)
        assert table.weights.dtype == np.int8
        assert table.weights.shape == (len(table.ids) + len(table.pairs), len(TOP_LEVEL) + 1)
        assert (np.diff(table.pairs) > 0).all()
        assert len(table.bias) == len(table.thresholds) == len(TOP_LEVEL)


def test_the_tagger_is_made_on_the_worker():
    function = pickle.loads(pickle.dumps(TopicTagger(TopicsConfig())))  # noqa: S301 - our own bytes
    assert function(story(*STORIES["medtop:15000000"])).topics[0].uri == "medtop:15000000"


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=300), st.text(max_size=600), st.sampled_from(["en", "de", "zh", "und", "no"]))
def test_any_text_is_tagged_the_same_twice(title, text, language):
    tagger = Tagger(TopicsConfig())
    article = story(title, text, language)
    tagged = tag_topics(article, tagger)
    assert tagged == tag_topics(article, tagger)
    assert all(0.0 <= topic.confidence <= 1.0 for topic in tagged.topics)


def test_a_compound_weighs_what_its_last_part_weighs():
    table = load_table("de")
    assert "wahl" in table.ids
    assert "xylophonwahl" not in table.ids
    whole = score(table, ["wahl"] * 12, [])
    assert score(table, ["xylophonwahl"] * 12, []) == whole


def test_german_and_french_stories_have_their_topics(tagger):
    stories = {
        ("de", "medtop:15000000"): (
            "Späte Entscheidung im Halbfinale",
            "Der Stürmer traf in der Nachspielzeit zum Sieg gegen den Meister der Bundesliga. Der Trainer lobte den "
            "Torwart, der vor der Pause einen Elfmeter hielt, und die Fans feierten die Mannschaft.",
        ),
        ("de", "medtop:11000000"): (
            "Kanzler kündigt Neuwahlen an",
            "Der Bundeskanzler will nach dem Bruch der Koalition im Bundestag die Vertrauensfrage stellen. Die "
            "Opposition fordert eine schnelle Wahl, die Parteien beginnen mit dem Wahlkampf.",
        ),
        ("fr", "medtop:07000000"): (
            "Les hôpitaux débordés par la grippe",
            "Les médecins appellent à la vaccination alors que l'épidémie progresse. Des milliers de patients ont été "
            "admis aux urgences et le virus touche surtout les malades âgés.",
        ),
        ("fr", "medtop:15000000"): (
            "Paris en finale de la coupe",
            "L'équipe a battu le champion deux buts à un. L'entraîneur a salué ses joueurs après le match, devant des "
            "milliers de supporters dans le stade.",
        ),
    }
    for (language, uri), (title, text) in stories.items():
        assert tag_topics(story(title, text, language), tagger).topics[0].uri == uri


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=0x08FF), max_size=120))
def test_words_are_runs_of_letters_however_they_are_found(text):
    for print_sign in ("", "\u2019", "\u2014"):
        spelled = print_sign.join((text, "News", "of the day 24/7"))
        assert words_and_pairs(spelled) == re.findall(r"[^\W\d_]+", spelled.lower())
