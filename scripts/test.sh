#!/bin/sh
# Formats, types and tests, in a virtual environment of its own making. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
. scripts/environment.sh
ensure_environment dev
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
exec .venv/bin/pytest "$@"
