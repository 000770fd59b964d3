"""Several functions as one, for a stage that should cross to the sandbox once. Knows nothing of Beam."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transforms.rejected import Rejected


@dataclass(frozen=True)
class Steps:
    """Applies functions one after another.

    Attributes:
        steps: (name, function), the first first; each takes what the one before it gave.

    Raises:
        Rejected: with the `stage` that refused; any other exception of a function is the reason `error`.
    """

    steps: tuple[tuple[str, Callable[[Any], Any]], ...]

    def __call__(self, value: Any) -> Any:
        for name, function in self.steps:
            try:
                value = function(value)
            except MemoryError:
                raise  # of the sandbox's limit, which is nothing of a step's
            except Exception as error:
                raise _of_stage(name, error) from error
        return value


def _of_stage(name: str, error: Exception) -> Rejected:
    if isinstance(error, Rejected):
        return Rejected(error.reason, error.message, name)
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({where[0].filename.rpartition('/')[2]}:{where[0].lineno})" if where else ""
    return Rejected("error", f"{type(error).__name__}: {error}{place}", name)
