"""Tags an article with IPTC Media Topics and the user's own, from what it says and what its publisher says of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from newsbeam.transforms.model.records import Article, Topic
from newsbeam.transforms.text.words import words_and_pairs
from newsbeam.transforms.topics.sections import topics_of_label
from newsbeam.transforms.topics.table import TOP_LEVEL, UNDECIDED, Table, load_table, score, weights_of_words
from newsbeam.transforms.topics.taxonomy import heads_of, load_taxonomy, phrases_of
from newsbeam.transforms.topics.user_topics import Match, UserTopic, UserTopics

# The model reads 250 words; the user's phrases are looked for further down.
_MODEL_CHARACTERS = 1800
_USER_CHARACTERS = 20_000
_MAX_LABELS = 30

# Languages read with the table of another: standards of one language, or written forms of it.
_TABLE_OF = {"nb": "no", "nn": "no", "bs": "hr", "sr": "hr", "fil": "tl"}

# What one label is worth, as log-odds: a section is chosen for the page, keywords are many and loose, a feed's topic is
# that of most of its stories.
_WORTH = {"section": 3.0, "feed": 2.0, "keywords": 1.0}
_MOST = {"section": 3.0, "feed": 2.5, "keywords": 2.5}

# Log-odds above which the model is named as a source beside a label.
_SPEAKS = -1.5

# A topic one level down is no likelier than the one it lies below.
_FIRM, _LOOSE = 0.95, 0.8


@dataclass(frozen=True)
class TopicsConfig:
    """How articles are tagged.

    Attributes:
        name_language: language of the topics' names (BCP 47); empty for the language of each article.
        user_topics: the user's own topics.
        second_level: whether topics below the 17 top-level ones are given.
    """

    name_language: str = "en"
    user_topics: tuple[UserTopic, ...] = ()
    second_level: bool = True


class Tagger:
    """What tagging needs, loaded once: the taxonomy and the user's topics; tables are loaded when first met."""

    def __init__(self, config: TopicsConfig | None = None) -> None:
        self.config = config or TopicsConfig()
        self.taxonomy = load_taxonomy()
        self.user_topics = UserTopics(self.config.user_topics)

    def name(self, uri: str, article_language: str) -> str:
        """The name of a Media Topic in the language asked for."""
        return self.taxonomy.name(uri, self.config.name_language or article_language)


@dataclass(frozen=True)
class Explanation:
    """Why an article has a topic.

    Attributes:
        topic: the topic as the record has it.
        words: what speaks for and against it, and how much (log-odds; weights for the user's own), the most telling
            first: words and pairs of the text, labels of the publisher, names of the taxonomy.
    """

    topic: Topic
    words: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class _Evidence:
    """All that speaks for an article's topics, before any is chosen."""

    language: str
    title: list[str]
    text: list[str]
    table: Table | None
    model: tuple[float, ...] | None
    labels: dict[str, dict[str, list[str]]]
    """uri -> source -> the labels that named it."""

    def thresholds(self) -> tuple[float, ...]:
        """Log-odds above which each top-level topic is given."""
        return self.table.thresholds if self.table and self.model else (0.0,) * len(TOP_LEVEL)

    def top_level(self) -> list[tuple[float, str, str]]:
        """(log-odds, uri, source) of each top-level topic."""
        model = self.model or (UNDECIDED,) * len(TOP_LEVEL)
        source = "model" if self.model else ""
        found = [(odds, uri, source) for odds, uri in zip(model, TOP_LEVEL, strict=True)]
        for column, (odds, uri, source) in enumerate(found):
            said = self.labels.get(uri)
            if said:
                worth = sum(min(_WORTH[name] * len(labels), _MOST[name]) for name, labels in sorted(said.items()))
                spoke = [source] if source and odds > _SPEAKS else []
                found[column] = (odds + worth, uri, "+".join([*spoke, *sorted(said)]))
        return found


def tag_topics(article: Article, tagger: Tagger) -> Article:
    """`article` with its `topics`: Media Topics by descending confidence, the first the primary; then the user's own.

    No topics where nothing is likely. An article in a language without a table is tagged by what its publisher says of
    it alone, and says so in `warnings` (`topics:no_table`).
    """
    evidence = _gather(article, tagger)
    topics = _choose(evidence, tagger)
    own = sorted(_own_topics(article, evidence, tagger), key=lambda match: (-match.confidence, match.topic.uri))
    warnings = tuple(article.warnings)
    if not evidence.table and "topics:no_table" not in warnings:
        warnings = (*warnings, "topics:no_table")
    return replace(article, topics=(*topics, *map(_topic_of, own)), warnings=warnings)


def score_topics(article: Article, tagger: Tagger) -> dict[str, float]:
    """The confidence of every top-level topic before any is chosen, all evidence counted: uri -> 0 to 1."""
    return {uri: _confidence(odds) for odds, uri, _ in _gather(article, tagger).top_level()}


def explain_topics(article: Article, tagger: Tagger, most: int = 12) -> tuple[Explanation, ...]:
    """Which words and labels made `article` what it is: an explanation for each topic `tag_topics` gives it."""
    evidence = _gather(article, tagger)
    table = evidence.table
    explanations = []
    terms = _terms(evidence)
    for topic in _choose(evidence, tagger):
        words = [(term, 1.0) for term in terms.get(topic.uri, ())] + _labels_for(evidence, topic.uri)
        if table and topic.uri in TOP_LEVEL:
            words += weights_of_words(table, evidence.title, evidence.text, TOP_LEVEL.index(topic.uri))
        words.sort(key=lambda item: (-abs(item[1]), item[0]))
        explanations.append(Explanation(topic, tuple((word, round(weight, 3)) for word, weight in words[:most])))
    for match in sorted(_own_topics(article, evidence, tagger), key=lambda m: (-m.confidence, m.topic.uri)):
        explanations.append(Explanation(_topic_of(match), match.phrases[:most]))
    return tuple(explanations)


def _own_topics(article: Article, evidence: _Evidence, tagger: Tagger) -> tuple[Match, ...]:
    if not tagger.user_topics.topics:
        return ()
    whole = article.text or article.description
    text = words_and_pairs(whole[:_USER_CHARACTERS]) if len(whole) > _MODEL_CHARACTERS else evidence.text
    return tagger.user_topics.match(evidence.title, text, evidence.language)


def _topic_of(match: Match) -> Topic:
    return Topic(match.topic.uri, match.topic.name, match.confidence, "terms")


def _gather(article: Article, tagger: Tagger) -> _Evidence:
    language = article.language.partition("-")[0]
    language = _TABLE_OF.get(language, language)
    title = words_and_pairs(article.title[:_MODEL_CHARACTERS])
    text = words_and_pairs((article.text or article.description)[:_MODEL_CHARACTERS])
    table = load_table(language)
    labels: dict[str, dict[str, list[str]]] = {}
    for source, said in (
        ("section", [article.section] if article.section else []),
        ("keywords", list(article.keywords)[:_MAX_LABELS]),
        ("feed", list(article.origin.topic_hints)[:_MAX_LABELS]),
    ):
        for label in said:
            for uri in _ancestors(topics_of_label(label, language), tagger):
                named = labels.setdefault(uri, {}).setdefault(source, [])
                if label not in named:
                    named.append(label)
    return _Evidence(language, title, text, table, score(table, title, text) if table else None, labels)


def _ancestors(uris: Sequence[str], tagger: Tagger) -> list[str]:
    """The top-level and second-level topics that `uris` are or lie below."""
    found = []
    for uri in uris:
        topic = tagger.taxonomy.topics.get(uri)
        if topic:
            found += [topic.top, topic.second] if topic.second else [topic.top]
    return list(dict.fromkeys(found))


def _choose(evidence: _Evidence, tagger: Tagger) -> list[Topic]:
    """The Media Topics that are likely, best first."""
    ranked = evidence.top_level()
    best = max(odds for odds, _, _ in ranked)
    leads = best if evidence.table and evidence.model and best > evidence.table.floor else math.inf
    found = [
        Topic(uri, tagger.name(uri, evidence.language), _confidence(odds), source)
        for (odds, uri, source), threshold in zip(ranked, evidence.thresholds(), strict=True)
        if odds > threshold or odds == leads
    ]
    if tagger.config.second_level and found:
        found += _second_level({topic.uri: topic.confidence for topic in found}, evidence, tagger)
    return sorted(found, key=lambda topic: (-topic.confidence, topic.uri))


def _second_level(parents: dict[str, float], evidence: _Evidence, tagger: Tagger) -> list[Topic]:
    """Topics one level down that a label, or a name of the taxonomy in the title or lead, speaks for; never alone."""
    terms = _terms(evidence)
    found = []
    for uri in sorted({*evidence.labels, *terms}):
        topic = tagger.taxonomy.topics[uri]
        if topic.level == 2 and topic.top in parents:
            sources = sorted(evidence.labels.get(uri, {})) + (["terms"] if uri in terms else [])
            strength = _LOOSE if sources in (["terms"], ["keywords"]) else _FIRM
            confidence = round(parents[topic.top] * strength, 4)
            found.append(Topic(uri, tagger.name(uri, evidence.language), confidence, "+".join(sources)))
    return found


def _terms(evidence: _Evidence) -> dict[str, list[str]]:
    """Second-level topics that are named, or have a topic below them named, in the title or the first 60 words."""
    phrases, heads = phrases_of(evidence.language), heads_of(evidence.language)
    taxonomy = load_taxonomy()
    found: dict[str, list[str]] = {}
    for words in (evidence.title, evidence.text[:60]):
        for position in range(len(words)):
            for length in (3, 2, 1) if words[position] in heads else ():
                uri = phrases.get(tuple(words[position : position + length]))
                second = taxonomy.topics[uri].second if uri else None
                if second:
                    term = " ".join(words[position : position + length])
                    if term not in found.setdefault(second, []):
                        found[second].append(term)
                    break
    return found


def _labels_for(evidence: _Evidence, uri: str) -> list[tuple[str, float]]:
    said = sorted(evidence.labels.get(uri, {}).items())
    return [(f"{source}: {label}", _WORTH[source]) for source, labels in said for label in labels]


def _confidence(odds: float) -> float:
    return round(1.0 / (1.0 + math.exp(-max(min(odds, 30.0), -30.0))), 4)


class TopicTagger:
    """`tag_topics` with a configuration; its tagger is made on the worker, when the first article comes."""

    def __init__(self, config: TopicsConfig) -> None:
        self._config = config
        self._tagger: Tagger | None = None

    def __getstate__(self) -> TopicsConfig:
        return self._config

    def __setstate__(self, config: TopicsConfig) -> None:
        self._config = config
        self._tagger = None

    def __call__(self, article: Article) -> Article:
        self._tagger = self._tagger or Tagger(self._config)
        return tag_topics(article, self._tagger)
