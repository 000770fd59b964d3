"""`newsbeam export`: what a sink holds, in another form."""

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from newsbeam.pipeline.cli.records_in import records_in
from newsbeam.transforms.formats.ninjs import to_ninjs
from newsbeam.transforms.model.records import Article
from newsbeam.transforms.model.serialization import to_json


def _ninjs(article: Article) -> str:
    return json.dumps(to_ninjs(article), ensure_ascii=False)


FORMATS: dict[str, Callable[[Article], str]] = {"jsonl": to_json, "ninjs": _ninjs}


def export(sink: str, form: str, out: Path | None) -> int:
    """Writes every record of `sink` to `out` (standard output if None), one document a line; returns how many."""
    write = FORMATS[form]
    count = 0
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") if out is not None else nullcontext(sys.stdout) as stream:
        for article in records_in(sink):
            count += 1
            stream.write(write(article) + "\n")
    return count
