"""Reads folders of evaluation documents: one JSON a line, with `id`, `set`, `title`, `text`, `host`, `url`, `timestamp`."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transforms.records import Article, Origin


def documents(folder: Path, sets: set[str] | None = None) -> list[dict[str, Any]]:
    """The documents of all `*.jsonl` and `*.jsonl.gz` in `folder` but the lists of pairs and of URLs."""
    found = []
    for path in sorted(folder.glob("*.jsonl*")):
        if not path.name.startswith(("pairs", "url")):
            found.extend(row for row in rows(path) if sets is None or row["set"] in sets)
    return found


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of one file."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")
    with opened as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def as_article(row: dict[str, Any]) -> Article:
    """A document as it would come from a fetched page; its id is the input unit."""
    return Article(
        id="",
        url=row.get("url") or "",
        title=row.get("title") or "",
        text=row["text"],
        domain=row.get("host") or "",
        fetched_at=row.get("timestamp"),
        language=row.get("lang") or "und",
        origin=Origin(unit=row["id"]),
    )
