"""Log records: errors are counted, entity and flag events become relations, the rest is accepted and forgotten."""

from __future__ import annotations

import json

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from tests.unit.otlp.wire import LIMITS, NOW_NS, START_NS, any_value, decode_log_request, key_values, logs_request
from whence.errors import DecodeError
from whence.model.delta import RelationKey
from whence.model.kinds import FOREVER_NS, EntityKind, RelationType
from whence.otlp import Encoding, LogBatch, decode_logs

BOTH = pytest.mark.parametrize("encoding", list(Encoding))
CART, CART_V1 = "otel://shop#cart", "otel://shop#cart@version:v1"
MINUTE_NS = 60_000_000_000


def log(severity: int = 0, text: str = "", at_ns: int = START_NS, event: str = "", **attributes: object) -> LogRecord:
    return LogRecord(
        time_unix_nano=at_ns,
        severity_number=severity,  # type: ignore[arg-type]
        severity_text=text,
        event_name=event,
        body=any_value("text of a customer"),
        attributes=key_values({key.replace("__", "."): value for key, value in attributes.items()}),
    )


def heartbeat(*relationships: dict[str, object], **fields: object) -> LogRecord:
    return log(
        event="entity.state",
        entity__type=fields.get("type", "service.instance"),
        entity__id=fields.get(
            "id", {"service.namespace": "shop", "service.name": "cart", "service.instance.id": "i-1"}
        ),
        entity__relationships=list(relationships),
        entity__description=fields.get("description", {}),
        entity__report__interval=60,
    )


def related(kind: str, entity_type: str, entity_id: dict[str, object], **more: object) -> dict[str, object]:
    extra = {key.replace("__", "."): value for key, value in more.items()}
    return {"relationship.type": kind, "entity.type": entity_type, "entity.id": entity_id, **extra}


def relations(batch: LogBatch) -> set[tuple[str, str, str]]:
    return {(key.src, key.type.value, key.dst) for key in batch.delta.relations}


@BOTH
@pytest.mark.parametrize(
    ("severity", "text", "counts"),
    [
        (16, "", False),
        (17, "", True),
        (24, "", True),
        (0, "ERROR", True),
        (0, "Critical", True),
        (9, "ERROR", False),
        (0, "", False),
    ],
)
def test_log_counts_as_an_error_by_its_severity(encoding: Encoding, severity: int, text: str, counts: bool) -> None:
    batch = decode_log_request(logs_request(log(severity, text)), encoding)
    assert [(one.source.version, one.time_ns) for one in batch.error_logs] == ([(CART_V1, START_NS)] if counts else [])
    assert batch.records == 1


@BOTH
def test_log_without_a_time_counts_as_observed_or_now(encoding: Encoding) -> None:
    observed = LogRecord(observed_time_unix_nano=START_NS + 5, severity_number=17)  # type: ignore[arg-type]
    batch = decode_log_request(logs_request(observed, log(17, at_ns=0)), encoding)
    assert [one.time_ns for one in batch.error_logs] == [START_NS + 5, NOW_NS]


@BOTH
def test_log_of_unknown_service_or_the_far_future_is_rejected(encoding: Encoding) -> None:
    assert decode_log_request(logs_request(log(17), resource={}), encoding).rejections.counts == (
        ("unknown_service", 1),
    )
    late = decode_log_request(logs_request(log(17, at_ns=NOW_NS + 2 * 86_400_000_000_000)), encoding)
    assert (late.records, late.rejections.counts) == (0, (("bad_time", 1),))


@BOTH
def test_log_text_never_leaves_the_decoder(encoding: Encoding) -> None:
    batch = decode_log_request(logs_request(log(17, exception__message="text of a customer")), encoding)
    assert "customer" not in repr(batch)


@BOTH
def test_flag_event_relates_the_service_to_the_variant(encoding: Encoding) -> None:
    event = log(event="feature_flag.evaluation", feature_flag__key="ranker", feature_flag__result__variant="b")
    batch = decode_log_request(logs_request(event), encoding)
    assert relations(batch) == {
        (CART, "HAS_VERSION", CART_V1),
        ("flag://#ranker", "HAS_VERSION", "flag://#ranker@version:b"),
        (CART_V1, "EVALUATES", "flag://#ranker@version:b"),
    }
    assert not batch.error_logs


@BOTH
def test_heartbeat_becomes_relations_of_the_version_that_sent_it(encoding: Encoding) -> None:
    model = "mlflow+https://ml.shop.dev#ranker@version:7"
    record = heartbeat(
        related("uses_model", "whence.model", {"whence.model.ref": model}, whence__count=1841),
        related("reads", "whence.dataset", {"whence.dataset.ref": "s3://lake#features@iceberg:3"}),
        related("writes", "whence.dataset", {"whence.dataset.ref": "s3://lake#scores"}),
        related("calls", "service", {"service.namespace": "shop", "service.name": "pay"}),
        related("part_of", "service", {"service.name": "x"}),
        related("invented", "whence.model", {"whence.model.ref": model}),
    )
    batch = decode_log_request(logs_request(record), encoding)
    assert {edge for edge in relations(batch) if edge[1] != "HAS_VERSION"} == {
        (CART_V1, "USES_MODEL", model),
        (CART_V1, "READS", "s3://lake#features@iceberg:3"),
        ("s3://lake#scores", "PRODUCED_BY", CART_V1),
        (CART_V1, "CALLS", "otel://shop#pay"),
    }
    kinds = {key: entity.kind for key, entity in batch.delta.entities.items()}
    assert kinds[model] is EntityKind.MODEL_VERSION
    assert kinds["s3://lake#features"] is EntityKind.DATASET
    assert batch.delta.edges == {}
    assert batch.delta.relations[
        RelationKey("s3://lake#scores", RelationType.PRODUCED_BY, CART_V1)
    ].active_until_ns == (FOREVER_NS)


@BOTH
def test_heartbeat_holds_until_the_next_one(encoding: Encoding) -> None:
    seen = {"whence__first_seen": START_NS - 5, "whence__last_seen": START_NS - 2}
    record = heartbeat(related("calls", "service", {"service.name": "pay"}, **seen))
    batch = decode_log_request(logs_request(record), encoding)
    relation = batch.delta.relations[RelationKey(CART_V1, RelationType.CALLS, "otel://#pay")]
    assert (relation.first_seen_ns, relation.last_seen_ns) == (START_NS - 5, START_NS - 2)
    assert relation.active_until_ns == START_NS - 2 + MINUTE_NS
    assert relation.known_ns == NOW_NS


@BOTH
def test_heartbeat_names_its_own_short_id_and_those_of_its_callers(encoding: Encoding) -> None:
    seen = {"whence__count": 9, "whence__first_seen": START_NS - 5, "whence__last_seen": START_NS - 2}
    record = heartbeat(
        related("called_by", "service", {"whence.id": "0a1b2c3d"}, **seen),
        related("called_by", "service", {"whence.id": "no id"}),
        related("called_by", "service", {}),
        description={"whence.id": "ffff0000"},
    )
    batch = decode_log_request(logs_request(record), encoding)
    assert batch.names == [("ffff0000", CART_V1)]
    assert batch.calls == [("0a1b2c3d", CART_V1, "", START_NS - 5, START_NS - 2, START_NS - 2 + MINUTE_NS)]
    assert relations(batch) == {(CART, "HAS_VERSION", CART_V1)}
    assert batch.delta.edges == {}


@BOTH
def test_heartbeat_about_another_service_speaks_of_no_version(encoding: Encoding) -> None:
    record = heartbeat(related("calls", "service", {"service.name": "x"}), id={"service.name": "other"})
    assert relations(decode_log_request(logs_request(record), encoding)) == {("otel://#other", "CALLS", "otel://#x")}


@BOTH
def test_heartbeat_without_any_service_is_rejected(encoding: Encoding) -> None:
    batch = decode_log_request(logs_request(heartbeat(id={}), resource={}), encoding)
    assert batch.rejections.counts == (("unknown_service", 1),)


@BOTH
@pytest.mark.parametrize(
    "broken",
    [
        {"relationship.type": 5},
        related("reads", "whence.dataset", {"whence.dataset.ref": "no reference"}),
        related("reads", "whence.dataset", {}),
        related("reads", "service", {"service.name": "x"}),
        related("calls", "service", {"service.name": "unknown_service"}),
        {"type": "calls"},
    ],
)
def test_heartbeat_with_a_broken_relationship_keeps_the_others(encoding: Encoding, broken: dict[str, object]) -> None:
    record = heartbeat(broken, related("calls", "service", {"service.name": "pay"}))
    assert (CART_V1, "CALLS", "otel://#pay") in relations(decode_log_request(logs_request(record), encoding))


def test_heartbeat_in_the_shape_of_the_contract_is_understood() -> None:
    instance = {"service.namespace": "risk", "service.name": "scoring"}
    ref = "mlflow+https://mlflow.acme.dev#fraud@version:7"

    def pairs(values: dict[str, str]) -> list[dict[str, object]]:
        return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]

    relationship = [
        *pairs({"type": "uses_model", "entity.type": "whence.model"}),
        {"key": "entity.id", "value": {"kvlistValue": {"values": pairs({"whence.model.ref": ref})}}},
        {"key": "whence.count", "value": {"intValue": "1841"}},
    ]
    attributes = [
        *pairs({"entity.type": "service.instance"}),
        {"key": "entity.id", "value": {"kvlistValue": {"values": pairs(instance)}}},
        {"key": "entity.report.interval", "value": {"intValue": "60"}},
        {
            "key": "entity.relationships",
            "value": {"arrayValue": {"values": [{"kvlistValue": {"values": relationship}}]}},
        },
    ]
    record = {"timeUnixNano": str(START_NS), "eventName": "entity.state", "attributes": attributes}
    resource = {"attributes": pairs({**instance, "deployment.environment.name": "prod"})}
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}
    batch = decode_logs(json.dumps(body).encode(), Encoding.JSON, limits=LIMITS, now_ns=NOW_NS)
    assert RelationKey("otel://risk#scoring", RelationType.USES_MODEL, ref, "production") in batch.delta.relations


@BOTH
@pytest.mark.parametrize("body", [b"\xff\xff", b'{"resourceLogs": 5}', b"nonsense"])
def test_logs_that_are_malformed_raise(encoding: Encoding, body: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_logs(body, encoding, limits=LIMITS, now_ns=NOW_NS)
