#!/usr/bin/env bash
# Installs the servers that the tests of sinks talk to: PostgreSQL (Debian's) and a Kafka broker (Maven's, needs Java).
# Tests whose server is missing are skipped and say so. Usage: scripts/install_test_servers.sh [FOLDER FOR KAFKA'S JARS]
set -euo pipefail

kafka=${1:-${NEWSBEAM_TEST_KAFKA:-$HOME/.cache/newsbeam/kafka}}
kafka_version=4.1.0

if ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null; then
  sudo=$([ "$(id -u)" = 0 ] || echo sudo)
  $sudo apt-get update -q
  $sudo apt-get install -qy --no-install-recommends postgresql
fi

if ! compgen -G "$kafka/kafka_2.13-*.jar" >/dev/null; then
  if ! command -v mvn >/dev/null; then
    echo "No mvn: the tests of kafka:// will be skipped" >&2
    exit 0
  fi
  project=$(mktemp -d)
  trap 'rm -rf "$project"' EXIT
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
  mkdir -p "$kafka"
  (cd "$project" && mvn -ntp -q dependency:copy-dependencies -DoutputDirectory="$project/jars")
  mv "$project"/jars/*.jar "$kafka"/
fi
echo "PostgreSQL and Kafka ($kafka) are there"
