"""`import newsbeam` gives a small interface, and each example in its documentation runs as written."""

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import newsbeam
import newsbeam.articles
import newsbeam.stages


@pytest.mark.parametrize("module", [newsbeam.articles, newsbeam.stages], ids=lambda module: module.__name__)
def test_every_example_runs_as_written(module: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted >= 10
    assert results.failed == 0


@pytest.mark.parametrize("name", ["clean", "clean_all", "compare", "tag", "ReadFeeds", "stages"])
def test_every_function_and_the_stages_have_an_example(name: str) -> None:
    documented = newsbeam.stages if name == "stages" else getattr(newsbeam, name)
    assert ">>> " in (documented.__doc__ or "")


def test_every_public_name_is_there() -> None:
    assert sorted(newsbeam.__all__) == newsbeam.__all__
    for name in newsbeam.__all__:
        assert getattr(newsbeam, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'cleen'"):
        newsbeam.cleen  # noqa: B018


def test_importing_newsbeam_loads_nothing_else() -> None:
    code = (
        "import sys, newsbeam; print([m for m in sys.modules if m.split('.')[0] in ('apache_beam', 'lxml', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_one_word_for_the_command_too() -> None:
    done = subprocess.run([sys.executable, "-m", "newsbeam", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"newsbeam {newsbeam.__version__}"
