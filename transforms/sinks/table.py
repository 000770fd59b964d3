"""Every sink that newsbeam has, one row each: help, checks and the README's table follow from here.

To add a sink: write a module of this package with the three functions of `SinkModule`, add its row here, a row in the
README's table, and a test against a real server. `tests/sinks/test_table.py` fails if one of them is forgotten.
"""

import importlib
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from newsbeam.transforms.sinks.sink import Sink, WriteCounts

Target = Literal["file", "path", "tree", "server", "screen"]
"""What follows the scheme: a file of this machine; a file or folder of it; a folder, also of another file system that
Beam knows (`gs://bucket/news`); `//host/...`; nothing."""


class SinkModule(Protocol):
    """What the module of a sink has. `target` is what `parse_sink` makes of the address."""

    def make(self, target: str, *, live: bool) -> Sink:
        """Returns the sink, not yet opened. Cloud sinks have none: they are steps of the graph."""

    def check(self, target: str) -> None:
        """Finds before the work starts what would stop it. Raises `UsageError` or `SinkError`."""

    def finalize(self, target: str) -> WriteCounts:
        """Does what is left when a run has ended. Safe to call again, and after a crash."""


@dataclass(frozen=True)
class SinkKind:
    """One row.

    Attributes:
        scheme: what an address begins with, up to the colon.
        example: an address as a user would write it.
        about: what it is, for the help text.
        module: in this package.
        target: what follows the scheme.
        needs: the module it cannot do without, where an extra installs that.
        extra: the extra of newsbeam that installs `needs`.
        cloud: whether it is a step of Beam's graph (`google_cloud.WriteToCloud`) and no `Sink`.
    """

    scheme: str
    example: str
    about: str
    module: str
    target: Target
    needs: str = ""
    extra: str = ""
    cloud: bool = False

    def load(self) -> SinkModule:
        """Imports the module: only the sinks of a run are imported."""
        return cast(SinkModule, importlib.import_module(f"newsbeam.transforms.sinks.{self.module}"))


SINKS: dict[str, SinkKind] = {
    kind.scheme: kind
    for kind in (
        SinkKind(
            scheme="sqlite",
            example="sqlite:out/news.db",
            about="records, revisions, full-text search, dead letters",
            module="sqlite",
            target="file",
        ),
        SinkKind(
            scheme="jsonl",
            example="jsonl:out/stories.jsonl",
            about="one record a line; jsonl:out/ writes a file a day",
            module="jsonl",
            target="path",
        ),
        SinkKind(
            scheme="parquet",
            example="parquet:out/",
            about="a file a day; also parquet:gs://bucket/news",
            module="parquet",
            target="tree",
        ),
        SinkKind(
            scheme="stdout",
            example="stdout:",
            about="one record a line on standard output",
            module="stdout",
            target="screen",
        ),
        SinkKind(
            scheme="postgresql",
            example="postgresql://user@host/news",
            about="tables like those of sqlite:",
            module="postgresql",
            target="server",
            needs="psycopg",
            extra="postgres",
        ),
        SinkKind(
            scheme="kafka",
            example="kafka://broker:9092/topic",
            about="a message a record",
            module="kafka",
            target="server",
            needs="confluent_kafka",
            extra="kafka",
        ),
        SinkKind(
            scheme="webhook+https",
            example="webhook+https://host/path",
            about="signed batches by POST",
            module="webhook",
            target="server",
        ),
        SinkKind(
            scheme="webhook+http",
            example="webhook+http://host/path",
            about="the same unencrypted, for private networks",
            module="webhook",
            target="server",
        ),
        SinkKind(
            scheme="pubsub",
            example="pubsub://project/topic",
            about="a message a record, on Dataflow",
            module="google_cloud",
            target="server",
            needs="google.cloud.pubsub",
            extra="gcp",
            cloud=True,
        ),
        SinkKind(
            scheme="bigquery",
            example="bigquery://project/dataset",
            about="a row a record, on Dataflow",
            module="google_cloud",
            target="server",
            needs="google.cloud.bigquery",
            extra="gcp",
            cloud=True,
        ),
    )
}
"""By scheme."""


def help_text() -> str:
    """The table as lines of a command's help."""
    lines = []
    for kind in SINKS.values():
        extra = f"; needs newsbeam[{kind.extra}]" if kind.extra else ""
        lines.append(f"  {kind.example:<32} {kind.about}{extra}")
    return "\n".join(lines)
