"""What the pages "Add a …" of docs/ ask for is there for all that has been added so far."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from langdetect import detector_factory

from newsbeam.transforms.boilerplate.patterns import MAX_START_LINE, patterns
from newsbeam.transforms.language.second_detector import known_languages
from newsbeam.transforms.sinks.table import SINKS, SinkKind
from newsbeam.transforms.stories.terms import table_of
from newsbeam.transforms.topics.table import languages as languages_with_topics
from tests.support.places import ROOT

PHRASES = ROOT / "transforms/boilerplate/patterns.tsv"
PLACES = ("line", "start", "heading", "label")

# Languages that have a topic table, but no row in the other tables. A gap that is filled has to be deleted here.
NUMBERED_MONTHS = {"ja", "ko", "vi", "zh"}
NO_MONTHS = NUMBERED_MONTHS | {"bn", "fa", "he", "is", "lt", "lv", "mk", "ms", "sl", "ta", "tl", "ur"}
NO_PHRASES: set[str] = set()
NO_SITE_WORDS = set(
    "ar bg bn ca cs da fa fi he hi hr hu id is ja ko lt lv mk ms no ro sk sl ta tl uk ur vi".split()  # noqa: SIM905
)


def rows(file: Path) -> list[list[str]]:
    """The columns of a table of tab-separated values."""
    return [line.split("\t") for line in file.read_text("utf-8").splitlines() if line and not line.startswith("#")]


# Sinks


@pytest.mark.parametrize("kind", [kind for kind in SINKS.values() if not kind.cloud], ids=lambda kind: kind.scheme)
def test_every_sink_has_tests_that_write_to_it(kind: SinkKind) -> None:
    """An address of it stands in a test of sinks, of the pipeline or of the command line."""
    files = (file for room in ("sinks", "pipeline") for file in (ROOT / "tests" / room).glob("test_*.py"))
    files_of_servers = [ROOT / "tests/support/sinks_servers.py"]
    assert any(f"{kind.scheme}:" in file.read_text("utf-8") for file in [*files, *files_of_servers])


# Feed formats


def formats_of_feeds() -> set[str]:
    """The names of formats that the readers of `transforms/feeds` give to what they have read."""
    names = set()
    for file in (ROOT / "transforms/feeds").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Draft", "ParsedFeed"):
                given = [keyword.value for keyword in node.keywords if keyword.arg == "format"] + node.args[:1]
                names |= {value.value for value in given if isinstance(value, ast.Constant)}
    return names


def test_every_feed_format_has_a_document_and_what_a_person_reads_in_it() -> None:
    from newsbeam.transforms.feeds.document import FeedDocument
    from newsbeam.transforms.feeds.parse import parse_feed

    folder = ROOT / "tests/data/feeds"
    documents = [file for file in folder.iterdir() if not file.name.endswith(".expected.json")]
    assert [file.name for file in documents if not (folder / f"{file.name}.expected.json").exists()] == []
    read = {
        parse_feed(FeedDocument("https://a.example/", file.read_bytes(), accept_page=True)).format for file in documents
    }
    assert len(formats_of_feeds()) >= 4
    assert formats_of_feeds() - read == set()


# Boilerplate phrases


def test_phrases_stand_in_rows_of_known_rules_and_places() -> None:
    patterns()  # refuses what is no row
    rules = {rule for rule, *_ in rows(PHRASES)}
    for rule, place, language, _ in rows(PHRASES):
        assert place in PLACES
        assert language.isalpha()
        assert 2 <= len(language) <= 3
        assert rule in rules
    english = {rule for rule, _, language, _ in rows(PHRASES) if language == "en"}
    assert rules == english, "a rule that English does not have is probably a typing error"


def test_phrases_are_in_lower_case_trimmed_and_short_enough_to_match() -> None:
    for rule, _, language, phrases in rows(PHRASES):
        for phrase in phrases.split("|"):
            where = f"{rule}, {language}: {phrase!r}"
            assert phrase == phrase.lower().replace("’", "'"), f"{where}: lower case and straight apostrophes"
            assert phrase == phrase.strip(), f"{where} has outer spaces"
            assert 0 < len(phrase) < MAX_START_LINE


def test_no_phrase_stands_twice_in_a_rule() -> None:
    counted = Counter((*row[:3], phrase) for row in rows(PHRASES) for phrase in row[3].split("|"))
    assert [phrase for phrase, times in counted.items() if times > 1] == []


# Languages


def missing(known: set[str]) -> set[str]:
    return set(languages_with_topics()) - known


def test_every_language_with_a_topic_table_can_be_detected() -> None:
    langdetect = {file.name.partition("-")[0] for file in Path(detector_factory.PROFILES_DIRECTORY).iterdir()}
    assert missing(langdetect | known_languages()) == set()


def test_every_language_with_a_topic_table_has_names_of_months() -> None:
    assert missing({code for code, *_ in rows(ROOT / "transforms/text/months.tsv")}) == NO_MONTHS


def test_every_language_with_a_topic_table_has_phrases() -> None:
    assert missing({language for rule, _, language, _ in rows(PHRASES) if rule == "read_more"}) == NO_PHRASES


def test_every_language_with_a_topic_table_has_site_words() -> None:
    known = {language for _, language, _ in rows(ROOT / "transforms/text/site_words.tsv")}
    assert missing(known) == NO_SITE_WORDS


def test_every_language_with_a_topic_table_has_word_frequencies() -> None:
    assert [language for language in sorted(languages_with_topics()) if table_of(language) is None] == []
