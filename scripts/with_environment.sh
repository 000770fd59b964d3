#!/bin/sh
# The first line of the programs of scripts/ names this: it makes the virtual environment with the extra that a program
# needs, and runs the program in it. So `scripts/evaluate.py topics --data FOLDER` runs as written in a fresh clone.
# Usage: scripts/with_environment.sh EXTRA PROGRAM [ARGUMENTS], from the root of the clone.
set -eu
. scripts/environment.sh
extra=$1
program=$2
shift 2
ensure_environment "$extra"
exec .venv/bin/python "$program" "$@"
