#!/bin/sh
# A minute of `newsbeam live` against a newsroom on this machine: real feeds and pages over HTTP, with reprints, edits,
# slow and broken hosts. Called by scripts/run.sh live-demo.
set -eu
cd "$(dirname "$0")/.."
rm -rf out/demo
mkdir -p out/demo
.venv/bin/python scripts/newsroom.py --folder out/demo --feeds 40 --hosts 12 --stories-per-s 1 --for 120 >out/demo/newsroom.log &
trap 'kill $! 2>/dev/null || true' EXIT
until [ -s out/demo/feeds.txt ]; do sleep 0.2; done
.venv/bin/newsbeam live --config configs/demo.yaml --for "${1:-60s}" --to sqlite:out/demo/news.db --to jsonl:out/demo/
echo
.venv/bin/newsbeam status --ledger out/demo/ledger.db
echo
.venv/bin/newsbeam stories --from sqlite:out/demo/news.db --outlets 2 --limit 5
