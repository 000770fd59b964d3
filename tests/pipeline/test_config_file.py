"""A wrong configuration stops the run before it starts, with all its mistakes at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from newsbeam.pipeline.config.config_file import load
from newsbeam.transforms.model.errors import ConfigError


@dataclass(frozen=True)
class Source:
    url: str
    every: int = 300


@dataclass(frozen=True)
class Settings:
    sources: Sequence[Source] = ()
    policy: Literal["drop", "label"] = "drop"
    source: Source = field(default_factory=lambda: Source("https://a.example/"))


def write(folder: Path, text: str) -> Path:
    file = folder / "settings.yaml"
    file.write_text(text)
    return file


def test_what_the_file_does_not_say_keeps_its_default(tmp_path: Path) -> None:
    assert load(write(tmp_path, "policy: label\n"), Settings) == Settings(policy="label")
    assert load(write(tmp_path, ""), Settings) == Settings()


def test_all_mistakes_come_at_once_with_line_and_remedy(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "polcy: drop\npolicy: dorp\nsources:\n  - url: https://a.example/feed\n    every: soon\n  - evry: 5\n",
    )
    with pytest.raises(ConfigError) as caught:
        load(file, Settings)
    mistakes = "\n".join(caught.value.mistakes)
    assert "settings.yaml:1: polcy: no such setting; did you mean policy?" in mistakes
    assert "settings.yaml:2: policy: Input should be 'drop' or 'label', not 'dorp'" in mistakes
    assert "settings.yaml:5: sources.0.every: Input should be a valid integer" in mistakes
    assert "settings.yaml:6: sources.1.url: Field required" in mistakes
    assert "settings.yaml:6: sources.1.evry: no such setting; did you mean every?" in mistakes
    assert len(caught.value.mistakes) == 5


@pytest.mark.parametrize("text", ["a: [", "\tb: c", "policy: !!python/object:os.system x"])
def test_what_is_no_yaml_is_one_mistake(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"settings\.yaml: not valid YAML"):
        load(write(tmp_path, text), Settings)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.yaml", Settings)
