"""Settings of the consumer."""

from __future__ import annotations

from pathlib import Path

import pytest

from whence.collector.kafka.sources import Content
from whence.errors import ConfigError
from whence.main import Server
from whence.settings import KAFKA_CONTENTS, load_settings


def test_settings_know_the_contents_that_the_collector_reads() -> None:
    assert set(KAFKA_CONTENTS) == set(Content)


def test_topics_and_client_properties_are_read_from_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENCE_KAFKA_TOPICS", "spans_proto:otlp_spans, changes:what:ever")
    monkeypatch.setenv("WHENCE_KAFKA_CLIENT", "security.protocol=SASL_SSL,sasl.password=a=b")
    settings = load_settings()
    assert settings.parsed_kafka_topics == {"otlp_spans": "spans_proto", "what:ever": "changes"}
    assert settings.parsed_kafka_client == {"security.protocol": "SASL_SSL", "sasl.password": "a=b"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WHENCE_KAFKA_TOPICS", "spans"),
        ("WHENCE_KAFKA_TOPICS", "pictures:topic"),
        ("WHENCE_KAFKA_TOPICS", "spans_proto:"),
        ("WHENCE_KAFKA_TOPICS", "spans_proto:one,spans_json:one"),
        ("WHENCE_KAFKA_CLIENT", "security.protocol"),
        ("WHENCE_KAFKA_BOOTSTRAP", "broker:9092"),
    ],
)
def test_what_can_not_work_is_refused(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError):
        load_settings()


async def test_without_the_client_the_server_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whence.main.parts.find_spec", lambda _name: None)
    flags = {"data_dir": tmp_path, "api_port": 0, "otlp_http_port": 0, "otlp_grpc_port": 0}
    kafka = {"kafka_bootstrap": "127.0.0.1:1", "kafka_topics": ("changes:changes",)}
    server = Server(load_settings(**flags, **kafka))
    try:
        with pytest.raises(ConfigError, match=r"whence\[kafka\]"):
            await server.start()
    finally:
        await server.stop()
