"""Runs a command and measures the whole process tree."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

LOOK_SECONDS = 0.1
MEMORY_EVERY_S = 1.0
"""Seconds between two measurements of memory: measuring it slows the process down."""


@dataclass(frozen=True)
class Measured:
    """Resources that a command used. Memory is the proportional share (PSS) of all its processes, in MB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    memory_mb: tuple[tuple[float, float], ...]
    """(seconds since start, MB)."""


def measure(command: Sequence[str]) -> Measured:
    """Runs `command`, which must end with exit code 0."""
    begun = time.monotonic()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    cpu = 0.0
    samples: list[tuple[float, float]] = []
    while process.poll() is None:
        cpu = max(cpu, cpu_seconds_of(process))
        if not samples or time.monotonic() - begun - samples[-1][0] >= MEMORY_EVERY_S:
            samples.append((time.monotonic() - begun, memory_mb_of(process)))
        time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - begun
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr.read()}")
    return Measured(seconds, cpu, max(memory for _, memory in samples), tuple(samples))


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds_of(process: psutil.Process) -> float:
    """Returns the CPU seconds of a process and all its descendants, including those that have ended."""
    used = 0.0
    for member in _family(process):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            times = member.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used


def memory_mb_of(process: psutil.Process) -> float:
    """Returns the memory of a process and all its descendants as proportional share (PSS), in MB."""
    memory = 0.0
    for member in _family(process):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            memory += member.memory_full_info().pss / 1e6
    return memory


def resident_mb_of(process: psutil.Process) -> float:
    """Returns the memory of a process and all its descendants in MB, independent of other processes on the machine.

    Each anonymous page counts once, and of each file the most that one of them has resident. PSS is no measure of
    growth: a library's pages weigh half as soon as any other Python on the machine has them too, 30 MB here.
    """
    anonymous, files = 0.0, dict[str, int]()
    for member in _family(process):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            rollup = Path(f"/proc/{member.pid}/smaps_rollup").read_text().split("Pss_Anon:")[1]
            anonymous += int(rollup.split()[0]) * 1024
            for region in member.memory_maps():
                of_file = region.rss - region.anonymous
                files[region.path] = max(of_file, files.get(region.path, 0))
    return (anonymous + sum(files.values())) / 1e6
