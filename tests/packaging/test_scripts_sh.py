"""The shell scripts of scripts/: what they run, and where."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.places import ROOT


def fake_clone(folder: Path) -> Path:
    """A clone whose environment is complete and whose `newsbeam` prints its folder and its arguments."""
    clone = folder / "a clone"
    (clone / "scripts").mkdir(parents=True)
    for name in ("run.sh", "environment.sh"):
        shutil.copy(ROOT / "scripts" / name, clone / "scripts" / name)
    (clone / ".venv/bin").mkdir(parents=True)
    for name, text in (("newsbeam", 'pwd; printf "%s\\n" "$@"'), ("python", f"echo '{clone}/.venv'")):
        (clone / ".venv/bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (clone / ".venv/bin" / name).chmod(0o755)
    for name in ("setup.py", "constraints.txt"):
        (clone / name).write_text("")
    fingerprint = ["sh", "-c", 'echo " $(cat setup.py constraints.txt | cksum)"']
    wanted = subprocess.run(fingerprint, cwd=clone, capture_output=True)
    (clone / ".venv/newsbeam-base").write_bytes(wanted.stdout)
    return clone


def run(clone: Path, folder: Path, *arguments: str) -> list[str]:
    command = [str(clone / "scripts/run.sh"), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_run_sh_keeps_the_folder_of_the_caller(tmp_path: Path) -> None:
    clone, folder = fake_clone(tmp_path), tmp_path / "my folder"
    folder.mkdir()
    assert run(clone, folder, "replay", "my pages/", "--to", "stdout:") == [
        str(folder), "replay", "my pages/", "--to", "stdout:",
    ]  # fmt: skip


def test_run_sh_alone_replays_the_bundled_pages_from_anywhere(tmp_path: Path) -> None:
    folder, *arguments = run(fake_clone(tmp_path), tmp_path)
    assert folder == str(tmp_path)
    assert arguments[:2] == ["replay", str(tmp_path / "a clone/tests/data/seeds/*.txt")]
    assert list((ROOT / "tests/data/seeds").glob("*.txt"))
