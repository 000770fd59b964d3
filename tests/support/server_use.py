"""Which tests of a run used a real server, and what that says of the whole run."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field


@dataclass
class ServerUse:
    """Counts tests by the server whose fixture they ask for.

    Args:
        required: servers that this machine is known to have (the environment variable NEWSBEAM_TEST_SERVERS): a run in
            which no test passed with one of them is a failure.
    """

    required: Collection[str] = ()
    passed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: str, servers: Iterable[str]) -> None:
        """Counts one test; any other outcome than `passed` and `skipped` fails the run anyway."""
        tally = {"passed": self.passed, "skipped": self.skipped}.get(outcome)
        if tally is not None:
            tally.update(servers)

    def unused(self) -> list[str]:
        """The required servers with which no test passed, or for lack of which one was skipped."""
        return sorted(name for name in self.required if not self.passed[name] or self.skipped[name])

    def summary(self) -> str:
        """One line: `servers: postgresql 31 tests; kafka missing, 14 tests skipped`."""
        parts = []
        for name in sorted({*self.passed, *self.skipped, *self.required}):
            if self.skipped[name]:
                parts.append(f"{name} missing, {self.skipped[name]} tests skipped")
            else:
                parts.append(f"{name} {self.passed[name]} tests")
        return "servers: " + "; ".join(parts)
