"""How records travel between stages and machines."""

from typing import Any

from apache_beam import coders
from apache_beam.coders.coders import FastCoder
from apache_beam.typehints.schemas import schema_from_element_type

from newsbeam.transforms.model.records import RECORDS

_schemas: dict[type, Any] = {}


class RecordCoder(FastCoder):
    """Beam's row coder, that gives back the record's own class in every process.

    A bare `RowCoder` carries a schema whose id Beam draws at random in each process: a worker in another process, which
    every worker of a cluster is, finds no class for it and makes an anonymous one up, and no two builds of a job have
    the same coders. This one carries the class by its name. A record that was encoded when it had fewer fields is read
    with None in the new ones.
    """

    def __init__(self, record: type) -> None:
        self._record = record

    def _create_impl(self) -> Any:
        return coders.RowCoder(_schemas[self._record]).get_impl()

    def is_deterministic(self) -> bool:
        return True

    def to_type_hint(self) -> type:
        return self._record

    @classmethod
    def from_type_hint(cls, typehint: type, registry: object) -> "RecordCoder":
        return cls(typehint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordCoder) and self._record is other._record

    def __hash__(self) -> int:
        return hash(self._record.__qualname__)


def register_records(*records: type) -> None:
    """Makes frozen dataclasses records that Beam carries by `RecordCoder`. What a record holds comes before it."""
    known = (*_schemas, *records)
    for record in known:  # Beam knows a row by its RowCoder, and needs to know the rows that a row holds
        coders.registry.register_coder(record, coders.RowCoder)
    for record in records:
        coders.registry.register_row(record)
        _schemas[record] = schema_from_element_type(record)
    for record in known:
        coders.registry.register_coder(record, RecordCoder)


register_records(*RECORDS)
