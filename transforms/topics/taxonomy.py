"""The IPTC Media Topics taxonomy: names, levels and parents (IPTC NewsCodes, release of 2023-10-24, CC BY 4.0)."""

import gzip
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from newsbeam.transforms.text.words import words_and_pairs

_FALLBACK = "en"
_NAMED_AS = {"no": "nb", "pt": "pt-PT"}


@dataclass(frozen=True)
class MediaTopic:
    """One topic: `uri` is `medtop:NN000000`, `top` and `second` are its ancestors, itself at those levels."""

    uri: str
    level: int
    top: str
    second: str | None
    names: dict[str, str]


@dataclass(frozen=True)
class Taxonomy:
    """All active topics, found by uri or by what they are called."""

    topics: dict[str, MediaTopic]
    languages: frozenset[str]

    def name(self, uri: str, language: str) -> str:
        """The name of a topic in `language` (BCP 47), in its primary language, else in English."""
        names = self.topics[uri].names
        primary = language.partition("-")[0]
        for tag in (language, primary, _NAMED_AS.get(primary, _FALLBACK), _FALLBACK):
            if tag in names:
                return names[tag]
        return uri


@lru_cache(maxsize=1)
def load_taxonomy() -> Taxonomy:
    """The taxonomy that comes with newsbeam."""
    file = resources.files("newsbeam.transforms.topics").joinpath("data", "mediatopics.json.gz")
    rows = json.loads(gzip.decompress(file.read_bytes()))
    topics = {row["uri"]: MediaTopic(**row) for row in rows}
    return Taxonomy(topics, frozenset(language for topic in topics.values() for language in topic.names))


@lru_cache(maxsize=64)
def phrases_of(language: str) -> dict[tuple[str, ...], str]:
    """What topics below the top level are called in `language` and in English: words of the name -> uri.

    A name that several topics bear is left to the one highest in the tree.
    """
    found: dict[tuple[str, ...], tuple[int, str]] = {}
    for topic in load_taxonomy().topics.values():
        for tag in (_NAMED_AS.get(language, language), _FALLBACK):
            words = tuple(words_and_pairs(topic.names.get(tag, "")))
            if words and (words not in found or (topic.level, topic.uri) < found[words]):
                found[words] = (topic.level, topic.uri)
    return {words: uri for words, (_, uri) in found.items()}


@lru_cache(maxsize=64)
def heads_of(language: str) -> frozenset[str]:
    """The words that names of topics begin with."""
    return frozenset(words[0] for words in phrases_of(language))
