"""`kafka://broker:9092,broker2:9092/topic`: where records go to and come from.

Parameters are librdkafka's own (https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md):
`?security.protocol=SASL_SSL&sasl.username=…`. A sink also knows `dead_letters=OTHER-TOPIC`.
"""

from dataclasses import dataclass, field
from typing import Union
from urllib.parse import parse_qsl, unquote, urlsplit

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import UsageError


@dataclass(frozen=True)
class KafkaAddress:
    """A Kafka topic with its brokers and the client's parameters."""

    brokers: str
    topic: str
    dead_letters: str
    properties: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def shown(self) -> str:
        """The address for logs and records, without the parameters, which may hold a password."""
        return f"kafka://{self.brokers}/{self.topic}"


def parse_kafka(uri: Union[str, Address]) -> KafkaAddress:
    """Parses `kafka://…`. Raises `UsageError`."""
    address = Address.of(uri)
    try:
        parts = urlsplit(address.whole)
    except ValueError as error:
        raise UsageError(f"{str(address)!r}: {error}", address=str(address)) from error
    topic = unquote(parts.path.strip("/"))
    if not parts.netloc or not topic or "/" in topic:
        raise UsageError(f"{str(address)!r}: write it as kafka://broker:9092/topic", address=str(address))
    if "@" in parts.netloc:
        right = "user and password are parameters: ?sasl.username=…&sasl.password=…"
        raise UsageError(f"{str(address)!r}: {right}", address=str(address))
    properties = dict(parse_qsl(parts.query, keep_blank_values=True))
    dead_letters = properties.pop("dead_letters", f"{topic}.dead")
    return KafkaAddress(parts.netloc, topic, dead_letters, tuple(sorted(properties.items())))
