"""`pubsub://` and `bigquery://`: Beam's own transforms, for jobs that run on Dataflow.

Unlike the other sinks they are steps of the graph: an outcome is told when the runner has taken the record over, and
Dataflow keeps it until the service has accepted it. Both may deliver a record more than once; `id` and `revision` tell.
The newest of each in BigQuery:

    SELECT * FROM news.articles WHERE true QUALIFY row_number() OVER (PARTITION BY id ORDER BY revision DESC) = 1
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union, get_type_hints
from urllib.parse import parse_qsl, urlsplit

import apache_beam as beam
from apache_beam.io.gcp.bigquery import BigQueryDisposition, WriteToBigQuery
from apache_beam.io.gcp.pubsub import PubsubMessage, WriteToPubSub
from apache_beam.pvalue import PCollection

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import UsageError
from newsbeam.transforms.model.records import FOR_THE_PIPELINE, Article, DeadLetter, RemovedBlock, Topic
from newsbeam.transforms.model.serialization import Json, article_to_dict, dead_letter_to_dict, to_json
from newsbeam.transforms.sinks.sink import Sink, WriteCounts

_TYPE: dict[object, str] = {
    str: "STRING",
    Optional[str]: "STRING",
    int: "INTEGER",
    Optional[int]: "INTEGER",
    float: "FLOAT",
    Optional[float]: "FLOAT",
    Optional[bool]: "BOOLEAN",
}


@dataclass(frozen=True)
class CloudAddress:
    """`pubsub://project/topic` or `bigquery://project/dataset`, with the name of what dead letters go to."""

    scheme: str
    project: str
    name: str
    dead_letters: str


def parse_cloud(uri: str) -> CloudAddress:
    """Takes an address apart. Raises `UsageError`."""
    parts, shown = urlsplit(uri), str(Address(uri))
    name = parts.path.strip("/")
    what = "topic" if parts.scheme == "pubsub" else "dataset"
    if not parts.netloc or not name or "/" in name:
        raise UsageError(f"{shown!r}: write it as {parts.scheme}://project/{what}")
    query = dict(parse_qsl(parts.query))
    dead_letters = query.pop("dead_letters", f"{name}.dead" if what == "topic" else "dead_letters")
    if query:
        raise UsageError(f"{shown!r}: {next(iter(query))} is no option of {parts.scheme}; there is: dead_letters")
    return CloudAddress(parts.scheme, parts.netloc, name, dead_letters)


def table_schema(record: type, without: Sequence[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """BigQuery's schema of a record: every field nullable, so that fields can be added."""
    return {
        "fields": [_field(name, kind) for name, kind in get_type_hints(record).items() if name not in without],
    }


def _field(name: str, kind: object) -> dict[str, Any]:
    for element in (Topic, RemovedBlock):
        if kind == Sequence[element]:  # type: ignore[valid-type]
            return {"name": name, "type": "RECORD", "mode": "REPEATED", **table_schema(element)}
    if kind == Sequence[str]:
        return {"name": name, "type": "STRING", "mode": "REPEATED"}
    return {"name": name, "type": _TYPE[kind], "mode": "NULLABLE"}


def to_message(record: Union[Article, DeadLetter]) -> PubsubMessage:
    """A record as a message: JSON, with what a subscription filters by as attributes."""
    if isinstance(record, Article):
        attributes = {"id": record.id, "revision": str(record.revision), "language": record.language}
    else:
        attributes = {"stage": record.stage, "reason": record.reason}
    return PubsubMessage(to_json(record).encode(), attributes)


def to_row(record: Union[Article, DeadLetter]) -> dict[str, Json]:
    """A record as a row of BigQuery."""
    return article_to_dict(record) if isinstance(record, Article) else dead_letter_to_dict(record)


class WriteToCloud(beam.PTransform[PCollection[Any], Any]):
    """Records of one kind to a topic or a table."""

    def __init__(self, uri: str, record: type) -> None:
        super().__init__()
        self._address = parse_cloud(uri)
        self._record = record

    def expand(self, records: PCollection[Any]) -> Any:
        address = self._address
        is_article = self._record is Article
        if address.scheme == "pubsub":
            topic = address.name if is_article else address.dead_letters
            return (
                records
                | "Message" >> beam.Map(to_message).with_output_types(PubsubMessage)
                | "Publish" >> WriteToPubSub(f"projects/{address.project}/topics/{topic}", with_attributes=True)
            )
        table = "articles" if is_article else address.dead_letters
        return (
            records
            | "Row" >> beam.Map(to_row)
            | "Insert"
            >> WriteToBigQuery(
                f"{address.project}:{address.name}.{table}",
                schema=table_schema(self._record, without=FOR_THE_PIPELINE),
                create_disposition=BigQueryDisposition.CREATE_IF_NEEDED,
                write_disposition=BigQueryDisposition.WRITE_APPEND,
                method=WriteToBigQuery.Method.STREAMING_INSERTS,
                additional_bq_parameters={"clustering": {"fields": ["id"]}} if is_article else None,
            )
        )


def make(target: str, *, live: bool) -> Sink:
    """Never called: `WriteToCloud` takes the place of a sink."""
    raise NotImplementedError(f"{Address(target)} is a step of the graph")


def check(target: str) -> None:
    """Looks at the form of the address. Raises `UsageError`."""
    parse_cloud(target)


def finalize(target: str) -> WriteCounts:
    """Nothing is left to do: the runner has handed everything over."""
    return WriteCounts()
