"""Runs a command and measures the whole process tree."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """What a command took. Memory is the proportional share (PSS) of all its processes, in MB."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    memory_mb: tuple[tuple[float, float], ...]
    """(seconds since start, MB), every second."""


def measure(command: Sequence[str]) -> Measured:
    """Runs `command`, which must end with exit code 0."""
    begun = time.monotonic()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peak, cpu = 0.0, 0.0
    samples: list[tuple[float, float]] = []
    while process.poll() is None:
        memory, used = _tree(process)
        peak, cpu = max(peak, memory), max(cpu, used)
        if not samples or time.monotonic() - begun - samples[-1][0] >= 1:
            samples.append((time.monotonic() - begun, memory))
        time.sleep(LOOK_SECONDS)
    seconds = time.monotonic() - begun
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{process.stderr.read()}")
    return Measured(seconds, cpu, peak, tuple(samples))


def _tree(process: psutil.Popen) -> tuple[float, float]:
    memory = cpu = 0.0
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0, 0.0
    for member in family:
        try:
            memory += member.memory_full_info().pss / 1e6
            times = member.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return memory, cpu
