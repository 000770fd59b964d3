"""The engine of a laptop: Beam's FnApiRunner in this process, with what Beam 2.77 gets wrong there put right.

`DirectRunner` would pick Prism where it can download it; newsbeam names the engine, so that a run needs no network and
gives the same answer on every machine.
"""

import ctypes

from apache_beam.runners.portability.fn_api_runner import fn_runner, worker_handlers

from newsbeam.transforms.runtime.sandbox.nursery import MMAP_THRESHOLD, TRIM_THRESHOLD

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Of glibc's malloc.h."""

_consolidate = fn_runner.consolidate_monitoring_infos


def cure_leak() -> None:
    """Keeps a long run's memory flat.

    Beam 2.77's `run_stages` chains a lazy generator over the last bundle's lazy generator, so that the response of
    every bundle stays alive (8 MB/s at ten bundles a second). Evaluated at once, the chain has one link.
    """

    def consolidated(infos):  # type: ignore[no-untyped-def]  # Beam's own function has no types
        return list(_consolidate(infos))

    fn_runner.consolidate_monitoring_infos = consolidated


def leave_out_state_cache() -> None:
    """Makes keyed state cheap.

    The worker keeps a cache of state so as not to ask the runner over the network, and weighs each value by a walk over
    all loaded modules: 20 ms a cell in a process as large as ours, half of a replay's time. Here the runner is in the
    same process, and there is nothing to save.
    """
    worker_handlers.STATE_CACHE_SIZE_MB = 0


def give_memory_back() -> None:
    """Makes glibc return what is freed, and hold no heap for each thread, so that a long run's memory stays flat.

    Without effect with another C library.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for parameter, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, MMAP_THRESHOLD), (_TRIM_THRESHOLD, TRIM_THRESHOLD)):
        if mallopt is not None:
            mallopt(parameter, value)
