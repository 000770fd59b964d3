"""The command line: mistakes are told before anything starts, all at once."""

from pathlib import Path

import pytest

from newsbeam.pipeline.cli.inputs import find_inputs
from newsbeam.pipeline.cli.main import main
from newsbeam.pipeline.config.beam_options import unknown_options


def test_all_mistakes_are_told_at_once_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text("duplicates:\n  policy: dorp\n")
    code = main(
        ["replay", str(tmp_path / "nothing-here"), "--config", str(config), "--runer=FlinkRunner", "--to", "sqlite:"]
    )
    told = capsys.readouterr().err
    assert code == 2
    assert "nothing-here: no such file or folder" in told
    assert "--runer: neither newsbeam nor Beam has this option; did you mean --runner?" in told
    assert "wrong.yaml:2: duplicates.policy" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wrong.yaml"]


def test_a_sink_that_cannot_be_is_told_with_what_would_be_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.txt"
    page.write_text("A page.")
    assert main(["replay", str(page), "--to", "sqllite:news.db", "--to", "jsonl:/proc/none/x.jsonl"]) == 2
    told = capsys.readouterr().err
    assert "sqllite:news.db" in told
    assert "/proc/none" in told


def test_beams_own_options_pass_and_misspelt_ones_are_named() -> None:
    assert unknown_options(["--runner=FlinkRunner", "--parallelism=2", "--environment_type", "LOOPBACK"]) == []
    assert unknown_options(["--paralelism=2"]) == [
        "--paralelism: neither newsbeam nor Beam has this option; did you mean --parallelism?"
    ]


def test_folders_patterns_and_files_name_each_file_once_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b/two.txt", "b/.hidden", "a/one.txt", "three.html"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("text")
    files, mistakes = find_inputs([str(tmp_path), f"{tmp_path}/**/*.txt", str(tmp_path / "three.html")])
    assert mistakes == []
    assert [file.name for file in files] == ["a/one.txt", "b/two.txt", "three.html"]


def test_help_is_written_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "sqlite:out/news.db" in told
    assert "standard input" in told
