"""Plays folders of feeds in which every file must end in entries or a dead letter."""

import json
from pathlib import Path

from newsbeam.transforms.model.records import DeadLetter
from scripts.conformance.reading import count, document, feed_sandbox, read_all, summary
from scripts.conformance.result import GroupResult


def check_folder(name: str, folder: Path, manifest: str, key: str) -> GroupResult:
    """Reads every file below `folder/name`.

    A file fails if it ends in an exception, or in no entry at all although the manifest's reference reader found some.

    Args:
        name: of the group and of its folder.
        folder: the suite's.
        manifest: its file of reference results, one JSON object a line; there may be none.
        key: which field of a row names the file.
    """
    files = sorted(
        str(path.relative_to(folder))
        for path in (folder / name).rglob("*")
        if path.is_file() and path.name != "manifest.jsonl"
    )
    expected = _reference(folder / manifest, key)
    failures = []
    with feed_sandbox() as sandbox:
        for file, read in zip(files, read_all(sandbox, [document(folder, file) for file in files]), strict=True):
            if isinstance(read, DeadLetter) and read.reason == "exception":
                failures.append(f"{file}: {read.message}")
            elif expected.get(file, 0) > 0 and count(read) == 0:
                failures.append(f"{file}: the reference has {expected[file]} entries, here {summary(read)}")
    return GroupResult(name, len(files) - len(failures), len(files), tuple(failures))


def _reference(manifest: Path, key: str) -> dict[str, int]:
    """Number of entries that the reference reader found, by file."""
    if not manifest.exists():
        return {}
    entries = {}
    for line in manifest.read_text().splitlines():
        row = json.loads(line)
        entries[row[key]] = row.get("ref_entries") or (row.get("ref") or {}).get("entries") or 0
    return entries
