"""`kafka://broker:9092,broker2:9092/topic`: where records go to and come from.

Parameters are librdkafka's own (https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md):
`?security.protocol=SASL_SSL&sasl.username=…`. A sink also knows `dead_letters=OTHER-TOPIC`.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from newsbeam.transforms.sinks.sink import SinkError


@dataclass(frozen=True)
class KafkaAddress:
    """A topic, and how to reach it."""

    brokers: str
    topic: str
    dead_letters: str
    properties: tuple[tuple[str, str], ...]

    @property
    def shown(self) -> str:
        """Fit for logs and records: without the parameters, which may hold a password."""
        return f"kafka://{self.brokers}/{self.topic}"


def parse_kafka(uri: str) -> KafkaAddress:
    """Takes `kafka://…` apart. Raises `SinkError`."""
    parts = urlsplit(uri)
    topic = unquote(parts.path.strip("/"))
    if not parts.netloc or not topic or "/" in topic:
        raise SinkError(f"{uri!r}: write it as kafka://broker:9092/topic")
    properties = dict(parse_qsl(parts.query, keep_blank_values=True))
    dead_letters = properties.pop("dead_letters", f"{topic}.dead")
    return KafkaAddress(parts.netloc, topic, dead_letters, tuple(sorted(properties.items())))
