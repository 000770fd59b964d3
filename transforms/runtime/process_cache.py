"""What the DoFns of this process have built for their shards, kept from bundle to bundle.

Beam may give a shard to another DoFn object, thread or process at any bundle, and takes back what a failed bundle wrote
to the state. So nothing durable may live here: each value stands beside the durable state from which it was built, and
is used again only while the runner's state is still the same.
"""

import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class ProcessCache(Generic[T]):
    """One value for each shard of each stage.

    Args:
        close: called with a value that is dropped; not with one that is replaced or taken out.
    """

    def __init__(self, close: Callable[[T], None] = lambda value: None) -> None:
        self._close = close
        self._values: dict[tuple[str, int], tuple[bytes, T]] = {}
        self._lock = threading.Lock()
        _caches.add(self)

    def get(self, stage: str, shard: int, state: bytes = b"") -> T | None:
        """Returns the value of a shard. Drops it and returns None if it was built from a state other than `state`."""
        with self._lock:
            cached = self._values.get((stage, shard))
            if cached is None:
                return None
            if cached[0] == state:
                return cached[1]
            del self._values[stage, shard]
        self._close(cached[1])
        return None

    def take(self, stage: str, shard: int, state: bytes = b"") -> T | None:
        """Like `get`, and takes the value out: while somebody changes it, nobody else may find it."""
        value = self.get(stage, shard, state)
        with self._lock:
            self._values.pop((stage, shard), None)
        return value

    def put(self, stage: str, shard: int, value: T, state: bytes = b"") -> None:
        """Keeps the value that was built from `state`."""
        with self._lock:
            self._values[stage, shard] = state, value

    def clear(self, stage: str | None = None) -> None:
        """Drops all values, or those of one stage."""
        with self._lock:
            keys = [key for key in self._values if stage in (None, key[0])]
            dropped = [self._values.pop(key)[1] for key in keys]
        for value in dropped:
            self._close(value)


_caches: "weakref.WeakSet[ProcessCache[Any]]" = weakref.WeakSet()


def clear_process_caches() -> None:
    """Drops what all caches of this process hold: at the end of a run, and between tests."""
    for cache in list(_caches):
        cache.clear()
