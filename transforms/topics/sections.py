"""What publishers call the sections, categories and keywords of their pages, mapped to Media Topics."""

import re
from functools import lru_cache
from importlib import resources

from newsbeam.transforms.topics.taxonomy import phrases_of

_PARTS = re.compile(r"\s*(?:[/>|,;:»›·•&+]|\s[-–—]\s|\s(?:and|und|et|y|e|og|och|en|i|a|и|та)\s)\s*")
_MAX_LENGTH = 200


def topics_of_label(label: str, language: str) -> tuple[str, ...]:
    """The topics a section, category or keyword names: of the whole label, else of its parts; in order, none twice.

    Args:
        label: as the publisher writes it (`Sport > Fußball`, `news/politics`), a URI of the taxonomy, or its code.
        language: primary subtag; the taxonomy's names in it and in English are understood.
    """
    label = label[:_MAX_LENGTH].strip().casefold()
    code = re.search(r"(?:medtop:|mediatopic/)(\d{8})$", label)
    if code:
        return (f"medtop:{code[1]}",)
    whole = _lookup(label, language)
    if whole:
        return whole
    found = [uri for part in _PARTS.split(label) for uri in _lookup(part, language)]
    return tuple(dict.fromkeys(found))


def _lookup(label: str, language: str) -> tuple[str, ...]:
    label = label.strip(" .#\"'-_").replace("_", " ")
    known = _labels().get(label)
    if known is not None:
        return known
    uri = phrases_of(language).get(tuple(label.split()))
    return (uri,) if uri else ()


@lru_cache(maxsize=1)
def _labels() -> dict[str, tuple[str, ...]]:
    """`sections.tsv`: codes, a tab, labels separated by commas; labels that say nothing have no codes."""
    text = resources.files("newsbeam.transforms.topics").joinpath("data", "sections.tsv").read_text("utf-8")
    table: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            codes, _, labels = line.partition("\t")
            uris = tuple(f"medtop:{code}" for code in codes.split())
            table.update((label.strip().casefold(), uris) for label in labels.split(","))
    return table
