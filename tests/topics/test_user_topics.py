"""Facts about the user's own topics."""

import pytest

from newsbeam.transforms.model.records import Article
from newsbeam.transforms.topics import (
    Tagger,
    TopicsConfig,
    UserTopicsError,
    explain_topics,
    parse_user_topics,
    read_user_topics,
    tag_topics,
)

DOCUMENT = {
    "heat-pumps": {
        "name": "Heat pumps",
        "phrases": {"heat pump": 1.5, "heat pumps": 1.5, "boiler": 0.5},
        "excluded": ["swimming pool"],
        "threshold": 1.5,
    },
    "bridge": {"phrases": ["bridge"], "required": ["town council"]},
}


def uris(title, text, document=DOCUMENT, language="en"):
    tagger = Tagger(TopicsConfig(user_topics=parse_user_topics(document)))
    article = Article(id="1", url="u", title=title, text=text, language=language)
    return [topic.uri for topic in tag_topics(article, tagger).topics if topic.uri.startswith("user:")]


def test_phrases_add_up_to_the_threshold():
    assert uris("", "They bought a boiler.") == []
    assert uris("", "A boiler, another boiler and a third boiler.") == ["user:heat-pumps"]
    assert uris("", "A new Heat Pump was installed.") == ["user:heat-pumps"]


def test_the_title_counts_twice():
    assert uris("Boiler and boiler", "") == ["user:heat-pumps"]


def test_an_excluded_phrase_takes_the_topic_away():
    assert uris("", "The heat pump of the swimming pool.") == []


def test_a_required_phrase_has_to_occur():
    assert uris("", "The bridge is closed.") == []
    assert uris("", "The town council closed the bridge.") == ["user:bridge"]


def test_words_are_whole_and_do_not_join_over_others():
    assert uris("", "Heat the pump. A boilermaker.") == []


def test_a_topic_may_be_of_some_languages_only():
    document = {"pumpe": {"phrases": ["wärmepumpe"], "languages": ["de"]}}
    assert uris("", "Die Wärmepumpe", document, "de") == ["user:pumpe"]
    assert uris("", "Die Wärmepumpe", document, "en") == []


def test_phrases_are_found_in_scripts_with_vowel_signs_and_without_spaces():
    assert uris("", "सरकार ने नई शिक्षा नीति बनाई।", {"hi": {"phrases": ["शिक्षा नीति"]}}, "hi") == ["user:hi"]
    assert uris("", "政府公布新的教育政策。", {"zh": {"phrases": ["教育政策"]}}, "zh") == ["user:zh"]


def test_an_explanation_shows_the_phrases():
    tagger = Tagger(TopicsConfig(user_topics=parse_user_topics(DOCUMENT)))
    article = Article(id="1", url="u", title="Heat pumps", text="A boiler.", language="en")
    explained = [e for e in explain_topics(article, tagger) if e.topic.uri == "user:heat-pumps"]
    assert explained[0].words == (("heat pumps", 3.0), ("boiler", 0.5))
    assert explained[0].topic.source == "terms"
    assert explained[0].topic.name == "Heat pumps"


def test_all_mistakes_are_told_at_once_each_with_its_place():
    with pytest.raises(UserTopicsError) as caught:
        parse_user_topics(
            {
                "a": {"phrases": {"x": "much"}, "treshold": 2},
                "b": {"phrases": []},
                "c": "climate",
                "d": {"phrases": ["42"], "threshold": 0, "languages": "en"},
            },
            "news.yaml:topics",
        )
    lines = str(caught.value).splitlines()
    assert lines == [
        "news.yaml:topics.a.treshold: not known; a topic has name, phrases, required, excluded, threshold, languages",
        "news.yaml:topics.a.phrases.x: expected a number, found text ('much')",
        "news.yaml:topics.b.phrases: expected at least one phrase",
        "news.yaml:topics.c: expected a mapping with at least `phrases`, found text ('climate')",
        "news.yaml:topics.d.threshold: expected more than 0, found 0",
        "news.yaml:topics.d.languages: expected a list of tags such as [en, de], found text ('en')",
        "news.yaml:topics.d.phrases: '42' has no letters to look for",
    ]


def test_topics_are_read_from_yaml(tmp_path):
    path = tmp_path / "topics.yaml"
    path.write_text("climate:\n  name: Klima\n  phrases: {Klima: 1, CO-Ausstoß: 2}\n", "utf-8")
    (topic,) = read_user_topics(path)
    assert (topic.uri, topic.name, dict(topic.phrases)) == (
        "user:climate",
        "Klima",
        {("klima",): 1.0, ("co", "ausstoß"): 2.0},
    )


def test_a_file_that_is_not_yaml_is_named(tmp_path):
    path = tmp_path / "topics.yaml"
    path.write_text("a: [", "utf-8")
    with pytest.raises(UserTopicsError, match=r"topics\.yaml: cannot be read"):
        read_user_topics(path)
