"""Several functions as one, for a stage that should cross to the sandbox once. Knows nothing of Beam."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from newsbeam.transforms.model.errors import as_rejected


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
                raise as_rejected(error, name) from error
        return value
