"""What a live run leaves behind in its process, and how it is put away."""

from transforms import discover, fetch
from transforms.http.loop import close_loops
from transforms.queue.read import close_queues
from transforms.ticks import clear_stop


def end_live_run() -> None:
    """Breaks off what is under way and forgets what was built; what is pending is in the ledger.

    To be called once the pipeline has ended, in the process of a local run.
    """
    close_queues()
    close_loops()
    discover.forget_shards()
    fetch.forget_shards()
    clear_stop()
