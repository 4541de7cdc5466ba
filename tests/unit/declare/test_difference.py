"""Declared against observed: every kind of finding, and nothing where both agree."""

from __future__ import annotations

from dataclasses import replace

from whence.declare.coverage import Coverage
from whence.declare.declared import Declared
from whence.declare.difference import Finding, differences, pinned, unexpected
from whence.declare.statements import Edge, Source, Statements, Thing
from whence.model.graph import Dependency
from whence.model.kinds import EntityKind, Layer, RelationType
from whence.testing.graphs import at, key, link, relation

SHOP, RANK, PAY = key("storefront"), key("ranking"), key("payment")
CLICKS = "postgres://db:5432#shop.public.clicks"
STRIPE = "net://#api.stripe.com:443"


def sees(src: str, dst: str, type_: RelationType = RelationType.CALLS, environment: str = "production") -> Dependency:
    return Dependency(src, type_, dst, environment, Layer.OBSERVED, at(0), at(10))


def alive(service: str) -> Dependency:
    return sees(service, service, RelationType.HAS_VERSION)


def says(src: str, dst: str, type_: RelationType = RelationType.CALLS, **more: object) -> Edge:
    return Edge(src, type_, dst, "whence.yaml", 3)._replace(**more)  # type: ignore[arg-type]


def found(observed: list[Dependency], *edges: Edge, environment: str | None = None) -> list[tuple[str, str, str, str]]:
    keys = {end for one in observed for end in (one.src, one.dst)}
    declared = Declared([Source("repo", "r1", Statements(edges))], keys)
    return [
        (one.status.value, one.dependent, one.dependency, one.reason)
        for one in sorted(differences(observed, declared, Coverage(observed), environment))
    ]


def test_nothing_where_names_hosts_and_tables_mean_what_is_observed() -> None:
    observed = [
        sees(SHOP, RANK),
        sees(SHOP, STRIPE),
        sees(RANK, CLICKS, RelationType.READS),
        sees(RANK, "mlflow://m#fraud", RelationType.USES_MODEL),
    ]
    edges = (
        says("Storefront", RANK),
        says(SHOP, "API.stripe.com"),
        says("ranking", "clicks", RelationType.READS),
        says("ranking", "fraud", RelationType.USES_MODEL),
    )
    assert found(observed, *edges) == []


def test_host_of_a_compose_file_covers_every_table_on_it() -> None:
    assert found([sees(SHOP, CLICKS, RelationType.READS)], says("storefront", "db")) == []


def test_every_kind_of_undeclared_dependency_is_found() -> None:
    observed = [
        sees(SHOP, RANK),
        sees(SHOP, CLICKS, RelationType.READS),
        sees(SHOP, "kafka://b:9092#orders", RelationType.CONSUMES),
        sees(SHOP, "mlflow://m#fraud", RelationType.USES_MODEL),
        sees(SHOP, STRIPE),
    ]
    assert {(one[0], one[2]) for one in found(observed)} == {("undeclared", one.dst) for one in observed}


def test_flags_versions_and_derivations_need_no_declaration() -> None:
    observed = [alive(SHOP), sees(SHOP, "flag#x", RelationType.EVALUATES), sees("m#a", CLICKS, RelationType.TRAINED_ON)]
    assert found(observed) == []


def test_allowed_is_not_declared() -> None:
    edge = says("storefront", "ranking", layer=Layer.ALLOWED)
    assert found([sees(SHOP, RANK)], edge) == [("undeclared", SHOP, RANK, "only_allowed")]
    assert found([alive(SHOP), alive(RANK)], edge) == []


def test_declaration_of_another_environment_does_not_count() -> None:
    edge = says("storefront", "ranking", environment="staging")
    observed = [sees(SHOP, RANK), alive(RANK)]
    assert [one[0] for one in found(observed, edge)] == ["undeclared", "unused"]
    assert [one[0] for one in found(observed, edge, environment="production")] == ["undeclared"]


def test_what_was_seen_without_an_environment_may_be_of_any() -> None:
    edge = says("storefront", "ranking", environment="staging")
    for environment in (None, "staging"):
        assert found([sees(SHOP, RANK, environment="")], edge, environment=environment) == []


def test_unused_only_where_it_would_have_been_seen() -> None:
    call, reads = says(SHOP, RANK), says(SHOP, CLICKS, RelationType.READS)
    assert found([], call) == [("blind_spot", SHOP, RANK, "dependent_not_seen")]
    assert found([alive(SHOP)], call) == [("blind_spot", SHOP, RANK, "no_calls_seen")]
    assert found([alive(SHOP), alive(RANK)], call) == [("unused", SHOP, RANK, "never_observed")]
    assert found([sees(SHOP, PAY)], call, says(SHOP, PAY)) == [("unused", SHOP, RANK, "never_observed")]
    assert found([sees(SHOP, PAY)], reads, says(SHOP, PAY)) == [("blind_spot", SHOP, CLICKS, "no_data_seen")]


def test_dependency_that_is_declared_in_lineage_events_needs_no_file() -> None:
    declared = sees(SHOP, CLICKS, RelationType.READS)._replace(layer=Layer.DECLARED)
    assert found([sees(SHOP, CLICKS, RelationType.READS), declared]) == []


def test_versions_other_than_the_expected_are_found_and_the_expected_are_not() -> None:
    edge = says(SHOP, RANK, versions=("v40", "9d59409"))
    declared = Declared([Source("repo", "r1", Statements((edge,)))], [SHOP, RANK])
    ((pair, statements),) = pinned(declared, None).items()
    used = [key("ranking", "v40"), key("ranking", "v41"), f"{RANK}@git:9d59409acf479dfa0df1aa568182e43e43df8bbe"]
    in_use = [relation(link(key("storefront", "v1"), one), 0, 5) for one in used]
    (finding,) = unexpected(pair, statements, in_use)
    assert isinstance(finding, Finding)
    assert (finding.versions, finding.first_seen_ns) == ((key("ranking", "v41"),), at(0))
    assert unexpected(pair, statements, in_use[:1]) == []


def test_disagreeing_declarations_are_both_shown() -> None:
    mine = Thing("storefront", EntityKind.SERVICE, "a.yaml", 3, owner="team-a")
    theirs = changed(mine, file="b.yaml", line=9, owner="team-b")
    pin, other_pin = says(SHOP, RANK, versions=("v1",)), says(SHOP, RANK, versions=("v2",), file="b.yaml")
    sources = [
        Source("one", "r1", Statements((pin,), (mine,))),
        Source("two", "r2", Statements((other_pin,), (theirs, mine))),
    ]
    owner, versions = Declared(sources, [SHOP, RANK]).disagreements()
    assert (owner.subject, owner.field) == (SHOP, "owner")
    assert [(one.value, one.source, one.file, one.line) for one in owner.values] == [
        ("team-a", "one", "a.yaml", 3),
        ("team-b", "two", "b.yaml", 9),
        ("team-a", "two", "a.yaml", 3),
    ]
    assert {one.value for one in versions.values} == {"v1", "v2"}
    agreeing = replace(sources[0].statements, things=(mine, mine))
    assert Declared([sources[0]._replace(statements=agreeing)], [SHOP]).disagreements() == ()


def changed(thing: Thing, **more: object) -> Thing:
    return thing._replace(**more)  # type: ignore[arg-type]
