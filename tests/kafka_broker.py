"""A real Kafka for tests: the one at ``WHENCE_TEST_KAFKA``, or one broker started from its published jars."""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.jars import JarsMissing, cached_jars
from tests.jvm import NoServer, find_java, kept_alive
from tests.whence_server import free_ports

VERSION = "4.4.0"
RECIPE = Path(__file__).parent / "kafka_jars"
START_TIMEOUT_SECONDS = 120
FORMAT_TIMEOUT_SECONDS = 120

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={home}/log
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=2
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
"""


@contextmanager
def running_kafka() -> Iterator[str]:
    """Address of a broker that answers, for as long as the context lasts.

    Raises:
        NoServer: None is given, and the jars or Java are missing.
    """
    given = os.environ.get("WHENCE_TEST_KAFKA")
    if given:
        yield given
        return
    try:
        jars = cached_jars(RECIPE, f"kafka-{VERSION}")
    except JarsMissing as error:
        raise NoServer(f"Tests need a Kafka: set WHENCE_TEST_KAFKA, or install Maven ({error})") from error
    port, controller_port = free_ports(2)
    home = Path(tempfile.mkdtemp(prefix="whence-kafka-"))
    properties = home / "server.properties"
    properties.write_text(_PROPERTIES.format(port=port, controller_port=controller_port, home=home))
    java = [find_java(), "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", f"{jars}/*"]
    _format([*java, "kafka.tools.StorageTool"], properties)
    address = f"127.0.0.1:{port}"
    with kept_alive([*java, "kafka.Kafka", str(properties)], home, lambda lives: _wait_until_ready(address, lives)):
        yield address


def _format(tool: list[str], properties: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # An id may not look like an option.
    command = [*tool, "format", f"--cluster-id={cluster}", "--config", str(properties)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=FORMAT_TIMEOUT_SECONDS, check=False)
    if done.returncode != 0:
        raise NoServer(f"Kafka's storage can't be formatted:\n{(done.stdout + done.stderr)[-3000:]}")


def _wait_until_ready(address: str, lives: Callable[[], bool]) -> bool:
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and lives():
        try:
            admin.list_topics(timeout=2)
        except KafkaException:
            time.sleep(0.25)
        else:
            return True
    return False
