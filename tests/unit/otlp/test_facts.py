"""What the attributes of a span state: targets, operations, peers, models."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.unit.otlp.wire import decode, facts_of, only_span, traces_request, wire_span

CLIENT, PRODUCER, CONSUMER, SERVER, INTERNAL = 3, 4, 5, 2, 1
POSTGRES = {"db.system.name": "postgresql", "server.address": "db", "server.port": 5432}
KAFKA = {"messaging.system": "kafka", "server.address": "broker", "server.port": 9092}
GenAi = Mapping[str, object]


@pytest.mark.parametrize(
    ("attributes", "key"),
    [
        (
            {**POSTGRES, "db.namespace": "shop|public", "db.collection.name": "orders"},
            "postgres://db:5432#shop.public.orders",
        ),
        (
            {**POSTGRES, "db.namespace": "shop|public", "db.collection.name": "public.orders"},
            "postgres://db:5432#shop.public.orders",
        ),
        (
            {**POSTGRES, "db.namespace": "shop|public", "db.collection.name": "audit.orders"},
            "postgres://db:5432#shop.audit.orders",
        ),
        ({**POSTGRES, "db.namespace": "shop", "db.collection.name": "shop.orders"}, "postgres://db:5432#shop.orders"),
        ({**POSTGRES, "db.namespace": "shop"}, "postgres://db:5432#shop"),
        (POSTGRES, "postgres://db:5432#."),
        ({"db.system": "postgresql", "db.name": "shop", "net.peer.name": "DB"}, "postgres://db:5432#shop"),
        ({**POSTGRES, "db.namespace": "shop", "db.query.summary": "SELECT orders"}, "postgres://db:5432#shop.orders"),
        ({"db.system.name": "microsoft.sql_server", "server.address": "db", "db.namespace": "s"}, "mssql://db:1433#s"),
        ({"db.system": "mongodb", "db.name": "shop", "db.mongodb.collection": "carts"}, "mongodb://#shop.carts"),
        ({"db.system": "redis", "server.address": "cache:6379"}, "redis://cache:6379#."),
        ({"db.system.name": "sqlite", "db.namespace": "/var/shop.db"}, "sqlite://#var/shop.db"),
    ],
)
def test_database_span_names_its_dataset_as_lineage_tools_do(attributes: Mapping[str, object], key: str) -> None:
    facts = facts_of(attributes)
    assert (facts.inputs, facts.outputs, facts.peer) == ((key,), (), "")


@pytest.mark.parametrize("verb", ["SELECT", "select orders", "get", "FIND", "connect", ""])
def test_database_span_reads_unless_its_operation_writes(verb: str) -> None:
    assert facts_of({**POSTGRES, "db.operation.name": verb}).inputs


@pytest.mark.parametrize("verb", ["INSERT", "update orders", "DELETE", "upsert", "PutItem", "HSET", "insertMany"])
def test_database_span_with_a_writing_operation_writes(verb: str) -> None:
    facts = facts_of({**POSTGRES, "db.operation.name": verb})
    assert facts.outputs == ("postgres://db:5432#.",)
    assert not facts.inputs


@pytest.mark.parametrize(
    ("name", "writes"), [("INSERT shop.orders", True), ("pg.query:INSERT shop", True), ("shop", False)]
)
def test_database_span_without_an_operation_is_judged_by_its_name(name: str, writes: bool) -> None:
    assert bool(facts_of(POSTGRES, name=name).outputs) is writes


def test_database_span_never_has_its_query_parsed() -> None:
    facts = facts_of({**POSTGRES, "db.query.text": "insert into orders", "db.statement": "insert into orders"})
    assert facts.inputs == ("postgres://db:5432#.",)


def test_database_span_with_a_summary_of_two_tables_reads_both() -> None:
    facts = facts_of({**POSTGRES, "db.query.summary": "SELECT orders SELECT settings"})
    assert facts.inputs == ("postgres://db:5432#orders", "postgres://db:5432#settings")


@pytest.mark.parametrize(
    ("kind", "extra", "produces", "consumes"),
    [
        (PRODUCER, {}, True, False),
        (CONSUMER, {}, False, True),
        (CLIENT, {"messaging.operation.type": "send"}, True, False),
        (CLIENT, {"messaging.operation.type": "receive"}, False, True),
        (INTERNAL, {"messaging.operation": "publish"}, True, False),
        (CLIENT, {"messaging.operation.type": "settle"}, False, True),
        (CLIENT, {}, False, False),
        (PRODUCER, {"messaging.destination.temporary": True}, False, False),
    ],
)
def test_messaging_span_names_its_topic_by_direction(
    kind: int, extra: Mapping[str, object], produces: bool, consumes: bool
) -> None:
    facts = facts_of({**KAFKA, "messaging.destination.name": "payments", **extra}, kind=kind)
    topic = ("kafka://broker:9092#payments",)
    assert (facts.outputs, facts.consumes) == (topic if produces else (), topic if consumes else ())


def test_messaging_span_prefers_the_template_of_a_destination() -> None:
    attributes = {**KAFKA, "messaging.destination.name": "reply-7", "messaging.destination.template": "reply-{n}"}
    assert facts_of(attributes, kind=PRODUCER).outputs == ("kafka://broker:9092#reply-{n}",)


def test_object_store_span_names_the_table_that_holds_the_object() -> None:
    attributes = {"aws.s3.bucket": "Lake", "aws.s3.key": "risk/features/day=1/part-0.parquet"}
    assert facts_of({**attributes, "rpc.method": "GetObject"}).inputs == ("s3://Lake#risk/features",)
    assert facts_of({**attributes, "rpc.method": "S3/PutObject"}).outputs == ("s3://Lake#risk/features",)


@pytest.mark.parametrize(
    ("kind", "attributes", "operation"),
    [
        (SERVER, {"http.request.method": "GET", "http.route": "/u/{id}"}, "GET /u/{id}"),
        (SERVER, {"http.method": "GET", "http.route": "/u/{id}"}, "GET /u/{id}"),
        (SERVER, {"http.route": "/u/{id}"}, "/u/{id}"),
        (INTERNAL, {"http.route": "/u/{id}"}, "call"),
        (CLIENT, {"http.request.method": "GET", "url.template": "/u/{id}"}, "GET /u/{id}"),
        (SERVER, {"http.request.method": "GET"}, "call"),
        (CLIENT, {"rpc.service": "pkg.Svc", "rpc.method": "Get"}, "pkg.Svc/Get"),
        (CLIENT, {"rpc.method": "pkg.Svc/Get"}, "pkg.Svc/Get"),
        (CLIENT, {"rpc.service": "pkg.Svc", "rpc.method": "/pkg.Svc/Get"}, "pkg.Svc/Get"),
        (INTERNAL, {}, "call"),
    ],
)
def test_operation_is_the_best_name_of_low_cardinality(
    kind: int, attributes: Mapping[str, object], operation: str
) -> None:
    assert only_span(wire_span("call", attributes, kind=kind)).operation == operation


@pytest.mark.parametrize(
    ("attributes", "peer"),
    [
        ({"service.peer.name": "pay", "service.peer.namespace": "shop", "server.address": "x"}, "otel://shop#pay"),
        ({"peer.service": "pay", "server.address": "x"}, "otel://#pay"),
        ({"server.address": "Pay.shop.dev", "server.port": 443}, "net://#pay.shop.dev:443"),
        ({"server.address": "pay:8080", "server.port": 8080}, "net://#pay:8080"),
        ({"server.address": "::1", "server.port": 80}, "net://#[::1]:80"),
        ({"server.address": "[::1]:80"}, "net://#[::1]:80"),
        ({"net.peer.name": "pay", "net.peer.port": "80"}, "net://#pay:80"),
        ({"url.full": "https://pay.shop.dev/charge?card=1"}, "net://#pay.shop.dev:443"),
        ({"http.url": "http://me:pw@127.0.0.1:45052/predict"}, "net://#127.0.0.1:45052"),
        ({"url.full": "HTTPS://PAY/x"}, "net://#pay:443"),
        ({"url.full": "https://[fe80::1/x"}, ""),
        ({"url.full": "/relative?x=1"}, ""),
        ({"url.full": "https://pay?next=http://evil/"}, "net://#pay:443"),
        ({"url.full": "gopher://pay/?next=http://evil/"}, "net://#pay"),
        ({"url.full": "xhttp://pay/"}, "net://#pay"),
        ({"url.full": "http://pay/" + "x" * 108}, "net://#pay:80"),
        ({"url.full": "http://pay/" + "x" * 115}, "net://#pay:80"),
        ({"url.full": "http://pay/" + "x" * 116}, "net://#pay:80"),
        ({"url.full": "http://pay/" + "x" * 117}, "net://#pay:80"),
        ({"url.full": "http://pay/" + "x" * 900}, "net://#pay:80"),
        ({}, ""),
    ],
)
def test_peer_is_what_the_caller_knows_of_the_other_end(attributes: Mapping[str, object], peer: str) -> None:
    assert facts_of(attributes).peer == peer


@pytest.mark.parametrize("kind", [INTERNAL, SERVER, CONSUMER])
def test_peer_is_stated_by_callers_only(kind: int) -> None:
    assert facts_of({"peer.service": "pay"}, kind=kind).peer == ""


@pytest.mark.parametrize(
    ("attributes", "model"),
    [
        ({"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}, "genai://openai#gpt-4o"),
        (
            {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06"},
            "genai://openai#gpt-4o-2024-08-06",
        ),
        (
            {
                "gen_ai.system": "az.ai.openai",
                "gen_ai.request.model": "g",
                "openai.response.system_fingerprint": "fp_1",
            },
            "genai://azure.ai.openai#g@fingerprint:fp_1",
        ),
        ({"llm.provider": "Anthropic", "llm.model_name": "claude"}, "genai://anthropic#claude"),
        ({"mlflow.llm.model": '"gpt"', "mlflow.llm.provider": '"openai"'}, "genai://openai#gpt"),
        ({"mlflow.modelId": '"m-1f"', "llm.model_name": "x"}, "mlflow://#logged-models/m-1f"),
        ({"ml.model.name": "fraud", "ml.model.version": 7}, "ml://#fraud@version:7"),
        ({"ml.model.name": "fraud", "ml.model.version": "latest"}, "ml://#fraud"),
        ({"ml.model.version": "7"}, None),
        ({"whence.models": "ml://x#own@version:1", "gen_ai.request.model": "gpt"}, "ml://x#own@version:1"),
    ],
)
def test_model_is_the_most_exact_one_stated(attributes: Mapping[str, object], model: str | None) -> None:
    assert facts_of(attributes, kind=INTERNAL).models == ((model,) if model else ())


@pytest.mark.parametrize(
    ("attributes", "prompts"),
    [
        ({"whence.prompts": ["prompt://shop#greet@version:2"]}, ("prompt://shop#greet@version:2",)),
        ({"traceloop.prompt.key": "greet", "traceloop.prompt.version": 2}, ("prompt://traceloop#greet@version:2",)),
        (
            {"mlflow.linkedPrompts": json.dumps([{"name": "a", "version": "1"}, {"name": "b"}, "x", {}])},
            ("prompt://mlflow#a@version:1", "prompt://mlflow#b"),
        ),
        (
            {"mlflow.linkedPrompts": json.dumps(json.dumps([{"name": "a", "version": 1}]))},
            ("prompt://mlflow#a@version:1",),
        ),
        ({"mlflow.linkedPrompts": "{broken"}, ()),
        ({"gen_ai.prompt.name": "greet"}, ("prompt://#greet",)),
    ],
)
def test_prompts_are_named_in_any_dialect(attributes: Mapping[str, object], prompts: tuple[str, ...]) -> None:
    assert facts_of(attributes).prompts == prompts


def test_data_behind_a_hosted_model_is_an_input() -> None:
    attributes = {"gen_ai.provider.name": "openai", "gen_ai.data_source.id": "vs_1"}
    assert facts_of(attributes).inputs == ("genai://openai#data-sources/vs_1",)
    assert facts_of({"aws.bedrock.knowledge_base.id": "KB1"}).inputs == ("genai://aws.bedrock#knowledge-bases/KB1",)


def test_references_of_our_own_join_what_the_conventions_say() -> None:
    facts = facts_of({**POSTGRES, "db.namespace": "shop", "whence.inputs": ["postgres://db:5432#shop.orders@lsn:0-16"]})
    assert facts.inputs == ("postgres://db:5432#shop.orders@lsn:0-16", "postgres://db:5432#shop")


@pytest.mark.parametrize(
    ("refs", "kept", "warnings"),
    [
        (["no-hash"], (), (("invalid_reference", 1),)),
        (["s3://lake#" + "a" * 300], (), (("invalid_reference", 1),)),
        (["s3://lake#a@alias:champion", "s3://lake#a@version:latest"], ("s3://lake#a",), (("mutable_version", 2),)),
        (
            [f"s3://lake#{n}" for n in range(20)],
            tuple(f"s3://lake#{n}" for n in range(16)),
            (("too_many_references", 1),),
        ),
        ([1, None, "S3A://lake#a"], ("s3://lake#a",), (("invalid_reference", 1),)),
    ],
)
def test_references_that_break_the_contract_are_warned_of_each_time(
    refs: list[object], kept: tuple[str, ...], warnings: tuple[tuple[str, int], ...]
) -> None:
    for _ in range(2):
        batch = decode(traces_request(wire_span(attributes={"whence.inputs": refs})))
        assert batch.spans[0].facts.inputs == kept
        assert batch.warnings == warnings


@pytest.mark.parametrize(
    ("value", "poor"), [(True, True), ("true", True), (False, False), ("no", False), (None, False)]
)
def test_outcome_is_poor_when_the_application_says_so(value: object, poor: bool) -> None:
    assert facts_of({"whence.outcome.bad": value}).poor is poor


def test_new_name_wins_over_old_in_any_order() -> None:
    pairs = [("db.name", "old"), ("db.namespace", "new")]
    for ordered in (pairs, pairs[::-1]):
        assert facts_of({**POSTGRES, **dict(ordered)}).inputs == ("postgres://db:5432#new",)
