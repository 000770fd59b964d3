"""Plays `feeds/`: the test feeds of four readers and validators."""

from pathlib import Path

from scripts.conformance.corpus import check_folder
from scripts.conformance.result import GroupResult


def run(folder: Path) -> GroupResult:
    """Checks that every file ends in entries or a dead letter."""
    return check_folder("feeds", folder, "manifest.jsonl", "path")
