#!/bin/sh
# Runs newsbeam from a clean clone: makes its virtual environment if it is not there, then, in the folder of the caller,
#   scripts/run.sh              replays the two bundled stories into out/
#   scripts/run.sh live-demo    runs live for a minute against a newsroom on this machine, in the clone's out/demo/
#   scripts/run.sh ARGUMENTS    is the command line: scripts/run.sh replay my-pages/ --to sqlite:out/news.db
set -eu
clone=$(cd "$(dirname "$0")/.." && pwd)
. "$clone/scripts/environment.sh"
(cd "$clone" && ensure_environment "")
if [ $# -eq 0 ]; then
    set -- replay "$clone/tests/data/seeds/*.txt" --to sqlite:out/news.db --to jsonl:out/stories.jsonl
fi
if [ "$1" = live-demo ]; then
    shift
    exec "$clone/scripts/live_demo.sh" "$@"
fi
exec "$clone/.venv/bin/newsbeam" "$@"
