"""Small labelled folders in the forms that the programs of `scripts/` read: enough to run them, no more."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.places import DATA

RSS = (
    "<rss><channel><title>G</title><item><title>Good news</title>"
    "<link>https://news.example.org/1</link></item></channel></rss>"
)
SEEDS = sorted((DATA / "seeds").glob("*.txt"))


def write_rows(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    """JSON lines, gzipped if the name says so."""
    text = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text, mtime=0) if file.suffix == ".gz" else text)


def pages(folder: Path) -> Path:
    """A manifest and a page: what `evaluate.py clean` and `bench.py replay` take."""
    page = (DATA / "pages/harbour.html").read_bytes()
    (folder / "html").mkdir(parents=True)
    (folder / "html/harbour.html.gz").write_bytes(gzip.compress(page, mtime=0))
    row = {"id": "harbour", "bench": "ours", "url": "https://www.harbour.example/", "site": "harbour.example"}
    gold = {"gold": "The harbour of the town was closed.", "tokens": "word", "title": "Harbour closed", "authors": []}
    write_rows(folder / "manifest.jsonl", [row | gold | {"html": "html/harbour.html.gz", "date": "2024-03-12"}])
    return folder


def texts(folder: Path) -> Path:
    """Articles with their topics and languages: what `evaluate.py topics` and `language` and `bench.py topics` take."""
    rows = [
        {"id": str(number), "title": (text := seed.read_text("utf-8")).partition("\n")[0], "text": text}
        for number, seed in enumerate(SEEDS)
    ]
    write_rows(folder / "topics.jsonl", [row | {"labels": ["medtop:16000000"]} for row in rows])
    write_rows(folder / "languages.jsonl", [row | {"lang": "en"} for row in rows])
    return folder


def documents(folder: Path) -> Path:
    """Articles, one of them twice, and labelled pairs: what `evaluate.py duplicates` and `stories` take."""
    whole = [seed.read_text("utf-8") for seed in SEEDS]
    rows = [
        {
            "id": f"{host}-{number}", "set": "seeds", "title": text.partition("\n")[0], "text": text, "url": "",
            "host": f"{host}.example", "timestamp": f"2024-03-25T{9 + hour}:08:00Z", "cluster": f"c{number}",
            "story": "s", "ops": [], "relation": "story",
        }
        for number, text in enumerate(whole)
        for hour, host in enumerate(("first", "second"))
    ]  # fmt: skip
    write_rows(folder / "seeds.jsonl.gz", rows)
    write_rows(folder / "pairs.jsonl.gz", [{"a": "first-0", "b": "second-0", "label": "same", "set": "reuters"}])
    return folder


def feed_cases(folder: Path) -> Path:
    """A case: what `conformance.py` takes."""
    (folder / "edge").mkdir(parents=True)
    (folder / "edge/good.xml").write_text(RSS)
    write_rows(folder / "edge/expect.jsonl", [{"file": "edge/good.xml", "entries": 1, "title": "Good news"}])
    return folder
