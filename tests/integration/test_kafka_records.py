"""What becomes of single records: lineage, changes, and what nothing can be made of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kafka_topics import Topics, kafka_metric
from tests.otlp_requests import some_spans
from tests.waiting import eventually
from tests.whence_server import WhenceServer

RUN = {
    "eventTime": "2026-11-23T10:00:00Z",
    "producer": "https://example.org",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "eventType": "COMPLETE",
    "run": {"runId": "01a20aa8-8375-73b2-bcf5-eca38873015a"},
    "job": {"namespace": "airflow", "name": "daily"},
    "inputs": [{"namespace": "s3://lake", "name": "raw"}],
    "outputs": [{"namespace": "s3://lake", "name": "features"}],
}
CHANGE = {"kind": "deployment", "subject": "otel://shop#ranker", "to": "v41", "environment": "production"}


def read(server: WhenceServer, path: str, **params: str) -> Any:
    return httpx.get(f"{server.api}/api/v1/{path}", params=params, timeout=30).raise_for_status().json()


def text(header: str | bytes | None) -> str:
    assert isinstance(header, bytes)
    return header.decode()


def recorded(server: WhenceServer) -> list[str]:
    """Ids of the changes that somebody recorded."""
    found = read(server, "changes", **{"from": "2026-11-01T00:00:00Z"})["items"]
    return [one["id"] for one in found if one["source"] == "kafka"]


@pytest.mark.slow
def test_lineage_and_changes_arrive_and_sent_twice_they_are_one(kafka_address: str, tmp_path: Path) -> None:
    topics = Topics(kafka_address)
    lineage, changes = topics.make("openlineage"), topics.make("changes")
    for _ in range(2):
        topics.send(lineage, json.dumps(RUN).encode(), b"run:airflow/daily")
        topics.send(changes, json.dumps({**CHANGE, "effective_at": "2026-11-23T11:58:00Z"}).encode())
    topics.send(changes, json.dumps([{**CHANGE, "id": "one"}, {**CHANGE, "id": "two"}]).encode())
    topics.flush()
    server = topics.server(tmp_path / "data")
    server.start()
    try:
        assert eventually(lambda: kafka_metric(server, "commits_total") and not kafka_metric(server, "lag_records"))
        assert eventually(lambda: recorded(server))
        assert len(recorded(server)) == 3
        upstream = read(server, "lineage", nodeId="dataset:s3://lake:features")
        assert {"job:airflow:daily", "dataset:s3://lake:raw"} <= {node["id"] for node in upstream["graph"]}
    finally:
        server.stop()


@pytest.mark.slow
def test_change_without_a_time_keeps_its_identity_when_it_is_read_again(kafka_address: str, tmp_path: Path) -> None:
    topics = Topics(kafka_address)
    topics.send(topics.make("changes"), json.dumps(CHANGE).encode())
    topics.flush()
    found = []
    for group in ("first", "second"):
        server = topics.server(tmp_path / "data", WHENCE_KAFKA_GROUP=f"{group}-{topics.tag}")
        server.start()
        try:
            assert eventually(lambda: kafka_metric(server, "commits_total") > 0)  # noqa: B023
            assert eventually(lambda: read(server, "changes")["items"])  # noqa: B023
            found.append([one["id"] for one in read(server, "changes")["items"]])
        finally:
            server.stop()
    assert found[0] == found[1]
    assert len(found[0]) == 1


@pytest.mark.slow
def test_poison_goes_to_the_dead_letters_with_the_reason_and_holds_up_nothing(
    kafka_address: str, tmp_path: Path
) -> None:
    topics = Topics(kafka_address)
    spans, changes = topics.make("spans_proto"), topics.make("changes")
    lineage, json_spans = topics.make("openlineage"), topics.make("spans_json")
    poison = {spans: b"\xff\xff", changes: b'{"kind": "dance"}', lineage: b"[]", json_spans: b"{"}
    for topic, value in poison.items():
        topics.send(topic, value, b"key of " + topic.encode())
    topics.send(spans, some_spans("after", 3), b"k")
    topics.flush()
    server = topics.server(tmp_path / "data", WHENCE_TRACE_IDLE_SECONDS="0.3")
    server.start()
    try:
        assert eventually(lambda: kafka_metric(server, "dead_letters_total") == 4)
        assert eventually(lambda: read(server, "entities", q="after")["items"])
    finally:
        server.stop()
    letters = topics.dead(4)
    headers = [dict(letter.headers() or ()) for letter in letters]
    values = {text(header["whence.topic"]): one.value() for header, one in zip(headers, letters, strict=True)}
    assert values == poison
    assert {header["whence.reason"] for header in headers} == {b"malformed"}
    assert all(header["whence.error"] and header["whence.offset"] == b"0" for header in headers)
    assert {letter.key() for letter in letters} == {b"key of " + topic.encode() for topic in poison}


@pytest.mark.slow
def test_doctor_tells_whether_partitions_are_read_and_what_was_put_aside(kafka_address: str, tmp_path: Path) -> None:
    topics = Topics(kafka_address)
    topics.send(topics.make("changes"), b"{")
    topics.flush()
    server = topics.server(tmp_path / "data")
    server.start()
    try:
        assert eventually(lambda: kafka_metric(server, "dead_letters_total") == 1)
        command = [sys.executable, "-m", "whence.cli", "doctor", "--json", "--url", server.api]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        server.stop()
    findings = {one["what"]: one for one in json.loads(done.stdout)}
    assert findings["kafka"] == {"what": "kafka", "is_fine": True, "detail": "0 records wait in 1 partitions"}
    assert not findings["records of Kafka put aside"]["is_fine"]
