"""What newsbeam cannot do on a system, for people: said once, at the start of a run. Linux has all of it."""

import sys

WINDOWS = (
    "newsbeam does not run on Windows: its sandbox needs fork and resource limits. Use WSL 2, or the container"
    " (docs/running.md)."
)
WITHOUT_LINUX = (
    "newsbeam is tested on Linux alone. Here its sandbox cannot limit the memory of a parser while it works on a page,"
    " only look at it afterwards, and parsers outlive a run that is killed."
)


def refusal(platform: str = sys.platform) -> str:
    """Why newsbeam cannot run here; empty if it can. `platform` is as `sys.platform` has it."""
    return WINDOWS if platform in ("win32", "cygwin") else ""


def caveat(platform: str = sys.platform) -> str:
    """What the sandbox lacks here; empty if nothing."""
    return "" if platform == "linux" else WITHOUT_LINUX
