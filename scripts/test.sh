#!/bin/sh
# Checks formats and types and runs all tests on all cores, in a virtual environment that it makes. With arguments, which
# go to pytest, it runs those tests one after the other: scripts/test.sh tests/http -k robots
set -eu
cd "$(dirname "$0")/.."
. scripts/environment.sh
ensure_environment dev
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
if [ $# -eq 0 ]; then
    set -- -n auto --dist loadfile # a file stays in one process: its server is started once
fi
exec .venv/bin/pytest "$@"
