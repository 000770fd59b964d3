#!/usr/bin/env bash
# Installs the servers that the tests of sinks talk to: PostgreSQL (Debian's package) and a Kafka broker (from Maven; needs
# Java). Prints the names of those that are there afterwards, and on stderr why one is not.
# Usage: scripts/install_test_servers.sh [FOLDER FOR KAFKA'S JARS]
set -uo pipefail

kafka=${1:-${NEWSBEAM_TEST_KAFKA:-$HOME/.cache/newsbeam/kafka}}
kafka_version=4.1.0

postgresql_is_there() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null
}

install_postgresql() {
  local sudo=""
  [ "$(id -u)" = 0 ] || sudo=sudo
  command -v apt-get >/dev/null || { echo "PostgreSQL: no apt-get here, install it by hand" >&2; return 1; }
  $sudo apt-get update -q >&2 && $sudo apt-get install -qy --no-install-recommends postgresql >&2
}

kafka_is_there() {
  compgen -G "$kafka/kafka_2.13-*.jar" >/dev/null && command -v java >/dev/null
}

install_kafka() {
  command -v mvn >/dev/null || { echo "Kafka: no mvn to get it with" >&2; return 1; }
  local project
  project=$(mktemp -d)
  cat >"$project/pom.xml" <<XML
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>newsbeam</groupId><artifactId>test-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka_version</version>
    </dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
XML
  (cd "$project" && mvn -ntp -q dependency:copy-dependencies -DoutputDirectory="$project/jars") >&2 &&
    mkdir -p "$kafka" && mv "$project"/jars/*.jar "$kafka"/
  local status=$?
  rm -rf "$project"
  return $status
}

for server in postgresql kafka; do
  if "${server}_is_there" || { "install_$server" && "${server}_is_there"; }; then
    echo "$server"
  else
    echo "$server cannot be had: its tests are skipped" >&2
  fi
done
