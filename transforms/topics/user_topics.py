"""Users' own topics: phrases with weights, and terms that must or must not occur, found in one pass over the words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from newsbeam.transforms.model.errors import UsageError
from newsbeam.transforms.text.words import words_and_pairs

Phrase = tuple[str, ...]

_KEYS = ("name", "phrases", "required", "excluded", "threshold", "languages")


@dataclass(frozen=True)
class UserTopic:
    """A topic of the user's.

    Attributes:
        uri: `user:` and the name the user gave it in YAML.
        name: as records show it.
        phrases: what speaks for it, in words, and how much each occurrence does; in the title twice as much.
        required: phrases that must all occur.
        excluded: phrases none of which may.
        threshold: the sum of weights from which a story has the topic.
        languages: only stories in these (primary subtags); empty for all.
    """

    uri: str
    name: str
    phrases: Mapping[Phrase, float]
    required: tuple[Phrase, ...] = ()
    excluded: tuple[Phrase, ...] = ()
    threshold: float = 1.0
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """A user's topic that a story has; `confidence` is .5 at the threshold and nears 1 above it."""

    topic: UserTopic
    confidence: float
    phrases: tuple[tuple[str, float], ...]
    """What spoke for it and how much in all, the most telling first."""


class UserTopicsError(UsageError):
    """The user's topics cannot be read; the message lists every mistake with its place."""


def read_user_topics(path: Path) -> tuple[UserTopic, ...]:
    """Reads a YAML file of topics; see `parse_user_topics`."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserTopicsError(f"{path}: cannot be read: {error}") from error
    return parse_user_topics(document, str(path))


def parse_user_topics(document: object, index: str = "topics") -> tuple[UserTopic, ...]:
    """Topics from what YAML gives: a mapping of short names to `name`, `phrases`, `required`, `excluded`, `threshold`.

    Args:
        document: `{climate: {name: Climate, phrases: {heat pump: 1.5, emissions: 1}, excluded: [vehicle emissions]}}`;
            phrases may also be a list, then each weighs 1.
        place: where it stands, for messages.

    Raises:
        UserTopicsError: with all mistakes at once, each with its place and what would be right.
    """
    mistakes: list[str] = []
    if not isinstance(document, dict):
        raise UserTopicsError(f"{index}: expected a mapping of topics, each with its phrases, found {_kind(document)}")
    topics = [_topic(str(key), value, f"{index}.{key}", mistakes) for key, value in document.items()]
    if mistakes:
        raise UserTopicsError("\n".join(mistakes))
    return tuple(sorted(topics, key=lambda topic: topic.uri))


def _topic(key: str, value: object, index: str, mistakes: list[str]) -> UserTopic:
    if not isinstance(value, dict):
        mistakes.append(f"{index}: expected a mapping with at least `phrases`, found {_kind(value)}")
        value = {"phrases": ["-"]}
    for name in value:
        if name not in _KEYS:
            mistakes.append(f"{index}.{name}: not known; a topic has {', '.join(_KEYS)}")
    threshold = _number(value.get("threshold", 1.0), f"{index}.threshold", mistakes)
    if threshold <= 0:
        mistakes.append(f"{index}.threshold: expected more than 0, found {threshold:g}")
    languages = value.get("languages", ())
    if not isinstance(languages, (list, tuple)) or not all(isinstance(tag, str) for tag in languages):
        mistakes.append(f"{index}.languages: expected a list of tags such as [en, de], found {_kind(languages)}")
        languages = ()
    return UserTopic(
        uri=f"user:{key}",
        name=str(value.get("name", key)),
        phrases=_weighted(value.get("phrases"), f"{index}.phrases", mistakes),
        required=tuple(_weighted(value.get("required", []), f"{index}.required", mistakes)),
        excluded=tuple(_weighted(value.get("excluded", []), f"{index}.excluded", mistakes)),
        threshold=threshold,
        languages=tuple(tag.partition("-")[0].lower() for tag in languages),
    )


def _weighted(value: object, index: str, mistakes: list[str]) -> dict[Phrase, float]:
    if isinstance(value, (list, tuple)):
        value = dict.fromkeys(map(str, value), 1.0)
    if not isinstance(value, dict):
        mistakes.append(f"{index}: expected a list of phrases, or phrases with weights, found {_kind(value)}")
        return {}
    if not value and index.endswith(".phrases"):
        mistakes.append(f"{index}: expected at least one phrase")
    phrases: dict[Phrase, float] = {}
    for text, weight in value.items():
        words = tuple(words_and_pairs(str(text)))
        if not words and str(text) != "-":
            mistakes.append(f"{index}: {text!r} has no letters to look for")
        phrases[words] = _number(weight, f"{index}.{text}", mistakes)
    return phrases


def _number(value: object, index: str, mistakes: list[str]) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    mistakes.append(f"{index}: expected a number, found {_kind(value)}")
    return 1.0


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", int: "a number", float: "a number", bool: "true or false"}
    return "nothing" if value is None else f"{names.get(type(value), 'something else')} ({value!r:.40})"


@dataclass(frozen=True)
class UserTopics:
    """The user's topics, indexed by the first words of their phrases, so that a story costs one look-up a word."""

    topics: tuple[UserTopic, ...] = ()
    _firsts: dict[str, tuple[Phrase, ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        phrases = {p for topic in self.topics for p in (*topic.phrases, *topic.required, *topic.excluded) if p}
        firsts: dict[str, list[Phrase]] = {}
        for phrase in sorted(phrases):
            firsts.setdefault(phrase[0], []).append(phrase)
        self._firsts.update((first, tuple(rest)) for first, rest in firsts.items())

    def match(self, title: Sequence[str], text: Sequence[str], language: str) -> tuple[Match, ...]:
        """The topics that a story of these words has, in the order of their uris."""
        if not self.topics:
            return ()
        counts = self._count(title, 2)
        for phrase, times in self._count(text, 1).items():
            counts[phrase] = counts.get(phrase, 0) + times
        return tuple(match for topic in self.topics if (match := _match(topic, counts, language)))

    def _count(self, words: Sequence[str], times: int) -> dict[Phrase, int]:
        counts: dict[Phrase, int] = {}
        met = self._firsts.keys() & set(words)
        for index, word in enumerate(words) if met else ():
            for phrase in self._firsts[word] if word in met else ():
                if tuple(words[index : index + len(phrase)]) == phrase:
                    counts[phrase] = counts.get(phrase, 0) + times
        return counts


def _match(topic: UserTopic, counts: Mapping[Phrase, int], language: str) -> Match | None:
    if topic.languages and language.partition("-")[0] not in topic.languages:
        return None
    if any(phrase in counts for phrase in topic.excluded) or not all(phrase in counts for phrase in topic.required):
        return None
    found = [
        (" ".join(phrase), weight * counts[phrase]) for phrase, weight in topic.phrases.items() if phrase in counts
    ]
    total = sum(weight for _, weight in sorted(found))
    if total < topic.threshold:
        return None
    confidence = round(total / (total + topic.threshold), 4)
    return Match(topic, confidence, tuple(sorted(found, key=lambda item: (-item[1], item[0]))))
