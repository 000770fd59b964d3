#!/usr/bin/env -S scripts/with_environment.sh measure
"""Measures quality on labelled data: `scripts/evaluate.py NAME --data FOLDER [ARGUMENTS]`."""

import sys

from scripts.bench import main

if __name__ == "__main__":
    sys.exit(main("evaluation"))
