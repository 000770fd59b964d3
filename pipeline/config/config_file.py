"""Reads YAML into a typed, frozen dataclass, with every mistake at once: its line, and what would be right."""

import dataclasses
import difflib
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from newsbeam.transforms.model.errors import ConfigError

T = TypeVar("T")


def load(file: Path, form: type[T], defaults: Path | None = None) -> T:
    """Reads `file` as a `form` (a frozen dataclass of dataclasses, whose annotations say what is allowed).

    Args:
        defaults: another YAML file, which holds what `file` does not say.

    Raises:
        ConfigError: the file cannot be read, is no YAML, or holds mistakes: all of them, each with its line.
    """
    node, data = _read(file)
    if defaults is not None:
        data = _over(_read(defaults)[1], {} if data is None else data)
    _forbid_unknown_keys(form)
    try:
        return TypeAdapter(form).validate_python({} if data is None else data)
    except ValidationError as error:
        raise ConfigError([_describe(file, node, form, mistake) for mistake in error.errors()]) from error


def _read(file: Path) -> tuple[yaml.Node | None, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        return yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read ({error.strerror or error})"]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: not valid YAML: {error}"]) from error


def _over(below: Any, above: Any) -> Any:
    """`above`, and of `below` what it does not say."""
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {key: _over(below.get(key), value) for key, value in above.items()}
    return above


def _forbid_unknown_keys(form: Any) -> None:
    if dataclasses.is_dataclass(form):
        setattr(form, "__pydantic_config__", ConfigDict(extra="forbid"))  # noqa: B010 - mypy knows no such attribute
        for hint in get_type_hints(form).values():
            _forbid_unknown_keys(hint)
    for part in get_args(form):
        _forbid_unknown_keys(part)


def _describe(file: Path, node: yaml.Node | None, form: Any, mistake: ErrorDetails) -> str:
    location = [part for part in mistake["loc"] if not (isinstance(part, str) and "[" in part)]
    where = ".".join(str(part) for part in location) or "the file"
    message = mistake["msg"]
    if mistake["type"] == "unexpected_keyword_argument":
        allowed = _settings(form, location[:-1])
        close = difflib.get_close_matches(str(location[-1]), allowed, n=1)
        message = "no such setting" + (f"; did you mean {close[0]}?" if close else f"; there are {', '.join(allowed)}")
    elif mistake["type"] == "value_error":
        message = message.removeprefix("Value error, ")
    elif mistake["type"] != "missing":
        message += f", not {mistake['input']!r}"
    return f"{file}:{_line(node, location)}: {where}: {message}"


def _settings(form: Any, location: list[int | str]) -> list[str]:
    for part in location:
        if isinstance(part, int):
            form = next((arg for arg in get_args(form) if arg is not Ellipsis), form)
        elif dataclasses.is_dataclass(form):
            form = get_type_hints(form).get(part, form)
    return [f.name for f in dataclasses.fields(form)] if dataclasses.is_dataclass(form) else []


def _line(node: yaml.Node | None, location: list[int | str]) -> int:
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                break
            key, node = found
            if not isinstance(node, (yaml.MappingNode, yaml.SequenceNode)):
                return int(key.start_mark.line) + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
    return int(node.start_mark.line) + 1 if node is not None else 1
