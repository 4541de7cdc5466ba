"""Changes that nobody recorded, and their match with recorded ones."""

from __future__ import annotations

from dataclasses import replace

from whence.model.change import Change
from whence.model.delta import Entity
from whence.model.kinds import ChangeKind, EntityKind, RelationType
from whence.model.names import REVISION, SERVICE_VERSION
from whence.rca.inferred import Sighting, inferred_change, match, sightings, version_labels
from whence.testing.graphs import attributes, change, entity, key, link, relation

BASE, V1, V2 = key("ranker"), key("ranker", "v1"), key("ranker", "v2")
SHA = "4f2a9c01d7e8b3a65c1f0e9d8b7a6c5d4e3f2a1b"


def seen(*versions: tuple[str, float, str]) -> tuple[Sighting, ...]:
    return sightings(
        [
            relation(link(BASE, one, RelationType.HAS_VERSION, environment=where), first)
            for one, first, where in versions
        ],
        None,
    )


def matched(one: Change, sighting: Sighting, known: Entity | None = None) -> bool:
    entities = {} if known is None else {known.key: known}
    return match([one], {one.id: (BASE,)}, [sighting], entities) == {one.id: sighting}


def test_sightings_second_version_replaced_the_first() -> None:
    (found,) = seen((V1, 0, "prod"), (V2, 100, "prod"))
    assert (found.base, found.previous, found.version) == (BASE, V1, V2)


def test_sightings_first_version_ever_is_no_change() -> None:
    assert seen((V1, 0, "prod")) == ()


def test_sightings_first_version_in_another_environment_is_no_change() -> None:
    assert seen((V1, 0, "prod"), (V2, 100, "staging")) == ()


def test_sightings_one_environment_leaves_the_others_out() -> None:
    relations = [
        relation(link(BASE, version, RelationType.HAS_VERSION, environment=where), first)
        for version, first, where in ((V1, 0, "prod"), (V2, 9, "prod"), (V1, 0, "staging"), (V2, 5, "staging"))
    ]
    assert {one.environment for one in sightings(relations, "staging")} == {"staging"}
    assert len(sightings(relations, None)) == 2


def test_sightings_of_one_environment_take_in_what_named_none() -> None:
    relations = [
        relation(link(BASE, version, RelationType.HAS_VERSION, environment=where), first)
        for version, first, where in ((V1, 0, "production"), (V2, 9, "production"), (V2, 5, ""))
    ]
    (found,) = sightings(relations, "production")
    assert (found.version, found.previous, found.environment) == (V2, V1, "production")
    assert found.first_seen_ns == relations[2].first_seen_ns


def test_sightings_of_a_version_that_lineage_told_too_are_one() -> None:
    (found,) = seen((V1, 0, "production"), (V1, 0, ""), (V2, 9, "production"), (V2, 5, ""))
    assert (found.version, found.environment, found.previous) == (V2, "production", V1)


def test_sightings_of_versions_that_only_lineage_told_are_kept() -> None:
    (found,) = seen((V1, 0, ""), (V2, 5, ""))
    assert (found.version, found.environment) == (V2, "")


def test_match_of_a_config_with_new_code_is_refused() -> None:
    (found,) = seen((V1, 0, "prod"), (V2, 1000, "prod"))
    code = entity(V2, EntityKind.SERVICE_VERSION, base=BASE)
    assert not matched(change("c", BASE, 990, kind=ChangeKind.CONFIG), found, code)
    assert matched(change("d", BASE, 990, kind=ChangeKind.DEPLOYMENT), found, code)


def test_match_of_a_sighting_without_environment_is_found() -> None:
    (found,) = seen((V1, 0, ""), (V2, 1000, ""))
    assert matched(change("d", BASE, 1000, to_version="v2", environment="production"), found)


def test_inferred_change_same_sighting_same_id() -> None:
    (found,) = seen((V1, 0, "prod"), (V2, 100, "prod"))
    first = inferred_change(found, EntityKind.SERVICE)
    assert first is not None
    assert first == inferred_change(found, EntityKind.SERVICE)
    assert (first.kind, first.subject, first.from_version, first.to_version) == (
        ChangeKind.DEPLOYMENT,
        BASE,
        "v1",
        "v2",
    )
    assert (first.recorded, first.source, first.effective_ns) == (False, "spans", found.first_seen_ns)


def test_inferred_change_of_a_job_is_none() -> None:
    (found,) = seen((V1, 0, "prod"), (V2, 100, "prod"))
    assert inferred_change(found, EntityKind.JOB) is None


def test_match_by_version_reaches_across_hours() -> None:
    (found,) = seen((V1, 0, "prod"), (V2, 20_000, "prod"))
    assert matched(change("d", BASE, 100, to_version="v2"), found)


def test_match_by_full_or_short_revision() -> None:
    known = entity(V2, EntityKind.SERVICE_VERSION, base=BASE, attributes=attributes(**{REVISION: SHA}))
    (found,) = seen((V1, 0, "prod"), (V2, 20_000, "prod"))
    assert matched(change("d", BASE, 0, to_version=SHA), found, known)
    assert matched(change("d", BASE, 0, to_version=SHA[:7]), found, known)
    assert not matched(change("d", BASE, 0, to_version="0000000"), found, known)


def test_match_without_a_version_goes_by_time() -> None:
    (found,) = seen((V1, 0, "prod"), (V2, 1000, "prod"))
    assert matched(change("d", BASE, 900), found)
    assert not matched(change("d", BASE, -5000), found)


def test_match_of_the_version_that_was_replaced_is_refused() -> None:
    (found,) = seen((V1, 0, "prod"), (V2, 1000, "prod"))
    assert not matched(change("d", BASE, 990, to_version="v1"), found)


def test_match_in_another_environment_is_refused() -> None:
    (found,) = seen((V1, 0, "prod"), (V2, 1000, "prod"))
    one = change("d", BASE, 1000, to_version="v2", environment="staging")
    assert not matched(one, found)
    assert matched(replace(one, environment="prod"), found)


def test_version_labels_hold_everything_a_report_may_say() -> None:
    known = entity(
        V2, EntityKind.SERVICE_VERSION, base=BASE, attributes=attributes(**{REVISION: SHA, SERVICE_VERSION: "2.0"})
    )
    assert {V2, "v2", "2.0", SHA, SHA[:7]} <= version_labels(V2, known)
