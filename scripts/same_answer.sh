#!/usr/bin/env bash
# Replays the same files on every engine and compares the records, byte by byte.
#
#   scripts/same_answer.sh [PATH…]        default: tests/data
#
# Engines: the local one (FnApiRunner) once with the files in another order, Prism (built with Go if it is not there), Flink
# at parallelism 1 and 4 (needs Beam's job server: FLINK_JOB_SERVER_JAR=PATH, else it is asked of Maven). An engine that
# cannot be had is named with the reason. Exits 0 if all that ran agree, 1 if they do not, 2 if there was none to compare.
# PYTHON: the interpreter that has newsbeam (default: that of .venv, which is made if it is not there). KEEP=FOLDER keeps every engine's output there.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${PYTHON:-}" ]; then
  . scripts/environment.sh
  ensure_environment ""
fi
python=${PYTHON:-.venv/bin/python}
paths=("$@")
[ ${#paths[@]} -gt 0 ] || paths=(tests/data)
work=${KEEP:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${KEEP:-}" ] || trap 'rm -rf "$work"' EXIT

ran=0
differs=0

replay() { # NAME, then options; the paths are in `paths`
  local name=$1 started=$SECONDS
  shift
  mkdir -p "$work/$name"
  rm -f "$work/$name"/*
  if ! "$python" -m newsbeam replay "${paths[@]}" --to "jsonl:$work/$name/stories.jsonl" "$@" >"$work/$name/log" 2>&1; then
    echo "$name: FAILED"
    tail -20 "$work/$name/log"
    differs=1
    return
  fi
  local records dead
  records=$(wc -l <"$work/$name/stories.jsonl")
  dead=$([ -f "$work/$name/stories.dead.jsonl" ] && wc -l <"$work/$name/stories.dead.jsonl" || echo 0)
  printf '%-22s %6d records %5d dead letters %5d s' "$name" "$records" "$dead" $((SECONDS - started))
  if [ -z "${first:-}" ]; then
    first=$name
    echo
    return
  fi
  ran=$((ran + 1))
  local file same=yes
  for file in stories.jsonl stories.dead.jsonl; do
    cmp -s "$work/$first/$file" "$work/$name/$file" || { [ ! -e "$work/$first/$file" ] && [ ! -e "$work/$name/$file" ]; } || same=no
  done
  if [ $same = yes ]; then
    echo "  the same"
  else
    echo "  DIFFERENT"
    differs=1
    "$python" scripts/engines/show_difference.py "$work/$first" "$work/$name"
  fi
}

not_run() { printf '%-22s not run: %s\n' "$1" "$2"; }

replay local

reversed=()
for ((i = ${#paths[@]} - 1; i >= 0; i--)); do reversed+=("${paths[i]}"); done
(( ${#paths[@]} < 2 )) || { forward=("${paths[@]}"); paths=("${reversed[@]}"); replay local-other-order; paths=("${forward[@]}"); }

if prism=$(PYTHON=$python scripts/engines/prism.sh); then
  replay prism --runner=PrismRunner --prism_location="$prism" --environment_type=LOOPBACK --job_server_timeout=86400
else
  not_run prism "no Go, and no PRISM=PATH"
fi

if jar=$(PYTHON=$python scripts/engines/flink_job_server.sh 2>"$work/flink.log"); then
  for parallelism in 1 4; do
    replay "flink-$parallelism" --runner=FlinkRunner --flink_version=2.2 --flink_job_server_jar="$jar" '--flink_master=[local]' \
      --streaming --environment_type=LOOPBACK --checkpointing_interval=10000 --parallelism=$parallelism \
      --job_server_timeout=86400
  done
else
  not_run flink "$(tail -1 "$work/flink.log")"
fi

[ $ran -gt 0 ] || { echo "Nothing to compare with"; exit 2; }
exit $differs
