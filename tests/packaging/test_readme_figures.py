"""Figures of the README that follow from files of the project are those of the files."""

import re

import yaml

from newsbeam.transforms.topics.table import languages
from tests.support.places import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def stated(pattern: str) -> set[int]:
    """All numbers that the README gives where `pattern`, with one group, matches."""
    numbers = {int(number) for number in re.findall(pattern, README)}
    assert numbers, f"the README says nothing like {pattern!r}"
    return numbers


def test_feeds_and_their_languages_are_counted_right() -> None:
    sources = yaml.safe_load((ROOT / "configs/live.yaml").read_text("utf-8"))["sources"]
    assert stated(r"(\d+)(?: well-known)? feeds in \d+ languages") == {len(sources)}
    assert stated(r"feeds in (\d+) languages") == {len({source["language"] for source in sources})}


def test_languages_of_topic_tables_are_counted_right() -> None:
    assert stated(r"word tables? (?:of|for) (\d+) languages") == {len(languages())}


def test_languages_of_phrases_are_counted_right() -> None:
    rows = (ROOT / "transforms/boilerplate/patterns.tsv").read_text("utf-8").splitlines()
    codes = {row.split("\t")[2] for row in rows if row and not row.startswith("#")}
    assert stated(r"phrases in (\d+) languages") == {len(codes)}
