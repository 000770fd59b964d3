"""Whether the run of this process is to end, for all that waits.

A plain flag and short naps, no `threading.Event`: the flag is raised by a signal handler, which runs between any two
steps of the main thread, and would wait for ever for the event's lock if that thread held it just then.
"""

import signal
import time
from contextlib import suppress
from types import FrameType

_SLICE_S = 0.1


class _Flag:
    raised = False


_flag = _Flag()


def request_stop() -> None:
    """Lets the run of this process come to its end: what is under way ends, nothing new begins."""
    _flag.raised = True


def stop_requested() -> bool:
    """Whether this process has been asked to stop."""
    return _flag.raised


def forget_stop() -> None:
    """Forgets a request to stop: before a run, and after it."""
    _flag.raised = False


def pause(seconds: float) -> None:
    """Sleeps for so long, or until the run is to stop."""
    end = time.monotonic() + seconds
    while not _flag.raised and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _SLICE_S))


def stop_on_signals() -> None:
    """From now on SIGINT and SIGTERM ask the run to stop. Nothing if this is not the main thread of its process."""
    with suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _on_signal)


def end_on_signals() -> None:
    """Takes `stop_on_signals` back: the run is on a cluster, and goes on there whatever becomes of this process."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _on_signal(signum: int, frame: FrameType | None) -> None:
    request_stop()
