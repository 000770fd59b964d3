"""Every command that the README and the documentation show runs as written, or is listed with the reason why not."""

import gzip
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import labelled
from tests.support.places import DATA, ROOT

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
OURS = re.compile(r"(scripts/[\w./]+|newsbeam|\.ci/run|\.venv/bin/\w+|docker|cat|python3|pg_dump|cp|rm|printf)\b")


def commands() -> dict[str, str]:
    """Each command that a page shows, in a block or inline, without its comment -> the page."""
    shown: dict[str, str] = {}
    for page in PAGES:
        text = page.read_text("utf-8")
        blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        inline = re.findall(r"`((?:scripts/\w+\.py|newsbeam) [^`]+|scripts/\w+\.sh(?: [^`]+)?|\.ci/run)`", prose)
        for line in [*lines, *inline]:
            command = re.sub(r"\s+# .*", "", line).strip()
            if command and not command.startswith("#"):
                shown.setdefault(" ".join(command.split()), page.relative_to(ROOT).as_posix())
    return shown


NOT_RUN = {
    r"newsbeam (ARGUMENTS|live|prune|X\.Y\.Z)|scripts/run\.sh ARGUMENTS": "no whole command, only a name",
    r"scripts/test\.sh.*|\.ci/run": "what runs these tests",
    r"scripts/run\.sh": "tests/packaging/test_scripts_sh.py",
    r"scripts/run\.sh live-demo": "takes a minute; its parts are those of tests/pipeline/test_live_command.py",
    r"scripts/same_answer\.sh.*": "builds Prism with Go; its replays are tests/engines",
    r"scripts/lock\.sh.*": "asks the package index for all versions",
    r"scripts/pin_images\.sh": "tests/deploy/test_live_container.py, with a stand-in for Docker",
    r"(newsbeam|scripts/run\.sh) live --.*": "polls the internet, or needs a database; the options are checked below",
    r"docker .*|.*openssl rand.*|cp deploy/live/live\.yaml .*": "needs Docker; deploy/ has its tests in tests/deploy",
    r"pg_dump .*": "PostgreSQL's own program",
    r"python3 deploy/backup\.py .*|rm -f out/.*|cp backups/.*": "tests/deploy/test_backup.py",
    r"scripts/train_topics\.py .*": "hours, and data that is not here; the options are checked below",
    r"scripts/bench\.py (crashes|scale|soak).*": "minutes; the options are checked below",
    r"scripts/bench\.py replay .*--pages (10000|30000).*": "minutes; the shorter one runs",
    r"scripts/evaluate\.py duplicates .*--orders 200": "minutes; it runs without the orders",
}
"""Commands that no test runs as written, as regular expressions, and why."""

QUICKER = {"scripts/bench.py replay": ["--pages", "6"], "scripts/bench.py topics": ["--seconds", "0.2"]}
"""Arguments that make a program's run short."""

FOLDERS: list[tuple[str, Callable[[Path], Path]]] = [
    (r"(evaluate|bench)\.py (topics|language)", labelled.texts),
    (r"(evaluate|bench)\.py (duplicates|stories)", labelled.documents),
    (r"conformance\.py", labelled.feed_cases),
    (r".", labelled.pages),
]
"""What FOLDER stands for."""


def reason_not_to_run(command: str) -> str:
    return next((reason for pattern, reason in NOT_RUN.items() if re.fullmatch(pattern, command)), "")


@dataclass
class Shell:
    """A folder with the files that the pages' examples name, and `newsbeam` on the path."""

    folder: Path

    def run(self, command: str, where: Path) -> "subprocess.CompletedProcess[str]":
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        process = subprocess.Popen(
            ["sh", "-c", command],
            cwd=where,
            env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=240)
        finally:
            if process.poll() is None:  # nothing that it started is left behind
                os.killpg(process.pid, signal.SIGKILL)
        return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """As after the README's own replay."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "bin").mkdir()
    (folder / "bin/newsbeam").write_text(f'#!/bin/sh\nexec {sys.executable} -m newsbeam "$@"\n')
    (folder / "bin/newsbeam").chmod(0o755)
    for name in ("saved-pages", "my-pages", "feeds"):
        (folder / name).mkdir()
    shutil.copy(DATA / "pages/harbour.html", folder / "saved-pages")
    shutil.copy(DATA / "pages/harbour.html", folder / "my-pages")
    shutil.copy(DATA / "feeds/harbour.rss.xml", folder / "feeds")
    body = (DATA / "pages/harbour.html").read_bytes()
    head = "WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: https://www.harbour.example/\r\n"
    head += f"Content-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    (folder / "crawl.warc.gz").write_bytes(gzip.compress(head.encode() + body + b"\r\n\r\n", mtime=0))
    labelled.write_rows(folder / "pages.jsonl", [{"url": "https://www.harbour.example/2", "html": body.decode()}])
    made = Shell(folder)
    done = made.run(f"newsbeam replay {DATA}/seeds/*.txt --to sqlite:out/news.db --to jsonl:out/stories.jsonl", folder)
    assert done.returncode == 0, done.stderr
    return made


def first_id(folder: Path) -> str:
    return str(json.loads((folder / "out/stories.jsonl").read_text("utf-8").splitlines()[0])["id"])


RUN = [command for command in commands() if not reason_not_to_run(command)]


@pytest.mark.parametrize("command", RUN)
def test_a_command_runs_as_written(command: str, shell: Shell, tmp_path: Path) -> None:
    folder = next(make for pattern, make in FOLDERS if re.search(pattern, command))
    asked = re.sub(r"\bFOLDER\b", lambda _: str(folder(tmp_path / "data")), command)
    asked = re.sub(r"\bFILE\b", "out/ledger.db", asked).replace(" ID", f" {first_id(shell.folder)}")
    more = next((" ".join(more) for name, more in QUICKER.items() if command.startswith(name)), "")
    program = shlex.split(asked)[0]
    if program.startswith("scripts/") and program.endswith(".py"):
        asked = f"{sys.executable} {asked} {more}"  # its first line makes the environment that these tests already have
    elif program.startswith("scripts/run.sh"):
        asked = asked.replace("scripts/run.sh", "newsbeam")
    done = shell.run(asked, ROOT if "scripts/" in asked else shell.folder)
    assert done.returncode == 0, f"{command}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [c for c in commands() if "checked below" in reason_not_to_run(c)])
def test_options_of_a_command_that_is_too_long_to_run_exist(command: str, shell: Shell) -> None:
    words = shlex.split(command)
    if words[0].startswith("scripts/train_"):  # what it imports is in the extra `train`
        known = (ROOT / words[0]).read_text("utf-8")
    else:
        ours = words[0] in ("newsbeam", "scripts/run.sh")
        program = ["newsbeam", words[1]] if ours else [sys.executable, *words[:2]]
        done = shell.run(shlex.join([*program, "--help"]), ROOT)
        assert done.returncode == 0, done.stderr
        known = done.stdout
    assert [word for word in words if word.startswith("--") and word not in known] == []


def test_every_reason_is_still_needed() -> None:
    assert [pattern for pattern in NOT_RUN if not any(re.fullmatch(pattern, command) for command in commands())] == []


def test_commands_of_every_kind_are_found() -> None:
    shown = commands()
    assert "scripts/evaluate.py clean --data FOLDER" in shown
    assert "newsbeam status" in shown
    assert len(RUN) >= 12
    assert [command for command in shown if not OURS.match(command)] == []


def programs() -> list[Path]:
    return sorted(file for file in (ROOT / "scripts").glob("*.py") if file.name != "__init__.py")


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_a_program_of_scripts_makes_the_environment_that_it_needs(program: Path) -> None:
    first = program.read_text("utf-8").splitlines()[0]
    extra = "train" if program.name.startswith("train_") else "measure"
    assert first == f"#!/usr/bin/env -S scripts/with_environment.sh {extra}"
    assert os.access(program, os.X_OK)


def test_a_program_is_run_in_the_environment_that_is_made_for_it(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/with_environment.sh", tmp_path / "scripts")
    (tmp_path / "scripts/environment.sh").write_text('ensure_environment() { echo "extra $1"; }\n')
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / ".venv/bin/python").chmod(0o755)
    shutil.copy(ROOT / "scripts/evaluate.py", tmp_path / "scripts")
    command = ["scripts/evaluate.py", "topics", "--data", "my folder"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["extra measure", *command], done.stderr
