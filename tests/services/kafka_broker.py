"""Apache Kafka for tests: a real KRaft node, its jars from Maven Central, kept in the user's cache.

Import both fixtures into a conftest.py (`from services.kafka_broker import kafka, kafka_prefix`);
then a test that takes `kafka` has the address of a broker that all workers of the test run share,
and topics of its own by `kafka_prefix`. A test that kills, fills or starves a broker makes a
`Broker` for itself.

RETAIL_TEST_KAFKA is the address of a broker that runs already, such as 127.0.0.1:9092.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.service import cache_folder, free_ports, unavailable

VERSION = "4.3.1"
_BUILD_SECONDS = 900
_START_SECONDS = 180
_TRIES = 3
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tests</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>{version}</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
<version>{version}</version></dependency></dependencies></project>"""
LIMITED, LIMITED_SECRET = "limited", "secret-of-limited"
"""Who may log in by SASL and is granted nothing."""
_ARCHIVE = "kafka.jsa"
_SHARED = {"broker.session.timeout.ms": "60000"}
"""Nobody kills the shared one: it is not to be taken for gone where the machine stalls."""
_OPTIONS = ("-Xmx384m", "-Xms96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker listens: for everybody with all rights, and for those who log in by SASL."""

    servers: str
    sasl: str = ""


class Broker:
    """A broker in a folder of its own; `start` again after `stop` or `kill`, it is the same one.

    `settings` are added to its properties, `limits` are shell commands run before it, such as
    `ulimit -f 1000`.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        java_options: tuple[str, ...] = _OPTIONS,
    ) -> None:
        self.folder = folder
        self.port, self._sasl_port, self._controller_port = free_ports(3)
        self._jars = _installed()
        self._java_options = java_options
        self._process: subprocess.Popen[bytes] | None = None
        self._properties = folder / "server.properties"
        folder.mkdir(parents=True, exist_ok=True)
        lines = {**self._settings(), **(settings or {})}
        self._properties.write_text("".join(f"{k}={v}\n" for k, v in lines.items()))

    @property
    def address(self) -> Address:
        return Address(f"127.0.0.1:{self.port}", f"127.0.0.1:{self._sasl_port}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, limits: str = "") -> None:
        """Returns once it answers. Raises RuntimeError with the end of its log if it does not.

        `limits` is what the shell is told first, such as `ulimit -f 1000`.
        """
        if not (self.folder / "data" / "meta.properties").exists():
            cluster = "4L6g3nShT-eMCtK--X86sw"
            arguments = ["format", "-t", cluster, "-c", str(self._properties)]
            self._run("kafka.tools.StorageTool", *arguments)
        log = (self.folder / "broker.log").open("ab")
        command = self._java("kafka.Kafka", str(self._properties))
        if limits:
            command = ["sh", "-c", f'{limits}; exec "$@"', "sh", *command]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        until = time.monotonic() + _START_SECONDS
        while not _answers(self.port):
            if time.monotonic() > until or self._process.poll() is not None:
                self.kill()
                raise RuntimeError(f"Kafka did not start: {self.log()[-2000:]}")
            time.sleep(0.1)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it in order, as an administrator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`."""
        self._end(signal.SIGKILL)

    def log(self) -> str:
        return (self.folder / "broker.log").read_text(errors="replace")

    def run(self, main_class: str, *arguments: str) -> str:
        """What a tool of Kafka's own prints, such as its console consumer."""
        return self._run(main_class, *arguments)

    def _run(self, main_class: str, *arguments: str) -> str:
        done = subprocess.run(
            self._java(main_class, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{main_class}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
        return done.stdout

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        java = shutil.which("java")
        assert java is not None
        own = [f"-Dkafka.logs.dir={self.folder}", "-cp", f"{self._jars}/*"]
        archive = self._jars.parent / _ARCHIVE
        if archive.exists():
            own.insert(0, f"-XX:SharedArchiveFile={archive}")
        return [java, *self._java_options, *own, main_class, *arguments]

    def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _settings(self) -> dict[str, str]:
        login = "org.apache.kafka.common.security.plain.PlainLoginModule"
        host = "127.0.0.1"
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{host}:{self._controller_port}",
            "listeners": f"PLAINTEXT://{host}:{self.port},SASL://{host}:{self._sasl_port},"
            f"CONTROLLER://{host}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{host}:{self.port},"
            f"SASL://{host}:{self._sasl_port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "SASL:SASL_PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.sasl.plain.sasl.jaas.config": f"{login} required "
            f'user_{LIMITED}="{LIMITED_SECRET}";',
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # A broker that was killed is let in again once it is taken for gone.
            "broker.heartbeat.interval.ms": "300",
            "broker.session.timeout.ms": "3000",
            "log.index.size.max.bytes": "262144",
            "log.cleaner.dedupe.buffer.size": str(8 << 20),
            "num.network.threads": "2",
            "num.io.threads": "2",
            "num.recovery.threads.per.data.dir": "1",
        }


@pytest.fixture(scope="session")
def kafka() -> Address:
    """A broker for all workers of the test run; it ends with the run."""
    if running := os.environ.get("RETAIL_TEST_KAFKA"):
        return Address(running)
    run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    folder = Path(tempfile.gettempdir(), f"retail-datagen-kafka-{run}")
    folder.mkdir(exist_ok=True)
    told = folder / "address.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            _installed()
            command = [sys.executable, "-m", "services.kafka_broker", str(folder), str(run)]
            keeper = subprocess.Popen(
                command,
                cwd=Path(__file__).parents[1],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=(folder / "keeper.log").open("wb"),
                start_new_session=True,
            )
            until = time.monotonic() + _TRIES * _START_SECONDS
            while not told.exists():
                if time.monotonic() > until or keeper.poll() is not None:
                    unavailable(
                        f"Kafka did not start: {(folder / 'keeper.log').read_text()[-500:]}"
                    )
                time.sleep(0.1)
    return Address(**json.loads(told.read_text()))


@pytest.fixture
def kafka_prefix() -> str:
    """What a test puts in front of its topics, so that no other test has the same."""
    return f"t{uuid.uuid4().hex[:10]}-"


def _keep(folder: Path, run: int) -> None:
    """Run the shared broker until the test run is over, however it ended."""
    broker = _started(folder)
    try:
        whole = folder / "address.tmp"
        address = broker.address
        whole.write_text(json.dumps({"servers": address.servers, "sasl": address.sasl}))
        whole.rename(folder / "address.json")
        while broker.is_running and _is_alive(run):
            time.sleep(0.5)
    finally:
        broker.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> Broker:
    """A broker, after some tries: others may take a port between its choice and its use."""
    for number in range(_TRIES - 1):
        with suppress(RuntimeError):
            broker = Broker(folder / f"broker-{number}", _SHARED)
            broker.start()
            return broker
    broker = Broker(folder / "broker", _SHARED)
    broker.start()
    return broker


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _answers(port: int) -> bool:
    """Whether a broker answers ApiVersions, so that clients will find it."""
    request = b"\x00\x12\x00\x00\x00\x00\x00\x01\x00\x00"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(len(request).to_bytes(4, "big") + request)
            return len(connection.recv(8)) == 8
    except OSError:
        return False


def _installed() -> Path:
    """The folder of Kafka's jars, fetched if they are not there yet. Others wait meanwhile."""
    folder = cache_folder() / f"kafka-{VERSION}"
    jars = folder / "jars"
    if jars.exists():
        return jars
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            unavailable(f"there is no Kafka: it takes {program}; or set RETAIL_TEST_KAFKA")
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if jars.exists():
            return jars
        with tempfile.TemporaryDirectory(dir=folder) as made:
            Path(made, "pom.xml").write_text(_POM.format(version=VERSION))
            done = subprocess.run(
                ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"],
                cwd=made,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_BUILD_SECONDS,
            )
            if done.returncode:
                unavailable(f"Kafka could not be fetched: {done.stdout.strip()[-500:]}")
            os.replace(Path(made, "jars"), jars)
            _archive(folder, Path(made, "broker"))
    return jars


def _archive(folder: Path, scratch: Path) -> None:
    """Keep Kafka's classes as the virtual machine wants them, so that brokers start in half the
    time."""
    made = scratch / _ARCHIVE
    broker = Broker(scratch, java_options=(*_OPTIONS, f"-XX:ArchiveClassesAtExit={made}"))
    broker.start()
    broker.stop()
    if made.exists():
        os.replace(made, folder / _ARCHIVE)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
