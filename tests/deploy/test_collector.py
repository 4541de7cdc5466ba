"""The Collector's configurations, as a real Collector sees them; and its way through Kafka into the graph."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from tests.deploy.files import DEPLOY
from tests.kafka_topics import Topics, kafka_metric
from tests.otel_collector import BUILD_SECONDS, NoCollector, collector_binary
from tests.otlp_requests import PROTOBUF, add_span, resource, traces
from tests.waiting import eventually
from tests.whence_server import free_ports

pytestmark = pytest.mark.timeout(BUILD_SECONDS)

CONFIGURATIONS = ["collector.yaml", "collector-cicd.yaml", "kafka/collector.yaml"]
VARIABLES = {"WHENCE_TOKEN": "t", "WHENCE_TOKENS": "t", "KAFKA_BROKERS": "kafka:9092"}
CALLS = 50


@pytest.fixture(scope="module")
def binary() -> Path:
    try:
        return collector_binary()
    except NoCollector as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configuration_is_valid(binary: Path, name: str) -> None:
    done = subprocess.run(
        [binary, "validate", f"--config={DEPLOY / name}"],
        env={**os.environ, **VARIABLES},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_spans_go_through_the_collector_and_kafka_with_their_keys(
    binary: Path, kafka_address: str, tmp_path: Path
) -> None:
    topics = Topics(kafka_address)
    topic = topics.make("spans_proto", partitions=3)
    port, address = free_ports(1)[0], tmp_path / "collector.yaml"
    configuration = yaml.safe_load((DEPLOY / "kafka" / "collector.yaml").read_text())
    configuration["receivers"]["otlp"]["protocols"] = {"http": {"endpoint": f"127.0.0.1:{port}"}}
    configuration["exporters"]["kafka"]["traces"]["topic"] = topic
    configuration["service"]["telemetry"] = {"metrics": {"level": "none"}}
    address.write_text(yaml.safe_dump(configuration))
    server = topics.server(tmp_path / "data", WHENCE_TRACE_IDLE_SECONDS="1")
    environment = {**os.environ, **VARIABLES, "KAFKA_BROKERS": kafka_address}
    collector = subprocess.Popen([binary, f"--config={address}"], env=environment)
    try:
        server.start()
        assert eventually(lambda: send_calls(f"http://127.0.0.1:{port}"))
        assert eventually(lambda: kafka_metric(server, "fold_events_total") > 0)
        assert eventually(lambda: paired(server.api) == CALLS)
        assert kafka_metric(server, "records_without_key_total") == 0
    finally:
        collector.terminate()
        collector.wait(60)
        server.stop()


def send_calls(collector: str) -> bool:
    """One request with calls from ``shop`` to ``pay``; whether it was taken."""
    shop, pay = resource("shop"), resource("pay")
    for _ in range(CALLS):
        trace_id = os.urandom(16)
        caller = add_span(shop, trace_id=trace_id)
        add_span(pay, trace_id=trace_id, parent_id=caller)
    body = traces(shop, pay).SerializeToString()
    try:
        return httpx.post(f"{collector}/v1/traces", content=body, headers=PROTOBUF).status_code == 200
    except httpx.TransportError:
        return False


def paired(api: str) -> float:
    """Spans that were counted once their traces had ended."""
    text = httpx.get(f"{api}/metrics", timeout=30).text
    line = next((line for line in text.splitlines() if 'whence_kafka_fold_events_total{event="paired"}' in line), "0")
    return float(line.split()[-1])
