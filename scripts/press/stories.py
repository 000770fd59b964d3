"""Invents stories from the phrases of `tests/data/newsroom/`: the same seed and number give the same story."""

import functools
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MATERIAL = Path(__file__).resolve().parent.parent.parent / "tests" / "data" / "newsroom"
LANGUAGES = ("en", "de", "fr", "es")

_SYLLABLES = ("bel", "dor", "mar", "ken", "wick", "tol", "fen", "ras", "lin", "gau", "ost", "vel", "pra", "nim", "sor")
_ENDINGS = ("ham", "stad", "mouth", "berg", "ville", "holm", "ford", "ona", "eira", "ingen", "bach", "port")
_GIVEN = ("Ada", "Bruno", "Clara", "Deniz", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Katya", "Luis", "Mina")


@dataclass(frozen=True)
class Story:
    """A story as written, before it is printed.

    Attributes:
        paragraphs: plain text.
        correction: the sentence that an edit adds.
    """

    number: int
    language: str
    headline: str
    section: str
    author: str
    caption: str
    paragraphs: tuple[str, ...]
    correction: str


@functools.cache
def material(language: str) -> dict[str, Any]:
    """Reads the phrases of one language."""
    read: dict[str, Any] = json.loads((MATERIAL / f"{language}.json").read_text(encoding="utf-8"))
    return read


def _name(chance: random.Random, endings: tuple[str, ...] = ()) -> str:
    parts = "".join(chance.choice(_SYLLABLES) for _ in range(chance.randint(2, 3)))
    return (parts + (chance.choice(endings) if endings else "")).capitalize()


@functools.lru_cache(maxsize=4096)
def write_story(seed: int, number: int, language: str) -> Story:
    """Writes story `number` of the press with this seed."""
    chance = random.Random(f"{seed}:{number}:{language}")
    phrases = material(language)
    places = [_name(chance, _ENDINGS) for _ in range(3)]
    people = [f"{chance.choice(_GIVEN)} {_name(chance)}" for _ in range(4)]

    def filled(text: str) -> str:
        for slot, values in (("{place}", places), ("{person}", people), ("{body}", phrases["bodies"])):
            while slot in text:
                text = text.replace(slot, chance.choice(values), 1)
        while "{number}" in text:
            text = text.replace("{number}", str(chance.randint(3, 970)), 1)
        return text[0].upper() + text[1:]

    count = chance.randint(9, 14)
    subjects = chance.sample(phrases["subjects"], count)
    actions = chance.sample(phrases["actions"], count)
    circumstances = chance.sample(phrases["circumstances"], count)
    sentences = [
        filled(f"{subject} {action} {circumstance}.")
        for subject, action, circumstance in zip(subjects, actions, circumstances, strict=True)
    ]
    for quote in chance.sample(phrases["quotes"], 3):
        sentences.insert(chance.randint(1, len(sentences)), filled(quote))
    paragraphs = []
    while sentences:
        size = chance.randint(2, 3)
        paragraphs.append(" ".join(sentences[:size]))
        sentences = sentences[size:]
    return Story(
        number=number,
        language=language,
        headline=filled(chance.choice(phrases["headlines"])),
        section=chance.choice(phrases["sections"]),
        author=f"{chance.choice(_GIVEN)} {_name(chance)}",
        caption=filled("{place}, {person}."),
        paragraphs=tuple(paragraphs),
        correction=filled(phrases["correction"]),
    )
