#!/usr/bin/env bash
# A real Flink cluster on this machine: a JobManager and two TaskManagers, each a JVM of its own. Needs Java 17 and pip.
#
#   scripts/engines/flink_cluster.sh start [FOLDER]     waits until both TaskManagers have registered; prints its address
#   scripts/engines/flink_cluster.sh kill  [FOLDER]     kill -9 of a TaskManager, and another in its place (a fault test)
#   scripts/engines/flink_cluster.sh stop  [FOLDER]
#
# Then: newsbeam replay … --runner=FlinkRunner --flink_version=2.2 --flink_master=ADDRESS --flink_submit_uber_jar
#       --flink_job_server_jar="$(scripts/engines/flink_job_server.sh)" --streaming --checkpointing_interval=10000
# FOLDER (default: ~/.cache/newsbeam/flink-cluster) keeps configuration, logs, process ids and checkpoints.
set -euo pipefail

action=${1:?start, kill or stop}
folder=${2:-${XDG_CACHE_HOME:-$HOME/.cache}/newsbeam/flink-cluster}
libraries=${XDG_CACHE_HOME:-$HOME/.cache}/newsbeam/flink-2.2.1
port=${FLINK_PORT:-8081}
address=127.0.0.1:$port
mkdir -p "$folder"

opens=()
for package in lang lang.reflect net io nio text time util util.concurrent util.concurrent.atomic util.concurrent.locks; do
  opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
done
opens+=("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED")

java_flink() { # NAME, JVM options up to --, main class and its arguments
  local name=$1 jvm=()
  shift
  while [ "$1" != -- ]; do jvm+=("$1"); shift; done
  shift
  nohup java "${opens[@]}" "${jvm[@]}" -Dlog4j.configurationFile="$folder/conf/log4j.properties" -Dlog.file="$folder/$name.log" \
    -cp "$libraries/pyflink/lib/*" "$@" --configDir "$folder/conf" >"$folder/$name.out" 2>&1 &
  echo $! >"$folder/$name.pid"
}

start_task_manager() {
  java_flink "$1" -Xmx640m -Xms256m -XX:MaxDirectMemorySize=256m -XX:MaxMetaspaceSize=256m -- \
    org.apache.flink.runtime.taskexecutor.TaskManagerRunner \
    -Dtaskmanager.cpu.cores=1.0 -Dtaskmanager.memory.task.heap.size=512mb -Dtaskmanager.memory.task.off-heap.size=0b \
    -Dtaskmanager.memory.network.min=64mb -Dtaskmanager.memory.network.max=64mb -Dtaskmanager.memory.managed.size=128mb \
    -Dtaskmanager.memory.framework.heap.size=128mb -Dtaskmanager.memory.framework.off-heap.size=128mb \
    -Dtaskmanager.memory.jvm-metaspace.size=256mb -Dtaskmanager.memory.jvm-overhead.min=192mb \
    -Dtaskmanager.memory.jvm-overhead.max=192mb
}

registered() {
  curl -sf "http://$address/overview" | grep -q "\"taskmanagers\":$1"
}

wait_for() {
  for _ in $(seq 120); do
    registered "$1" && return
    sleep 0.5
  done
  echo "The cluster did not come up: see $folder/*.log" >&2
  return 1
}

end() { # NAME SIGNAL
  if [ -f "$folder/$1.pid" ]; then
    kill "-$2" "$(cat "$folder/$1.pid")" 2>/dev/null || true
    rm -f "$folder/$1.pid"
  fi
}

case $action in
start)
  if ! [ -d "$libraries/pyflink/lib" ]; then
    "${PYTHON:-python3}" -m pip install -q --no-deps --target "$libraries" apache-flink-libraries==2.2.1 >&2
  fi
  mkdir -p "$folder/conf" "$folder/checkpoints" "$folder/savepoints"
  cat >"$folder/conf/config.yaml" <<YAML
jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: 6123
jobmanager.bind-host: 127.0.0.1
jobmanager.memory.process.size: 1024m
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
rest.port: $port
taskmanager.bind-host: 127.0.0.1
taskmanager.host: 127.0.0.1
taskmanager.numberOfTaskSlots: 2
execution.checkpointing.dir: file://$folder/checkpoints
execution.checkpointing.savepoint-dir: file://$folder/savepoints
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 1000
restart-strategy.fixed-delay.delay: 1 s
heartbeat.timeout: 10000
heartbeat.interval: 2000
YAML
  cat >"$folder/conf/log4j.properties" <<'PROPERTIES'
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = file
appender.file.name = file
appender.file.type = File
appender.file.fileName = ${sys:log.file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %-5p %c %x - %m%n
PROPERTIES
  java_flink jobmanager -Xmx512m -- org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint
  start_task_manager taskmanager-1
  start_task_manager taskmanager-2
  wait_for 2
  echo "$address"
  ;;
kill)
  end taskmanager-1 KILL
  start_task_manager taskmanager-1
  ;;
stop)
  for name in taskmanager-1 taskmanager-2 jobmanager; do end $name TERM; done
  ;;
*)
  echo "start, kill or stop, not $action" >&2
  exit 2
  ;;
esac
