"""What a pure function raises for input that cannot become a record. Knows nothing of Beam."""

import traceback


class Rejected(Exception):
    """Raised by a pure function for input that cannot become a record.

    Args:
        reason: a short code that dashboards group by (`empty`, `not_an_article`).
        message: for a person: what was wrong, where, and what would be right.
        stage: of a function that stands for several stages, the one that refused.
    """

    def __init__(self, reason: str, message: str, stage: str = "") -> None:
        super().__init__(reason, message, stage)
        self.reason = reason
        self.message = message
        self.stage = stage


def as_rejected(error: Exception, stage: str) -> Rejected:
    """`error`, raised in `stage`, with its reason: `error` and the place for what was not raised as a `Rejected`."""
    if isinstance(error, Rejected):
        return Rejected(error.reason, error.message, error.stage or stage)
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" ({where[0].filename.rpartition('/')[2]}:{where[0].lineno})" if where else ""
    return Rejected("error", f"{type(error).__name__}: {error}{place}", stage)
