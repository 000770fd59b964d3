"""What a pure function raises for input that cannot become a record. Knows nothing of Beam."""


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
