"""Who called whom: pairing across services, peers, errors, latency and gap."""

from __future__ import annotations

import pytest

from tests.unit.fold.folding import calls, closed, edges, fold, new_folder, relations, touched
from whence.model.delta import EdgeCounts, RelationKey
from whence.model.kinds import EntityKind, RelationType
from whence.model.sketch import bucket_index, decode
from whence.model.spans import Facts, SpanKind
from whence.testing.spans import MILLISECOND_NS, START_NS, source, span

CLIENT, SERVER, PRODUCER, CONSUMER = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER
INTERNAL = SpanKind.INTERNAL
HOST = "net://#pay.shop.dev:443"
TABLE = "postgres://db:5432#shop.orders"


def latency_ms(sketch: bytes) -> dict[int, float]:
    return decode(sketch)


def bucket(millis: float) -> int:
    return bucket_index(round(millis * 1000))


def test_call_joins_client_and_server_of_two_services() -> None:
    delta = fold(
        span(1, service="web"),
        span(2, 1, service="web", kind=CLIENT, millis=8),
        span(3, 2, service="cart", version="v2", millis=5),
    )
    counts = calls(delta)["web@v1", "cart@v2"]
    assert (counts.spans, counts.calls, counts.errors) == (1, 1.0, 0.0)
    assert latency_ms(counts.latency) == {bucket(8): 1.0}
    assert latency_ms(counts.gap) == {bucket(3): 1.0}


def test_call_joins_parent_and_child_of_any_kind() -> None:
    delta = fold(
        span(1, service="web", kind=SpanKind.UNSPECIFIED, millis=9), span(2, 1, service="cart", kind=INTERNAL, millis=4)
    )
    counts = calls(delta)["web@v1", "cart@v1"]
    assert latency_ms(counts.latency) == {bucket(4): 1.0}
    assert counts.gap == b""


def test_call_of_one_client_span_to_several_servers_takes_their_own_times() -> None:
    delta = fold(
        span(1, service="web", kind=CLIENT, millis=20),
        span(2, 1, service="cart", millis=5),
        span(3, 1, service="cart", version="v2", millis=7),
    )
    assert latency_ms(calls(delta)["web@v1", "cart@v1"].latency) == {bucket(5): 1.0}
    assert latency_ms(calls(delta)["web@v1", "cart@v2"].latency) == {bucket(7): 1.0}
    assert calls(delta)["web@v1", "cart@v1"].gap == b""


def test_call_whose_server_outlasts_its_client_has_no_gap() -> None:
    delta = fold(span(1, service="web", kind=CLIENT, millis=5), span(2, 1, service="cart", millis=9))
    assert latency_ms(calls(delta)["web@v1", "cart@v1"].gap) == {0: 1.0}


def test_call_between_versions_of_one_service_is_counted() -> None:
    delta = fold(span(1, version="v1", kind=CLIENT), span(2, 1, version="v2"))
    assert set(calls(delta)) == {("cart@v1", "cart@v2")}


def test_call_within_one_version_is_not_a_relation() -> None:
    assert calls(fold(span(1), span(2, 1, kind=CLIENT), span(3, 2))) == {}


def test_call_of_services_without_versions_relates_the_services() -> None:
    delta = fold(span(1, service="web", version=None, kind=CLIENT), span(2, 1, service="cart", version=None))
    assert set(calls(delta)) == {("web", "cart")}
    assert relations(delta, RelationType.HAS_VERSION) == set()


@pytest.mark.parametrize(
    ("caller", "callee", "below", "errors", "origin"),
    [
        (False, False, False, 0.0, 0.0),
        (True, False, False, 0.0, 0.0),
        (True, True, False, 1.0, 1.0),
        (True, True, True, 1.0, 0.0),
        (False, True, False, 1.0, 1.0),
    ],
)
def test_call_fails_when_the_callee_did(caller: bool, callee: bool, below: bool, errors: float, origin: float) -> None:
    delta = fold(
        span(1, service="web", kind=CLIENT, error=caller),
        span(2, 1, service="cart", error=callee),
        span(3, 2, service="cart", kind=INTERNAL, error=below),
    )
    counts = calls(delta)["web@v1", "cart@v1"]
    assert (counts.errors, counts.origin_errors) == (errors, origin)


def test_call_that_nobody_answered_goes_to_the_peer() -> None:
    delta = fold(
        span(1, service="web"), span(2, 1, service="web", kind=CLIENT, error=True, facts=Facts(peer=HOST), millis=4)
    )
    counts = calls(delta)["web@v1", HOST]
    assert (counts.calls, counts.errors, counts.origin_errors) == (1.0, 1.0, 1.0)
    assert latency_ms(counts.latency) == {bucket(4): 1.0}
    assert latency_ms(counts.gap) == {bucket(4): 1.0}
    assert delta.entities[HOST].kind is EntityKind.EXTERNAL
    assert touched(delta, "web") == {"": 1.0, "web@v1": 1.0, HOST: 1.0}


def test_call_that_was_answered_does_not_also_go_to_the_peer() -> None:
    delta = fold(span(1, service="web", kind=CLIENT, facts=Facts(peer=HOST)), span(2, 1, service="cart"))
    assert set(calls(delta)) == {("web@v1", "cart@v1")}
    assert HOST not in delta.entities


def test_call_through_two_client_spans_is_the_inner_ones() -> None:
    outer, inner = Facts(peer=HOST), Facts(peer="net://#10.0.0.7:443")
    delta = fold(span(1, service="web", kind=CLIENT, facts=outer), span(2, 1, service="web", kind=CLIENT, facts=inner))
    assert set(calls(delta)) == {("web@v1", "net://#10.0.0.7:443")}


def test_call_through_two_client_spans_that_was_answered_has_no_peer() -> None:
    delta = fold(
        span(1, service="web", kind=CLIENT, facts=Facts(peer=HOST)),
        span(2, 1, service="web", kind=INTERNAL),
        span(3, 2, service="web", kind=CLIENT, facts=Facts(peer=HOST)),
        span(4, 3, service="cart"),
    )
    assert set(calls(delta)) == {("web@v1", "cart@v1")}


def test_call_with_a_name_lookup_below_still_goes_to_the_peer() -> None:
    delta = fold(
        span(1, service="web", kind=CLIENT, facts=Facts(peer=HOST)), span(2, 1, service="web", kind=CLIENT, millis=1)
    )
    assert set(calls(delta)) == {("web@v1", HOST)}


def test_call_of_a_peer_that_is_a_known_service_stays_external_until_seen() -> None:
    delta = fold(span(1, service="web", kind=CLIENT, facts=Facts(peer="otel://shop#pay")))
    assert delta.entities["otel://shop#pay"].kind is EntityKind.EXTERNAL
    delta = fold(
        span(1, service="web", kind=CLIENT, facts=Facts(peer="otel://shop#pay")),
        span(1, trace=2, service="pay", version=None),
    )
    assert delta.entities["otel://shop#pay"].kind is EntityKind.SERVICE


def test_client_without_server_and_peer_is_counted_as_unpaired() -> None:
    folder = new_folder()
    folder.push([span(1, service="web"), span(2, 1, service="web", kind=CLIENT)], START_NS)
    closed(folder)
    assert folder.stats.unpaired_callers == 1
    assert folder.stats.paired == 0


@pytest.mark.parametrize(
    ("field", "kind", "key", "entity"),
    [
        ("inputs", RelationType.READS, TABLE, EntityKind.DATASET),
        ("models", RelationType.USES_MODEL, "ml://#fraud@version:7", EntityKind.MODEL_VERSION),
        ("prompts", RelationType.USES_PROMPT, "prompt://#greet@version:2", EntityKind.PROMPT_VERSION),
        ("flags", RelationType.EVALUATES, "flag://#ranker@version:b", EntityKind.FLAG_VERSION),
        ("consumes", RelationType.CONSUMES, "kafka://b:9092#pay", EntityKind.DATASET),
    ],
)
def test_target_that_a_span_states_is_related_with_counts(
    field: str, kind: RelationType, key: str, entity: EntityKind
) -> None:
    delta = fold(span(1, kind=INTERNAL, error=True, weight=4.0, facts=Facts(**{field: (key,)})))  # type: ignore[arg-type]
    (counts,) = edges(delta, kind).values()
    assert counts[:4] == EdgeCounts(1, 4.0, 4.0, 4.0, b"", b"")[:4]
    assert delta.entities[key].kind is entity
    assert touched(delta, "cart")[key.replace("@version:", "@")] == 4.0


def test_target_stated_by_nested_spans_is_counted_once_at_the_innermost() -> None:
    facts = Facts(inputs=(TABLE,))
    delta = fold(
        span(1),
        span(2, 1, kind=CLIENT, millis=9, facts=facts),
        span(3, 2, kind=CLIENT, millis=3, facts=facts),
        span(4, 1, kind=CLIENT, millis=5, facts=facts),
    )
    counts = edges(delta)["cart@v1", "READS", TABLE]
    assert (counts.spans, latency_ms(counts.latency)) == (2, {bucket(3): 1.0, bucket(5): 1.0})


def test_target_stated_by_caller_and_callee_is_counted_for_both() -> None:
    facts = Facts(inputs=(TABLE,))
    delta = fold(span(1, service="web", kind=INTERNAL, facts=facts), span(2, 1, service="cart", facts=facts))
    assert edges(delta)["web@v1", "READS", TABLE].spans == 1
    assert edges(delta)["cart@v1", "READS", TABLE].spans == 1


def test_target_of_the_whole_process_is_counted_once_for_each_request() -> None:
    serving = source("cart", models=("ml://#fraud@version:7",), inputs=(TABLE,))
    delta = fold(
        span(1, service=serving), span(2, 1, service=serving, kind=INTERNAL), span(3, trace=2, service=serving)
    )
    assert edges(delta)["cart@v1", "USES_MODEL", "ml://#fraud@7"].calls == 2.0
    assert edges(delta)["cart@v1", "READS", TABLE].calls == 2.0
    assert touched(delta, "cart")["ml://#fraud@7"] == 2.0


def test_output_is_produced_by_the_version_and_derives_from_what_it_used() -> None:
    delta = fold(
        span(1, facts=Facts(models=("ml://#fraud@version:7",))),
        span(2, 1, kind=CLIENT, facts=Facts(inputs=(TABLE,))),
        span(3, 1, kind=PRODUCER, facts=Facts(outputs=("kafka://b:9092#scores",))),
        span(4, 2, service="db-proxy", facts=Facts(inputs=("s3://lake#other",))),
    )
    topic = "kafka://b:9092#scores"
    assert relations(delta, RelationType.PRODUCED_BY) == {(topic, "cart@v1")}
    assert relations(delta, RelationType.DERIVED_FROM) == {(topic, TABLE), (topic, "ml://#fraud@7")}
    assert edges(delta)[topic, "PRODUCED_BY", "cart@v1"].calls == 1.0
    assert topic not in touched(delta, "cart")


def test_output_does_not_derive_from_itself() -> None:
    delta = fold(span(1, facts=Facts(inputs=(TABLE,), outputs=(TABLE,))))
    assert relations(delta, RelationType.DERIVED_FROM) == set()


def test_message_is_consumed_from_the_topic_and_not_a_call_of_the_producer() -> None:
    topic = "kafka://b:9092#pay"
    delta = fold(
        span(1, service="web"),
        span(2, 1, service="web", kind=PRODUCER, facts=Facts(outputs=(topic,))),
        span(3, 2, service="mail", kind=CONSUMER, error=True, facts=Facts(consumes=(topic,))),
    )
    assert calls(delta) == {}
    assert set(edges(delta)) == {(topic, "PRODUCED_BY", "web@v1"), ("mail@v1", "CONSUMES", topic)}
    assert touched(delta, "web") == {"": 1.0, "web@v1": 1.0}
    assert touched(delta, "mail") == {"": 1.0, "mail@v1": 1.0, topic: 1.0}


def test_message_without_a_topic_relates_the_consumer_to_the_producer() -> None:
    delta = fold(span(1, service="web", kind=PRODUCER), span(2, 1, service="mail", kind=CONSUMER))
    assert set(edges(delta)) == {("mail@v1", "CONSUMES", "web@v1")}


def test_message_that_a_service_sends_itself_is_a_request_of_its_own() -> None:
    delta = fold(span(1), span(2, 1, kind=PRODUCER), span(3, 2, kind=CONSUMER, operation="work"))
    assert touched(delta, "cart")[""] == 2.0


def test_relation_lives_from_first_start_to_last_end() -> None:
    delta = fold(
        span(1, service="web", kind=CLIENT, at_ms=0),
        span(2, 1, service="cart", at_ms=2, millis=5),
        span(1, trace=2, service="web", kind=CLIENT, at_ms=50),
        span(2, 1, trace=2, service="cart", at_ms=52, millis=5),
    )
    relation = delta.relations[
        RelationKey("otel://shop#web@version:v1", RelationType.CALLS, "otel://shop#cart@version:v1", "production")
    ]
    assert relation.first_seen_ns == START_NS + 2 * MILLISECOND_NS
    assert relation.last_seen_ns == relation.active_until_ns == START_NS + 57 * MILLISECOND_NS


def test_version_is_related_to_its_service_in_its_environment() -> None:
    delta = fold(span(1), span(1, trace=2, service=source("cart", environment="staging"), at_ms=7))
    environments = {key.environment for key in delta.relations if key.type is RelationType.HAS_VERSION}
    assert environments == {"production", "staging"}
    entity = delta.entities["otel://shop#cart@version:v1"]
    assert (entity.kind, entity.base) == (EntityKind.SERVICE_VERSION, "otel://shop#cart")
    assert entity.first_seen_ns == START_NS


def test_version_keeps_the_attributes_of_all_its_instances() -> None:
    one = source("cart", attributes={"telemetry.sdk.language": "python", "service.criticality": "high"})
    other = source("cart", attributes={"telemetry.sdk.language": "rust"})
    for order in ([one, other], [other, one]):
        delta = fold(*(span(1, trace=number, service=sender) for number, sender in enumerate(order, 1)))
        entity = delta.entities["otel://shop#cart@version:v1"]
        assert entity.attribute("telemetry.sdk.language") == "rust"
        assert entity.attribute("service.criticality") == "high"


def test_thing_used_as_model_and_as_data_is_a_model() -> None:
    key = "https://huggingface.co#acme/fraud@git:1"
    for first, second in (("models", "inputs"), ("inputs", "models")):
        delta = fold(
            span(1, facts=Facts(**{first: (key,)})),  # type: ignore[arg-type]
            span(2, trace=2, facts=Facts(**{second: (key,)})),  # type: ignore[arg-type]
        )
        assert delta.entities[key].kind is EntityKind.MODEL_VERSION
