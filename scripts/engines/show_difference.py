"""Shows where two replays differ: records that only one has, and fields that are not the same.

Usage: show_difference.py FOLDER FOLDER   (each with stories.jsonl and stories.dead.jsonl)
"""

import json
import sys
from pathlib import Path

SHOWN = 10


def records(file: Path) -> dict[str, dict[str, object]]:
    """Reads articles or dead letters by their identity."""
    if not file.exists():
        return {}
    by_key = {}
    for line in file.read_text(encoding="utf-8").split("\n")[:-1]:
        record = json.loads(line)
        keys = ("id", "revision") if "id" in record else ("unit", "stage", "reason", "url")
        by_key[" ".join(str(record[key]) for key in keys)] = record
    return by_key


def differences(first: Path, second: Path) -> list[str]:
    """Yields a line for each record that differs between the two files."""
    in_first, in_second = records(first), records(second)
    lines = [f"only in {first}: {key}" for key in sorted(in_first.keys() - in_second.keys())]
    lines += [f"only in {second}: {key}" for key in sorted(in_second.keys() - in_first.keys())]
    for key in sorted(in_first.keys() & in_second.keys()):
        fields = [name for name in in_first[key] if in_first[key][name] != in_second[key].get(name)]
        lines += [f"{key} {name}: {in_first[key][name]!r:.150} | {in_second[key].get(name)!r:.150}" for name in fields]
    return lines


def main(arguments: list[str]) -> int:
    """Prints the first differences; 1 if there are any."""
    lines = []
    for name in ("stories.jsonl", "stories.dead.jsonl"):
        lines += differences(Path(arguments[0]) / name, Path(arguments[1]) / name)
    for line in lines[:SHOWN]:
        print(f"  {line}")
    if len(lines) > SHOWN:
        print(f"  and {len(lines) - SHOWN} more")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
