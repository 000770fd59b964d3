"""Shows where two replays differ: records that only one has, and fields that are not the same.

Usage: show_difference.py FOLDER FOLDER   (each with stories.jsonl and stories.dead.jsonl)
"""

import json
import sys
from pathlib import Path

SHOWN = 10


def records(file: Path) -> dict[str, dict[str, object]]:
    """Identity -> record, of articles or dead letters."""
    if not file.exists():
        return {}
    found = {}
    for line in file.read_text(encoding="utf-8").split("\n")[:-1]:
        record = json.loads(line)
        keys = ("id", "revision") if "id" in record else ("unit", "stage", "reason", "url")
        found[" ".join(str(record[key]) for key in keys)] = record
    return found


def differences(one: Path, other: Path) -> list[str]:
    """A line for each record that is not the same in both files."""
    here, there = records(one), records(other)
    lines = [f"only in {one}: {key}" for key in sorted(here.keys() - there.keys())]
    lines += [f"only in {other}: {key}" for key in sorted(there.keys() - here.keys())]
    for key in sorted(here.keys() & there.keys()):
        fields = [name for name in here[key] if here[key][name] != there[key].get(name)]
        lines += [f"{key} {name}: {here[key][name]!r:.150} | {there[key].get(name)!r:.150}" for name in fields]
    return lines


def main(arguments: list[str]) -> int:
    """Prints the first differences; 1 if there are any."""
    found = []
    for name in ("stories.jsonl", "stories.dead.jsonl"):
        found += differences(Path(arguments[0]) / name, Path(arguments[1]) / name)
    for line in found[:SHOWN]:
        print(f"  {line}")
    if len(found) > SHOWN:
        print(f"  and {len(found) - SHOWN} more")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
