"""What falls away on a system is said once, in a sentence, before any work is done."""

from pathlib import Path

import pytest

from newsbeam.pipeline.cli.commands import run
from newsbeam.pipeline.cli.main import main
from newsbeam.pipeline.cli.platforms import WINDOWS, WITHOUT_LINUX, caveat, refusal
from tests.support.places import DATA


def test_linux_has_everything_and_others_are_told_what_they_lack() -> None:
    assert (refusal("linux"), caveat("linux")) == ("", "")
    assert refusal("darwin") == ""
    assert "memory" in caveat("darwin")
    assert "WSL" in refusal("win32")


def test_a_run_on_windows_ends_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "refusal", lambda: WINDOWS)
    assert main(["replay", str(DATA / "pages"), "--to", f"jsonl:{tmp_path}/stories.jsonl"]) == 2
    assert capsys.readouterr().err == f"{WINDOWS}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_run_elsewhere_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "caveat", lambda: WITHOUT_LINUX)
    page = str(DATA / "pages/harbour.html")
    assert main(["replay", page, "--to", f"jsonl:{tmp_path}/stories.jsonl"]) == 0
    assert capsys.readouterr().err.count(WITHOUT_LINUX) == 1
