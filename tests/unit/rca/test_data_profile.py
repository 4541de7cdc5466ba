"""What a new snapshot looks like beside the ones before it."""

from __future__ import annotations

from typing import Any

from tests.unit.rca.scenes import candidate, scene
from whence.model.answer import Evidence
from whence.model.kinds import ChangeKind, EntityKind, RelationType
from whence.model.profile import ColumnProfile
from whence.rca.evidence.data_profile import data_profile
from whence.testing.cases import Met, bucket, incident, traffic, versioned
from whence.testing.graphs import Fact, change, entity, key, link, profile, relation

SHOP, RANKER, DATA = key("shop"), key("ranker"), "s3://lake#users"
AGE = ColumnProfile("age", null_rate=0.003, mean=40.0)
USUAL: dict[str, Any] = {"rows": 1000, "schema_hash": "a", "columns": (AGE,)}


def snapshot(number: int) -> str:
    return f"{DATA}@snapshot:{number}"


def evidence(last: dict[str, Any], *, earlier: int = 8, posted: bool = True) -> Evidence | None:
    """Evidence on the last of several snapshots, all but it alike."""
    seen = {snapshot(number): number * 4 for number in range(earlier + 1)}
    facts: list[Fact] = [entity(SHOP), entity(RANKER), relation(link(SHOP, RANKER), -9, bucket(80))]
    facts += versioned(RANKER, DATA, seen, 80, kind=EntityKind.DATASET, type_=RelationType.READS)
    facts += traffic(SHOP, range(60), {RANKER: Met(20)})
    facts += [profile(snapshot(number), DATA, bucket(number * 4), **USUAL) for number in range(earlier)]
    facts.append(profile(snapshot(earlier), DATA, bucket(earlier * 4), **(USUAL | last)))
    if posted:
        at = bucket(earlier * 4)
        facts.append(change("d", DATA, at, kind=ChangeKind.DATASET, to_version=str(earlier)))
    of = scene(facts, incident(SHOP, 59))
    (one,) = (found for found in of.candidates if found.version == snapshot(earlier))
    return data_profile(one, of)


def test_data_profile_of_many_nulls_accuses() -> None:
    found = evidence({"columns": (ColumnProfile("age", null_rate=0.41, mean=40.0),)})
    assert found is not None
    assert (found.weight, found.sentence) == (4.0, "The null rate of age went from 0.3 % to 41 % in this snapshot.")


def test_data_profile_of_few_rows_accuses() -> None:
    found = evidence({"rows": 100})
    assert found is not None
    assert "rows went from 1000 to 100" in found.sentence


def test_data_profile_that_is_further_out_accuses_more() -> None:
    odd, odder = (evidence({"rows": rows}) for rows in (700, 100))
    assert odd is not None
    assert odder is not None
    assert odd.weight < odder.weight


def test_data_profile_of_another_schema_accuses() -> None:
    found = evidence({"schema_hash": "b"})
    assert found is not None
    assert (found.weight, "another schema" in found.sentence) == (2.8, True)


def test_data_profile_of_the_usual_exonerates() -> None:
    found = evidence({"rows": 1010})
    assert found is not None
    assert (found.weight, found.direction) == (-1.0, "against")


def test_data_profile_beside_a_single_earlier_one_accuses_less() -> None:
    found = evidence({"rows": 100}, earlier=1)
    assert found is not None
    usual = evidence({"rows": 100})
    assert usual is not None
    assert 1.5 <= found.weight < usual.weight


def test_data_profile_of_an_unannounced_snapshot_works_too() -> None:
    found = evidence({"rows": 100}, posted=False)
    assert found is not None
    assert found.weight > 2.8


def test_data_profile_without_profiles_is_absent() -> None:
    facts: list[Fact] = [entity(SHOP), entity(DATA, EntityKind.DATASET)]
    facts += [
        relation(link(SHOP, DATA, RelationType.READS), -9, bucket(80)),
        *traffic(SHOP, range(60), {SHOP: Met(20)}),
    ]
    of = scene([*facts, change("d", DATA, bucket(50), kind=ChangeKind.DATASET)], incident(SHOP, 59))
    assert data_profile(candidate(of, DATA), of) is None
