"""Records to JSON and back. How an article looks outside the pipeline is decided here alone.

The same article always gives the same bytes: keys stand in the record's order, nothing depends on the locale or the
run, and characters that no JSON reader, database or broker agrees about (lone surrogates, NUL) become U+FFFD.
"""

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional, Union, get_type_hints

from newsbeam.transforms.model.errors import Rejected
from newsbeam.transforms.model.records import FOR_THE_PIPELINE, Article, DeadLetter, RemovedBlock, Topic

Json = Union[None, bool, int, float, str, list["Json"], dict[str, "Json"]]

ARTICLE_FIELDS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(Article) if f.name not in FOR_THE_PIPELINE)
"""Fields of the published record, in its order."""

DEAD_LETTER_FIELDS: tuple[str, ...] = tuple(f.name for f in dataclasses.fields(DeadLetter))

_UNSAFE = re.compile("[\x00\ud800-\udfff]")


def safe_text(text: str) -> str:
    """`text` with NUL and lone surrogates (which UTF-8 cannot carry) replaced by U+FFFD."""
    return _UNSAFE.sub("�", text)


_NESTED = {record: tuple(f.name for f in dataclasses.fields(record)) for record in (Topic, RemovedBlock)}


def _plain(value: object) -> Json:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (Topic, RemovedBlock)):
        return {name: _plain(getattr(value, name)) for name in _NESTED[type(value)]}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    raise TypeError(f"a record cannot hold a {type(value).__name__}")


def article_to_dict(article: Article) -> dict[str, Json]:
    """Returns the published fields of an article in their order: text, numbers, None, and lists of those or of flat
    objects."""
    return {name: _plain(getattr(article, name)) for name in ARTICLE_FIELDS}


def safe_article(article: Article) -> Article:
    """Replaces what UTF-8 cannot encode in all texts of an article: JSON may contain half of a surrogate pair."""
    return dataclasses.replace(article, **{name: _safe(getattr(article, name)) for name in ARTICLE_FIELDS})


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return safe_text(value)
    if isinstance(value, (Topic, RemovedBlock)):
        return dataclasses.replace(value, **{f.name: _safe(getattr(value, f.name)) for f in dataclasses.fields(value)})
    return tuple(map(_safe, value)) if isinstance(value, (list, tuple)) else value


def dead_letter_to_dict(letter: DeadLetter) -> dict[str, Json]:
    """The fields of a dead letter in their order."""
    return {name: _plain(getattr(letter, name)) for name in DEAD_LETTER_FIELDS}


def json_text(value: Json) -> str:
    """Returns compact JSON on one line that UTF-8 can encode."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def to_json(record: Union[Article, DeadLetter]) -> str:
    """One line of JSON for a record, without the line's end."""
    return json_text(article_to_dict(record) if isinstance(record, Article) else dead_letter_to_dict(record))


def article_from_json(line: Union[str, bytes]) -> Article:
    """Reads what `to_json` wrote, of this version or another one: unknown fields are left out, missing ones take their
    default.

    Raises:
        Rejected: `not_json` or `not_an_article`.
    """
    try:
        loaded = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Rejected("not_json", f"this line is not JSON: {error}") from error
    if not isinstance(loaded, dict):
        raise Rejected("not_an_article", f"expected a JSON object with the fields of an article, not {_named(loaded)}")
    return article_from_dict(loaded)


def article_from_dict(values: Mapping[str, object]) -> Article:
    """An article from its published fields (see `article_from_json`)."""
    missing = [name for name in ("id", "url") if not isinstance(values.get(name), str)]
    if missing or not values["id"]:
        raise Rejected("not_an_article", f"an article needs the text field {(missing or ['id'])[0]!r}")
    read: dict[str, object] = {}
    for name, reader in _READERS.items():
        if name not in values:
            continue
        try:
            read[name] = reader(values[name])
        except (TypeError, ValueError) as error:
            raise Rejected("not_an_article", f"field {name!r}: {error}") from error
    return Article(**read)  # type: ignore[arg-type]  # every value came through its field's reader


def _named(value: object) -> str:
    return {"NoneType": "null", "str": "text", "list": "a list", "dict": "an object"}.get(
        type(value).__name__, f"{value!r:.40}"
    )


def _text(value: object) -> str:
    if isinstance(value, str):
        return safe_text(value)
    raise TypeError(f"expected text, not {_named(value)}")


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    raise TypeError(f"expected a whole number of 64 bits, not {_named(value)}")


def _number(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise TypeError(f"expected a number, not {_named(value)}")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(f"expected true or false, not {_named(value)}")


def _maybe(reader: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: None if value is None else reader(value)


def _many(reader: Callable[[object], object]) -> Callable[[object], object]:
    def read(value: object) -> object:
        if isinstance(value, (list, tuple)):
            return tuple(reader(item) for item in value)
        raise TypeError(f"expected a list, not {_named(value)}")

    return read


def _topic(value: object) -> Topic:
    if not isinstance(value, dict):
        raise TypeError(f"expected a topic with uri, name, confidence, source, not {_named(value)}")
    return Topic(
        _text(value.get("uri")), _text(value.get("name")), _number(value.get("confidence")), _text(value.get("source"))
    )


def _removed_block(value: object) -> RemovedBlock:
    if not isinstance(value, dict):
        raise TypeError(f"expected a removed block with rule, text, line, not {_named(value)}")
    line = value.get("line")
    return RemovedBlock(_text(value.get("rule")), _text(value.get("text")), None if line is None else _whole(line))


_READER_OF_TYPE: dict[object, Callable[[object], object]] = {
    str: _text,
    int: _whole,
    Optional[str]: _maybe(_text),
    Optional[int]: _maybe(_whole),
    Optional[float]: _maybe(_number),
    Optional[bool]: _maybe(_flag),
    Sequence[str]: _many(_text),
    Sequence[Topic]: _many(_topic),
    Sequence[RemovedBlock]: _many(_removed_block),
}

_READERS: dict[str, Callable[[object], object]] = {
    name: _READER_OF_TYPE[kind] for name, kind in get_type_hints(Article).items() if name not in FOR_THE_PIPELINE
}
