"""How long to wait before something that failed is tried again."""

_MOST_DOUBLINGS = 60
"""More would overflow, and every wait has reached its longest long before."""


def backoff(failures: int, first_s: float, longest_s: float, factor: float = 2.0) -> float:
    """Returns the seconds to wait after so many failures in a row: exponential backoff, without jitter.

    Args:
        failures: 1 after the first failure.
        first_s: the wait after the first failure.
        longest_s: no wait is longer.
        factor: each wait is so many times the one before.
    """
    return min(first_s * factor ** min(max(failures - 1, 0), _MOST_DOUBLINGS), longest_s)
