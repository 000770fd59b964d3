"""What a live run leaves behind in its process, and how it is put away."""

from newsbeam.transforms.runtime.process_cache import clear_process_caches
from newsbeam.transforms.sources.event_loop import close_loops
from newsbeam.transforms.sources.ticks import clear_stop


def end_live_run() -> None:
    """Breaks off what is under way and forgets what was built; what is pending is in the ledger.

    To be called once the pipeline has ended, in the process of a local run.
    """
    clear_process_caches()
    close_loops()
    clear_stop()
