"""Looks at a topic before the work starts."""

from typing import Union

from newsbeam.transforms.model.address import Address
from newsbeam.transforms.model.errors import SourceError
from newsbeam.transforms.model.kafka_address import parse_kafka


def check_topic(uri: Union[str, Address]) -> None:
    """Finds what would stop the reading of a topic: a bad form, a missing package, no brokers, no such topic.

    Raises:
        UsageError, SourceError: with what is wrong and what would be right.
    """
    address = parse_kafka(uri)
    try:
        from newsbeam.transforms.sources.kafka.kafka import find_topic
    except ImportError as error:
        message = f"{address.shown} needs more packages: pip install 'newsbeam[kafka]' ({error})"
        raise SourceError(message, address=address.shown) from error
    find_topic(address)
