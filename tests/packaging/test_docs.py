"""The documentation points to what is there, and its pages can be found."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.places import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / ".github").rglob("*.md")])
FILE = re.compile(r"`((?:transforms|pipeline|configs|scripts|tests|deploy|docs|\.ci|\.github)/[\w./*{},-]*)`")

WRITTEN_BY_READERS = {"deploy/.env", "deploy/my-live.yaml"}


def links(text: str) -> list[str]:
    """Targets of a page's links within the repository, without their anchors."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return [target for target in targets if "://" not in target and not target.startswith("mailto:")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    dead = [target for target in links(page.read_text("utf-8")) if not (page.parent / target).exists()]
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_that_a_page_names_are_there(page: Path) -> None:
    """`NAME`, `LANGUAGE` and other words in capitals stand for what the reader will write."""
    text = page.read_text("utf-8")
    named = {name for name in FILE.findall(text) if not re.search(r"[A-Z]{3,}", name.replace("README", ""))}
    missing = {name for name in named - WRITTEN_BY_READERS if not list(ROOT.glob(name.rstrip("/")))}
    assert missing == set()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("add-*.md")), ids=lambda page: page.name)
def test_constants_that_a_row_names_are_in_its_file(page: Path) -> None:
    for row in page.read_text("utf-8").splitlines():
        files = [ROOT / name for name in FILE.findall(row.split("|")[1])] if row.startswith("|") else []
        text = "".join(file.read_text("utf-8") for file in files if file.is_file() and file.suffix == ".py")
        if text:
            assert [name for name in re.findall(r"`(_?[A-Z][A-Z_]{3,})`", row) if name not in text] == [], row


def test_every_page_of_the_documentation_is_in_its_table_of_contents() -> None:
    listed = set(links((ROOT / "docs/README.md").read_text("utf-8")))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages - listed == set()


def test_the_architecture_names_every_room() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    rooms = {path.parent for top in ("transforms", "pipeline") for path in (ROOT / top).glob("*/__init__.py")}
    assert {room.name for room in rooms if f"`{room.relative_to(ROOT).as_posix()}`" not in text} == set()


def test_contributing_fits_on_a_screen() -> None:
    assert len((ROOT / "CONTRIBUTING.md").read_text("utf-8").splitlines()) <= 45


def test_yaml_files_of_the_repository_parse() -> None:
    files = [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"]
    assert len(files) >= 7
    for file in files:
        assert yaml.safe_load(file.read_text("utf-8")), file


def test_actions_run_what_ci_runs_on_every_python_that_is_promised() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]["test"]
    promised = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "setup.py").read_text("utf-8"))
    assert job["strategy"]["matrix"]["python"] == promised
    assert job["steps"][-1]["run"] == ".ci/run"


def test_scripts_that_pages_and_actions_run_may_be_run() -> None:
    listed = subprocess.run(["git", "ls-files", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    modes = {line.split("\t")[1]: line[:6] for line in listed.splitlines()}
    programs = [name for name in modes if re.match(r"(scripts/.*\.sh|\.ci/run)$", name)]
    assert programs
    assert {name for name in programs if modes[name] != "100755"} <= {"scripts/environment.sh"}
