"""Plays `urls/pairs.tsv`: which URLs belong to the same article."""

import json
from pathlib import Path

from newsbeam.transforms.model.identity import canonical_url
from scripts.conformance.result import GroupResult


def run(folder: Path) -> GroupResult:
    """Checks every pair; `same-or-different` passes either way, but never with an error."""
    failures, total = [], 0
    for line in (folder / "urls" / "pairs.tsv").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        total += 1
        first, second, verdict = line.split("\t")
        canonical, canonical_other = canonical_url(json.loads(first)), canonical_url(json.loads(second))
        got = "same" if canonical == canonical_other else "different"
        if got not in verdict.split("-or-"):
            failures.append(f"{first} and {second} are {got}, expected {verdict}: {canonical} {canonical_other}")
    return GroupResult("urls", total - len(failures), total, tuple(failures))
