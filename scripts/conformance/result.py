"""The result of one group of the conformance suite."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GroupResult:
    """Cases passed of all cases of one group, and a line for each that failed: which, what was expected, what came."""

    name: str
    passed: int
    total: int
    failures: tuple[str, ...]
