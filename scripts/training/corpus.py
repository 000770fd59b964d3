"""Reads the labelled texts for the topic tables and adds labels that their sources lack."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsbeam.transforms.topics.table import TOP_LEVEL

CODES = {uri: column for column, uri in enumerate(TOP_LEVEL)}

# Sources label a text with the one section it stood under, and none has a section for labour or weather. What a text
# is about beside its section follows IPTC's own definitions: obituaries, prizes and anniversaries are human interest,
# migration and discrimination are society. Each pattern adds a label, none takes one away.
_WEAK = {
    "05": r"school(?:s|children)?|universit(?:y|ies)|teachers?|students?|tuition|curriculum|classrooms?",
    "06": r"climate change|global warming|carbon|greenhouse gas\w*|emissions|endangered|wildlife|pollut\w+|deforest\w+|"
    r"conservation|biodivers\w+|glaciers?|coral reefs?|oil spill|ecosystems?|renewable|extinct\w*",
    "07": r"health|covid|coronavirus|vaccin\w+|disease|outbreak|epidemic|pandemic|hospitals?|ebola|cholera|influenza|"
    r"measles|medicines?|cancer|quarantine|malaria|zika|surgery|doctors?|obesity|mental illness",
    "08": r"(?:dies|died) (?:at|aged)|dies of|dead at|obituar\w+|funeral|aged \d+|nobel prize|wins? .{0,30}prize|"
    r"awarded the|anniversary|guinness|world record|royal wedding|celebrit\w+|birthday|knighted|person of the year|"
    r"oldest (?:person|man|woman|living)",
    "09": r"on strike|strikes? (?:by|over|action|of|against)|general strike|trade unions?|labou?r unions?|walkouts?|"
    r"lay ?offs?|laid off|lays? off|job cuts|cuts? .{0,12}jobs|minimum wage|unemploy\w*|jobless|wages|pay dispute|"
    r"gig workers|working hours|workers'? rights|sacked|redundanc\w+|pensions?|retirement age|employees|workforce",
    "12": r"pope|vatican|bishops?|archbishop|cardinals?|church(?:es)?|mosques?|imam|synagogue|catholic|anglican|"
    r"muslims?|christians?|hindus?|buddhis\w+|religio\w+|clergy|priests?|dalai lama|blasphemy",
    "14": r"migrants?|immigra\w+|refugees?|asylum[- ]seekers?|same[- ]sex|gay|lesbian|lgbt\w*|transgender|racis\w+|"
    r"racial|discriminat\w+|women's rights|abortion|poverty|homeless\w*|indigenous|gender equality|domestic violence",
    "17": r"hurricanes?|typhoons?|cyclones?|tropical storms?|tornado(?:es)?|blizzards?|snowstorms?|snowfall|"
    r"heat ?waves?|heavy rain\w*|monsoon|thunderstorms?|hailstorm|windstorms?|storm surge|cold snap|drought|"
    r"temperatures|weather|meteorolog\w+|winter storm",
}
_WEAK_PATTERNS = [(f"medtop:{code}000000", re.compile(rf"\b(?:{words})\b", re.I)) for code, words in _WEAK.items()]

# A sentence counts as three of the other sources' texts: there are a hundred times fewer in a language.
_SENTENCE_WEIGHT = 3.0

# Sections whose texts are about their label only now and then.
_LOOSE_SECTIONS = {"COMEDY": 0.3, "IMPACT": 0.3, "PARENTS": 0.5, "WOMEN": 0.5, "DIVORCE": 0.5, "WEDDINGS": 0.5}


@dataclass(frozen=True)
class Example:
    """A labelled text: `labels` are top-level uris, `weight` is how much it counts.

    Texts that say the same in several languages have the same `group`.
    """

    text: str
    labels: frozenset[str]
    source: str
    weight: float
    group: int = 0


def read_examples(folder: Path) -> list[Example]:
    """Yields all labelled texts of the folder, training and validation parts."""
    examples = []
    for source, field in (("wce", "text"), ("huffpost", "title")):
        for part in ("train", "valid"):
            for row in _rows(folder / f"topics_{part}_{source}.jsonl"):
                weight = _LOOSE_SECTIONS.get(row["native"], 1.0)
                examples.append(_example(row[field], row["labels"], source, weight, hide=len(examples) % 3 > 0))
    for topic in read_taxonomy(folder):
        text = f"{topic['Name (en-GB)']} {topic['Definition (en-GB)']}"
        examples.append(Example(text, frozenset((topic["top"],)), "iptc", 3.0))
    return examples


def read_sentences(folder: Path) -> dict[str, list[Example]]:
    """Labelled sentences by language (primary subtag): the same sentences in each."""
    by_language: dict[str, list[Example]] = {}
    for row in _rows(folder / "topics_sib200_12langs.jsonl"):
        example = Example(
            row["text"], frozenset(row["labels"]), "sib", _SENTENCE_WEIGHT, int(row["id"].rpartition("-")[2])
        )
        by_language.setdefault(row["lang"], []).append(example)
    return by_language


def read_unlabelled(folder: Path) -> list[str]:
    """Yields texts without labels, for the vocabulary."""
    return [row["text"] for row in _rows(folder / "unlabelled_wce.jsonl")]


def read_taxonomy(folder: Path) -> list[dict[str, Any]]:
    """The Media Topics as IPTC publishes them, in the order of the tree."""
    (path,) = folder.glob("iptc_mediatopics_*.json")
    topics: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return topics


def read_gold(path: Path) -> list[dict[str, Any]]:
    """Articles with `primary` and `labels`, for thresholds and figures."""
    return list(_rows(path))


def _example(text: str, labels: list[str], source: str, weight: float, hide: bool) -> Example:
    """Makes an example. With `hide`, the words that gave a label are removed, so that the words around them are
    learnt as well."""
    weak = [(uri, pattern) for uri, pattern in _WEAK_PATTERNS if pattern.search(text)]
    added = {uri for uri, _ in weak} - set(labels)
    for uri, pattern in weak if hide else []:
        if uri in added:
            text = pattern.sub(" ", text)
    return Example(text, frozenset(labels) | added, source, weight)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())
