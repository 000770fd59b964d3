"""Every error that newsbeam raises, as one tree. Knows nothing of Beam.

    NewsbeamError
        UsageError      what a user asked for cannot be done as it was written
            ConfigError     all mistakes of a configuration
        SourceError     a source cannot be read
        SinkError       a sink cannot be used
        SinkAway        a sink does not answer now, but may later
        LedgerError     the ledger cannot be used
        Rejected        an input cannot become a record: it becomes a dead letter

A command prints any of them as one sentence and ends with exit code 2. Some modules add leaves of their own.
"""

import traceback
from typing import Any


class NewsbeamError(Exception):
    """What newsbeam raises on purpose: the message is for a person.

    Args:
        message: what was wrong, where, and what would be right. Holds no credentials.
        address: the file, server or URL that it concerns, without credentials; empty if there is none.
    """

    def __init__(self, message: str = "", *, address: str = "") -> None:
        super().__init__(message)
        self.address = address

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the attributes too, whatever the arguments of the class: errors travel between processes."""
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: type[NewsbeamError], args: tuple[Any, ...], attributes: dict[str, Any]) -> NewsbeamError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(attributes)
    return error


class UsageError(NewsbeamError, ValueError):
    """What a user asked for (a command, an address, a setting) cannot be done as it was written."""


class ConfigError(UsageError):
    """Everything that is wrong with a configuration, one mistake a line."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class SourceError(NewsbeamError):
    """A source of input (a topic) cannot be read; found before the work starts."""


class SinkError(NewsbeamError):
    """A sink cannot be used: it refuses us, or holds what newsbeam did not write. Waiting would not help."""


class SinkAway(NewsbeamError):
    """A sink that does not answer now but may later: the batch is kept and written again.

    Nothing of the batch may be assumed written, and nothing may be assumed unwritten.
    """


class LedgerError(NewsbeamError):
    """The ledger cannot be used: damaged, written by a newer newsbeam, or something else than a ledger."""


class Rejected(NewsbeamError):
    """Raised by a pure function for input that cannot become a record.

    Args:
        reason: a short code that dashboards group by (`empty`, `not_an_article`).
        message: for a person: what was wrong, where, and what would be right.
        stage: of a function that stands for several stages, the one that refused.
    """

    def __init__(self, reason: str, message: str, stage: str = "") -> None:
        super().__init__(message)
        self.args = (reason, message, stage)
        self.reason = reason
        self.message = message
        self.stage = stage


def as_rejected(error: Exception, stage: str) -> Rejected:
    """Returns `error`, raised in `stage`, as a `Rejected`.

    What was not raised as one has the reason `error`, and its message names the line of code that raised it.
    """
    if isinstance(error, Rejected):
        return Rejected(error.reason, error.message, error.stage or stage)
    frames = traceback.extract_tb(error.__traceback__)[-1:]
    line = f" ({frames[0].filename.rpartition('/')[2]}:{frames[0].lineno})" if frames else ""
    return Rejected("error", f"{type(error).__name__}: {error}{line}", stage)
