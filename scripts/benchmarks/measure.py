"""Runs a command and measures the whole process tree."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

LOOK_SECONDS = 0.1
MEMORY_EVERY_S = 1.0
"""Shares of memory are dear to count, and hold the process up."""


@dataclass(frozen=True)
class Measured:
    """What a command took. Memory is the proportional share (PSS) of all its processes, in MB."""

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
        cpu = max(cpu, _cpu_seconds(process))
        if not samples or time.monotonic() - begun - samples[-1][0] >= MEMORY_EVERY_S:
            samples.append((time.monotonic() - begun, _memory_mb(process)))
        time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - begun
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr.read()}")
    return Measured(seconds, cpu, max(memory for _, memory in samples), tuple(samples))


def _family(process: psutil.Popen) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_seconds(process: psutil.Popen) -> float:
    used = 0.0
    for member in _family(process):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            times = member.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used


def _memory_mb(process: psutil.Popen) -> float:
    memory = 0.0
    for member in _family(process):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            memory += member.memory_full_info().pss / 1e6
    return memory
