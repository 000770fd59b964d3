"""Starts real servers on this machine for tests of sinks, and removes them afterwards."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SERVER_FIXTURES = {"postgresql", "kafka"}
"""Fixtures that need a server which may not be installed; a run ends with a count of the tests that ask for them."""


def _postgresql_programs() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if installed:
        return installed[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).parent if initdb else None


class Postgresql:
    """A PostgreSQL cluster in a temporary folder, reached by a Unix socket."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # PostgreSQL refuses to run as root, and pytest's own folders are root's alone
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="newsbeam-pg-"))
        if self._user:
            shutil.chown(self.folder, self._user)
        self._run("initdb", "-D", f"{self.folder}/data", "-U", "news", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    @property
    def uri(self) -> str:
        return f"postgresql://news@/postgres?host={self.folder}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", how, "-w", "stop")

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._user,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Postgresql]:
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: scripts/install_test_servers.sh")
    server = Postgresql(programs)
    yield server
    server.remove()


def kafka_jars() -> Path:
    """The folder into which `scripts/install_test_servers.sh` puts the broker."""
    return Path(os.environ.get("NEWSBEAM_TEST_KAFKA", Path.home() / ".cache/newsbeam/kafka"))


class Kafka:
    """One broker that is its own controller (KRaft), in a temporary folder."""

    def __init__(self, jars: Path) -> None:
        self._jars = jars
        self.folder = Path(tempfile.mkdtemp(prefix="newsbeam-kafka-"))
        broker, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{broker}"
        (self.folder / "server.properties").write_text(
            f"""process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{self.address}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={self.folder}/data
num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
"""
        )
        cluster = "newsbeam-tests-0000001"  # 22 characters, as its own ids have
        formatted = subprocess.run(
            self._java("kafka.tools.StorageTool", "format", "--standalone", "-t", cluster, "-c", self._config),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert formatted.returncode == 0, formatted.stdout + formatted.stderr
        self.start()

    @property
    def _config(self) -> str:
        return f"{self.folder}/server.properties"

    def _java(self, *arguments: str) -> list[str]:
        return ["java", "-Xmx400m", "-XX:TieredStopAtLevel=1", "-cp", f"{self._jars}/*", *arguments]

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._java("kafka.Kafka", self._config), stdout=log, stderr=log)
        host, port = self.address.split(":")

        def answers() -> bool:
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            with socket.socket() as attempt:
                return attempt.connect_ex((host, int(port))) == 0

        until(answers, 60)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="module")
def kafka() -> Iterator[Kafka]:
    jars = kafka_jars()
    if not shutil.which("java") or not any(jars.glob("kafka_2.13-*.jar")):
        pytest.skip(f"no Java, or no Kafka in {jars}: scripts/install_test_servers.sh")
    server = Kafka(jars)
    yield server
    server.remove()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until a condition holds; for servers only, since the code under test has a clock that tests set."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
