#!/usr/bin/env -S scripts/with_environment.sh measure
"""Measures speed: `scripts/bench.py NAME [ARGUMENTS]`, always as a ratio to a yardstick on the same input in the
same run."""

import importlib
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main(package: str) -> int:
    """Runs `main(arguments)` of the module of `package` that the first argument names."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(ROOT / "scripts" / package)]))
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print(f"usage: {sys.argv[0]} {{{','.join(names)}}} [ARGUMENTS]; each has --help", file=sys.stderr)
        return 2
    run = importlib.import_module(f"scripts.{package}.{sys.argv[1]}").main
    sys.argv[0] += " " + sys.argv.pop(1)
    return int(run(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main("benchmarks"))
