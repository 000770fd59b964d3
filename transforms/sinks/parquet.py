"""`parquet:`: files by day on a local disk or any filesystem Beam has (`parquet:gs://bucket/news`, `parquet:s3://…`).

    out/articles/day=2024-03-25/stories.parquet          sorted by id and revision, each once
    out/articles/day=2024-03-25/part-0f3a….parquet       what a run that goes on, or was killed, has written so far
    out/dead_letters/day=undated/…

A batch is a part file of its own, named by its content: the same batch again is the same file. Parts are put together
when there are many, and at the end of a run (`finalize`); until then a reader may see a record twice and goes
by `id` and `revision`. DuckDB, Spark and pandas read the whole folder as one table with the column `day`.
"""

import hashlib
import heapq
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Optional, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from newsbeam.transforms.model.errors import SinkAway, SinkError
from newsbeam.transforms.model.records import FOR_THE_PIPELINE, Article, DeadLetter, RemovedBlock, Topic
from newsbeam.transforms.model.serialization import Json, article_to_dict, dead_letter_to_dict, json_text
from newsbeam.transforms.sinks.jsonl import day_of
from newsbeam.transforms.sinks.sink import Record, Sink, WriteCounts

MANY_PARTS = 64
"""So many parts of one day are put together into one."""

ROW_GROUP = 1000
FINISHED = "stories.parquet"

_PLAIN: dict[object, pa.DataType] = {
    str: pa.string(),
    Optional[str]: pa.string(),
    int: pa.int64(),
    Optional[int]: pa.int64(),
    Optional[float]: pa.float64(),
    float: pa.float64(),
    Optional[bool]: pa.bool_(),
    Sequence[str]: pa.list_(pa.string()),
}

Row = dict[str, Json]
Key = tuple[str, ...]


def _schema(record: type, without: tuple[str, ...] = ()) -> pa.Schema:
    return pa.schema([(name, _type(kind)) for name, kind in get_type_hints(record).items() if name not in without])


def _type(kind: object) -> pa.DataType:
    for element in (Topic, RemovedBlock):
        if kind == Sequence[element]:  # type: ignore[valid-type]
            return pa.list_(pa.struct(list(_schema(element))))
    return _PLAIN[kind]


ARTICLES = _schema(Article, without=FOR_THE_PIPELINE)
DEAD_LETTERS = _schema(DeadLetter)


def key_of(row: Row) -> Key:
    """What sorts rows and tells one from another."""
    if "id" in row:
        return str(row["id"]), f"{row['revision']:020}"
    return tuple(str(row[name]) for name in ("unit", "stage", "reason", "url", "feed_url"))


class ParquetSink:
    """Writes a part a day and batch."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._parts: dict[str, int] = {}

    def open(self) -> None:
        pass

    def write(self, batch: Sequence[Record]) -> WriteCounts:
        folders: dict[str, dict[Key, Row]] = {}
        for record in batch:
            folder = _folder(self._target, record)
            row = article_to_dict(record) if isinstance(record, Article) else dead_letter_to_dict(record)
            folders.setdefault(folder, {})[key_of(row)] = row
        try:
            for folder, rows in folders.items():
                _write_part(folder, [rows[key] for key in sorted(rows)])
                self._parts[folder] = self._parts.get(folder, 0) + 1
                if self._parts[folder] >= MANY_PARTS:
                    self._parts[folder] = 0
                    _put_together(folder, finish=False)
        except (OSError, BeamIOError) as error:
            raise SinkAway(f"{self._target}: {error}") from error
        return WriteCounts()

    def close(self) -> None:
        pass


def _folder(target: str, record: Record) -> str:
    table = "articles" if isinstance(record, Article) else "dead_letters"
    return str(FileSystems.join(target, table, f"day={day_of(record)}"))


def _schema_of(folder: str) -> pa.Schema:
    return DEAD_LETTERS if "dead_letters" in Path(folder).parent.name else ARTICLES


def _write_part(folder: str, rows: Sequence[Row]) -> None:
    name = hashlib.blake2b(json_text(list(rows)).encode(), digest_size=12).hexdigest()
    _write(folder, f"part-{name}.parquet", iter(rows))


def _write(folder: str, name: str, rows: Iterator[Row]) -> None:
    """Writes a file whole or not at all: under another name first, which readers pass over."""
    final, temporary = FileSystems.join(folder, name), FileSystems.join(folder, f"_{name}.unfinished")
    if not FileSystems.exists(folder):
        try:
            FileSystems.mkdirs(folder)
        except BeamIOError:
            if not FileSystems.exists(folder):  # another worker may just have made it
                raise
    schema = _schema_of(folder)
    with (
        FileSystems.create(temporary, compression_type="uncompressed") as out,
        pq.ParquetWriter(out, schema, compression="zstd") as writer,
    ):
        group: list[Row] = []
        for row in rows:
            group.append(row)
            if len(group) >= ROW_GROUP:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group = []
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema))
    if FileSystems.exists(final):
        FileSystems.delete([final])
    FileSystems.rename([temporary], [final])


def _files(folder: str, pattern: str) -> list[str]:
    return sorted(
        found.path for match in FileSystems.match([FileSystems.join(folder, pattern)]) for found in match.metadata_list
    )


def _put_together(folder: str, finish: bool) -> WriteCounts:
    """Makes one sorted file of the parts (and, to finish, of what is finished), then removes them.

    Of one key the part wins over the finished row, and among parts the greatest: parts have no order.
    """
    parts = _files(folder, "part-*.parquet")
    finished = _files(folder, FINISHED) if finish else []
    if not parts:
        return WriteCounts()
    counted = {"inserted": 0, "updated": 0, "unchanged": 0}

    def count(old: Optional[Row], new: Optional[Row]) -> None:
        if new is not None:
            counted["inserted" if old is None else "unchanged" if old == new else "updated"] += 1

    with ExitStack() as stack, tempfile.TemporaryDirectory() as local:
        streams = [
            _rows(stack, path, Path(local) / str(number), is_part=number >= len(finished))
            for number, path in enumerate(finished + parts)
        ]
        merged = _newest(heapq.merge(*streams, key=lambda item: item[:2]), count)
        if finish:
            _write(folder, FINISHED, merged)
        else:
            name = hashlib.blake2b("".join(parts).encode(), digest_size=12).hexdigest()
            _write(folder, f"part-{name}.parquet", merged)
            parts = [part for part in parts if not part.endswith(f"part-{name}.parquet")]
    FileSystems.delete(parts)
    return WriteCounts(**counted)


def _rows(stack: ExitStack, path: str, local: Path, is_part: bool) -> Iterator[tuple[Key, tuple[bool, str], Row]]:
    # a copy on disk: the filesystems of clouds seek slowly, and a hundred streams are read at once
    with FileSystems.open(path, compression_type="uncompressed") as source, local.open("wb") as copy:
        while block := source.read(1 << 20):
            copy.write(block)
    file = stack.enter_context(pq.ParquetFile(local))
    for batch in file.iter_batches(batch_size=256):
        for row in batch.to_pylist():
            yield key_of(row), (is_part, json_text(row) if is_part else ""), row


def _newest(
    ordered: Iterator[tuple[Key, tuple[bool, str], Row]], count: Callable[[Optional[Row], Optional[Row]], None]
) -> Iterator[Row]:
    """Of rows in the order of keys, and within a key from the oldest, the last of each key."""
    current: Optional[Key] = None
    old: Optional[Row] = None
    new: Optional[Row] = None
    for key, (is_part, _), row in ordered:
        if key != current:
            if current is not None:
                count(old, new)
                yield _last(old, new)
            current, old, new = key, None, None
        if is_part:
            new = row
        else:
            old = row
    if current is not None:
        count(old, new)
        yield _last(old, new)


def _last(old: Optional[Row], new: Optional[Row]) -> Row:
    row = new if new is not None else old
    assert row is not None  # noqa: S101  # a key has at least one row
    return row


def make(target: str, *, live: bool) -> Sink:
    """See `table.SinkModule`."""
    return ParquetSink(target)


def check(target: str) -> None:
    """Makes the folder and tries it. Raises `SinkError` if files cannot be written there."""
    try:
        if not FileSystems.exists(target):
            FileSystems.mkdirs(target)
        probe = FileSystems.join(target, "_newsbeam-probe")
        with FileSystems.create(probe) as out:
            out.write(b"")
        FileSystems.delete([probe])
    except ValueError as error:  # Beam knows the scheme, but its package is not installed
        raise SinkError(f"'parquet:{target}': {error}") from error
    except (OSError, BeamIOError) as error:
        raise SinkError(f"'parquet:{target}' cannot be written: {error}") from error


def finalize(target: str) -> WriteCounts:
    """Makes one sorted file of each day that has parts. Safe to call again, and after a crash."""
    counts = WriteCounts()
    for table in ("articles", "dead_letters"):
        folders = sorted(
            {path.rpartition("/")[0] for path in _files(FileSystems.join(target, table), "day=*/part-*.parquet")}
        )
        for folder in folders:
            counted = _put_together(folder, finish=True)
            if table == "articles":
                counts += counted
    return counts
