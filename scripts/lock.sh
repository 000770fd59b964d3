#!/bin/sh
# Writes constraints.txt: the exact version of every package that newsbeam and its extras may install, for Python 3.10 and
# later. scripts/, continuous integration and the container install these, so that the same input gives the same output
# whatever the day. Versions that are there stay unless setup.py no longer allows them; `scripts/lock.sh --upgrade` takes
# the newest of all, `scripts/lock.sh --upgrade-package lxml` of one.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work"
"$work/bin/pip" install --quiet --disable-pip-version-check 'uv>=0.5'
"$work/bin/uv" pip compile --quiet --universal --python-version 3.10 --all-extras --strip-extras --no-annotate \
    --custom-compile-command scripts/lock.sh "$@" setup.py --output-file constraints.txt
