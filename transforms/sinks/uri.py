"""Sinks by URI: what a user writes after `--to`."""

import importlib
from dataclasses import dataclass
from pathlib import Path

from newsbeam.transforms.sinks.sink import Sink, SinkError, WriteCounts

FORMS = {
    "sqlite": "sqlite:out/news.db",
    "jsonl": "jsonl:out/stories.jsonl (one file) or jsonl:out/ (a file a day)",
    "stdout": "stdout:",
    "parquet": "parquet:out/ (or parquet:gs://bucket/news)",
    "postgresql": "postgresql://user@host/database",
    "kafka": "kafka://broker:9092/topic",
    "pubsub": "pubsub://project/topic",
    "bigquery": "bigquery://project/dataset",
    "webhook+https": "webhook+https://host/path",
    "webhook+http": "webhook+http://host/path (unencrypted: for this machine and private networks)",
}
"""Every scheme, with how it is written."""

EXTRAS: dict[str, tuple[str, str]] = {
    "postgresql": ("psycopg", "postgres"),
    "kafka": ("confluent_kafka", "kafka"),
    "pubsub": ("google.cloud.pubsub", "gcp"),
    "bigquery": ("google.cloud.bigquery", "gcp"),
}
"""Scheme -> the module it needs and the extra of newsbeam that installs it."""

IN_GRAPH = frozenset({"pubsub", "bigquery"})
"""Sinks that are Beam's own transforms (`sinks.google_cloud`) and have no `Sink`."""


@dataclass(frozen=True)
class SinkSpec:
    """A sink's URI, taken apart."""

    uri: str
    scheme: str
    target: str
    """What follows the scheme: a path for files, the whole address for servers."""


def parse_sink(uri: str) -> SinkSpec:
    """Takes `uri` apart.

    Raises:
        SinkError: a form that no sink has; the message lists those there are.
    """
    scheme, colon, target = uri.partition(":")
    scheme = {"postgres": "postgresql"}.get(scheme.lower(), scheme.lower())
    if not colon or scheme not in FORMS:
        guess = f" Did you mean jsonl:{uri}?" if not colon and uri else ""
        forms = "; ".join(FORMS.values())
        raise SinkError(f"{uri!r} names no sink newsbeam knows.{guess} Sinks are: {forms}")
    if scheme == "stdout":
        if target not in ("", "-"):
            raise SinkError(f"{uri!r}: standard output takes no path; write 'stdout:'")
    elif scheme in ("sqlite", "jsonl"):
        target = _path_of(uri, scheme, target)
    elif scheme == "parquet":
        target = target if "://" in target else _path_of(uri, scheme, target)
    else:
        if not target.startswith("//"):
            raise SinkError(f"{uri!r}: where to? Write it as {FORMS[scheme]}")
        target = f"{scheme}:{target}"
    return SinkSpec(uri, scheme, target)


def _path_of(uri: str, scheme: str, target: str) -> str:
    if target.startswith("//"):
        if not target.startswith("///"):
            raise SinkError(f"{uri!r}: {scheme} takes a path on this machine; write '{scheme}:{target.lstrip('/')}'")
        target = "/" + target.lstrip("/")
    if not target:
        raise SinkError(f"{uri!r}: where to? Write it as {FORMS[scheme]}")
    if scheme == "sqlite" and (target.endswith("/") or Path(target).is_dir()):
        raise SinkError(f"{uri!r} is a folder; sqlite needs a file: '{scheme}:{target.rstrip('/')}/news.db'")
    return target


def shown_sink(uri: str) -> str:
    """A URI fit for logs and tables, and the sink's name in a spool: no user, password or query."""
    scheme, separator, rest = uri.partition("://")
    return scheme + separator + rest.split("?")[0].rpartition("@")[2]


def absolute_sink(uri: str) -> str:
    """`uri` with the path of a file made absolute: a worker may stand in another folder."""
    spec = parse_sink(uri)
    if spec.scheme not in ("sqlite", "jsonl", "parquet") or "://" in spec.target:
        return uri
    slash = "/" if spec.target.endswith("/") else ""
    return f"{spec.scheme}:{Path(spec.target).absolute()}{slash}"


def open_sink(uri: str, *, live: bool = False) -> Sink:
    """The sink that `uri` names, not yet opened.

    Args:
        uri: see `FORMS`.
        live: records are to be seen as they come; in replay a file appears complete and sorted, at `finalize_sink`.
    """
    spec = parse_sink(uri)
    if spec.scheme in IN_GRAPH:
        raise ValueError(f"{spec.scheme} is written by Beam's own transforms")
    if spec.scheme == "sqlite":
        from newsbeam.transforms.sinks.sqlite import SqliteSink

        return SqliteSink(Path(spec.target))
    if spec.scheme == "jsonl":
        from newsbeam.transforms.sinks.jsonl import JsonlSink

        return JsonlSink(spec.target, live=live)
    if spec.scheme == "parquet":
        from newsbeam.transforms.sinks.parquet import ParquetSink

        return ParquetSink(spec.target)
    if spec.scheme == "postgresql":
        from newsbeam.transforms.sinks.postgresql import PostgresqlSink

        return PostgresqlSink(spec.target)
    if spec.scheme == "kafka":
        from newsbeam.transforms.sinks.kafka import KafkaSink

        return KafkaSink(spec.target)
    if spec.scheme.startswith("webhook+"):
        from newsbeam.transforms.sinks.webhook import WebhookSink

        return WebhookSink(spec.target.removeprefix("webhook+"))
    from newsbeam.transforms.sinks.stdout import StdoutSink

    return StdoutSink()


def check_sink(uri: str) -> None:
    """Finds before the work starts what would stop it: a bad form, a missing package, a path that cannot be written.

    Makes the folders a file needs.

    Raises:
        SinkError: with what is wrong and what would be right.
    """
    spec = parse_sink(uri)
    _need_extra(spec)
    if spec.scheme == "sqlite":
        from newsbeam.transforms.sinks.sqlite import check_database

        check_database(Path(spec.target))
    elif spec.scheme == "jsonl":
        from newsbeam.transforms.sinks.jsonl import check_jsonl

        check_jsonl(spec.target)
    elif spec.scheme == "parquet":
        from newsbeam.transforms.sinks.parquet import check_parquet

        check_parquet(spec.target)
    elif spec.scheme == "postgresql":
        from newsbeam.transforms.sinks.postgresql import check_server

        check_server(spec.target)
    elif spec.scheme in IN_GRAPH:
        from newsbeam.transforms.sinks.google_cloud import parse_cloud

        parse_cloud(spec.target)
    elif spec.scheme == "kafka":
        from newsbeam.transforms.sinks.kafka import check_brokers

        check_brokers(spec.target)
    elif spec.scheme.startswith("webhook+"):
        from newsbeam.transforms.sinks.webhook import check_webhook

        check_webhook(spec.target.removeprefix("webhook+"))


def check_source(uri: str) -> None:
    """The same for `kafka://` as a source."""
    _need_extra(parse_sink(uri))
    from newsbeam.transforms.sources.kafka.kafka import check_queue

    check_queue(uri)


def _need_extra(spec: SinkSpec) -> None:
    if spec.scheme in EXTRAS:
        module, extra = EXTRAS[spec.scheme]
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise SinkError(f"{spec.uri!r} needs more packages: pip install 'newsbeam[{extra}]' ({error})") from error


def finalize_sink(uri: str) -> WriteCounts:
    """What is left to do when a run has ended, on the submitting machine: a JSONL file is sorted and put in place.

    Safe to call again, and after a crash. Counts are zero for sinks that counted while they wrote.
    """
    spec = parse_sink(uri)
    if spec.scheme == "jsonl":
        from newsbeam.transforms.sinks.jsonl import finalize_jsonl

        return finalize_jsonl(spec.target)
    if spec.scheme == "parquet":
        from newsbeam.transforms.sinks.parquet import finalize_parquet

        return finalize_parquet(spec.target)
    return WriteCounts()
