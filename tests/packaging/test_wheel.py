"""What `pip install` of a clone gives: built from the tracked files, installed into an empty environment, run there."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

from tests.support.places import ROOT

BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"


def build(kind: str, source: Path, target: Path) -> Path:
    """Builds a `wheel` or an `sdist` of a source tree as pip does, without its isolation (which needs the network)."""
    target.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, f"build_{kind}", str(target)], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return target / done.stdout.splitlines()[-1]


def run(*command: str | Path, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program with nothing of ours in its environment."""
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={"PATH": os.defpath, "HOME": str(cwd), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packaging")


@pytest.fixture(scope="module")
def clone(work: Path) -> Path:
    """The tracked files alone, as a fresh clone has them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (work / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, work / "clone" / name)
    return work / "clone"


@pytest.fixture(scope="module")
def sdist(work: Path, clone: Path) -> Path:
    return build("sdist", clone, work / "sdist")


@pytest.fixture(scope="module")
def wheel(work: Path, clone: Path) -> Path:
    return build("wheel", clone, work / "wheel")


@pytest.fixture(scope="module")
def installed(work: Path, wheel: Path) -> Path:
    """An environment with the wheel and nothing else; what newsbeam needs is found where these tests find it."""
    venv.create(work / "environment", with_pip=False)
    python = work / "environment/bin/python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
    done = run(*pip, "install", "--no-index", "--no-deps", "--no-compile", wheel, cwd=work)
    assert done.returncode == 0, done.stderr
    needed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site_packages(work) / "zz_requirements_of_the_tests.pth").write_text("\n".join(sorted(needed)))
    return python


def site_packages(work: Path) -> Path:
    return next((work / "environment/lib").glob("python*/site-packages"))


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_string(archive.read(name).decode())


def test_only_newsbeam_is_installed_at_the_top_level(work: Path, installed: Path) -> None:
    ours = {path.name for path in site_packages(work).iterdir() if not path.name.startswith("zz_")}
    assert {name for name in ours if not name.endswith(".dist-info")} == {"newsbeam"}
    assert len(ours) == 2
    for other in ("pipeline", "transforms", "configs", "scripts", "tests"):
        done = run(installed, "-c", f"import {other}", cwd=work / "wheel")
        assert f"No module named '{other}'" in done.stderr


def test_a_replay_runs_beside_a_project_with_a_pipeline_and_transforms_of_its_own(work: Path, installed: Path) -> None:
    project = work / "project"
    for name in ("pipeline", "transforms", "configs"):
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text(f"raise ImportError('{name} of the project was imported')")
    shutil.copy(ROOT / "tests/data/pages/harbour.html", project)
    command = ("-m", "newsbeam", "replay", "harbour.html", "--to", "jsonl:stories.jsonl")
    done = run(installed, *command, cwd=project, PYTHONPATH=str(project))
    assert done.returncode == 0, done.stdout + done.stderr
    (record,) = map(json.loads, (project / "stories.jsonl").read_text("utf-8").splitlines())
    assert record["title"].startswith("Harbour")
    assert record["topics"]
    assert len(record["text"]) > 500


def test_the_command_is_installed_and_tells_its_version(work: Path, wheel: Path, installed: Path) -> None:
    done = run(installed, "-c", "import newsbeam; print(newsbeam.__version__)", cwd=work)
    assert done.stdout.strip() == metadata_of(wheel)["Version"]
    assert run(installed.parent / "newsbeam", "--help", cwd=work).returncode == 0


def test_the_wheel_has_the_data_and_its_notices(wheel: Path) -> None:
    names = set(names_in(wheel))
    tracked = subprocess.run(["git", "ls-files", "transforms", "configs"], cwd=ROOT, capture_output=True, text=True)
    assert {f"newsbeam/{name}" for name in tracked.stdout.split()} <= names
    assert "newsbeam/py.typed" in names
    notices = {name for name in names if "NOTICE" in name}
    assert notices
    licences = {name.partition(".dist-info/licenses/")[2] for name in names if ".dist-info/licenses/" in name}
    assert "LICENSE" in licences
    assert {name.removeprefix("newsbeam/") for name in notices if name.startswith("newsbeam/")} <= licences


def test_the_source_distribution_builds_the_same_wheel(work: Path, sdist: Path, wheel: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(work / "unpacked", filter="data")
    again = build("wheel", work / "unpacked" / sdist.name.removesuffix(".tar.gz"), work / "again")
    assert names_in(again) == names_in(wheel)


def test_the_description_has_no_link_that_only_a_clone_can_follow(wheel: Path) -> None:
    described = metadata_of(wheel)
    assert described["Description-Content-Type"] == "text/markdown"
    text = described.get_payload()
    assert isinstance(text, str)
    assert text.startswith("# newsbeam")
    relative = [link for link in text.split("](")[1:] if not link.startswith(("https://", "#"))]
    assert relative == []


def test_the_metadata_is_that_of_a_real_package(wheel: Path) -> None:
    described = metadata_of(wheel)
    classifiers = described.get_all("Classifier") or []
    assert "Typing :: Typed" in classifiers
    for minor in range(10, 14):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
    addresses = [line.partition(", ")[0] for line in described.get_all("Project-URL") or []]
    assert {"Documentation", "Changelog", "Issues", "Source"} <= set(addresses)
    assert described["Keywords"]
