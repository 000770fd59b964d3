#!/usr/bin/env bash
# Prints the path of Beam's job server for Flink 2.2, of the version of the installed apache-beam; asks Maven for it once.
# Usage: jar=$(scripts/engines/flink_job_server.sh)      FLINK_JOB_SERVER_JAR=PATH uses one that is there.
set -euo pipefail

if [ -n "${FLINK_JOB_SERVER_JAR:-}" ]; then
  echo "$FLINK_JOB_SERVER_JAR"
  exit
fi
version=$("${PYTHON:-python3}" -c 'import importlib.metadata as m; print(m.version("apache-beam"))')
name=beam-runners-flink-2.2-job-server
cache=${XDG_CACHE_HOME:-$HOME/.cache}/newsbeam/flink-job-server-$version
if ! [ -f "$cache/$name-$version.jar" ]; then
  command -v mvn >/dev/null || { echo "Beam's job server for Flink needs Maven (or FLINK_JOB_SERVER_JAR=PATH)" >&2; exit 3; }
  mkdir -p "$cache"
  if ! mvn -B -ntp -q -Dstyle.color=never dependency:copy "-Dartifact=org.apache.beam:$name:$version" "-DoutputDirectory=$cache" >&2; then
    echo "Maven does not give org.apache.beam:$name:$version; set FLINK_JOB_SERVER_JAR=PATH" >&2
    exit 3
  fi
fi
echo "$cache/$name-$version.jar"
