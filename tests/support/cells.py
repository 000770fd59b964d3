"""State of a DoFn without a runner."""

from typing import Any


class Cell:
    """What the runner keeps for a key: a bag, or one value."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def read(self) -> Any:
        return list(self.values)

    def add(self, value: Any) -> None:
        self.values.append(value)

    def write(self, value: Any) -> None:
        self.values = [value]

    def clear(self) -> None:
        self.values = []
