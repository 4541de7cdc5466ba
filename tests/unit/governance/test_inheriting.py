"""Labels come along with what files say a thing was made from."""

from __future__ import annotations

from whence.declare.declared import Declared
from whence.declare.statements import Declassification, Edge, Source, Statements
from whence.governance.inheriting import inherit
from whence.model.kinds import RelationType

PEOPLE, CLEAN, SCORER, CREDIT = "s3://lake#people", "s3://lake#clean", "m#scorer", "otel://shop#credit"
MADE = (
    Edge(CLEAN, RelationType.DERIVED_FROM, PEOPLE, "f", 1),
    Edge("scorer", RelationType.TRAINED_ON, "clean", "f", 2),
    Edge("credit", RelationType.USES_MODEL, "scorer", "f", 3),
    Edge(PEOPLE, RelationType.DERIVED_FROM, CLEAN, "f", 4),
)


def inherited(*ends_at: str) -> dict[str, frozenset[str]]:
    ended = tuple(Declassification(one, "pii", "dpo", "why", "f", 9) for one in ends_at)
    keys = (PEOPLE, CLEAN, SCORER, CREDIT)
    declared = Declared([Source("s", "", Statements(edges=MADE, declassifications=ended))], keys)
    return inherit({PEOPLE: frozenset({"pii"}), CLEAN: frozenset({"raw"})}, declared)


def test_training_and_derivation_bring_labels_through_cycles_and_use_does_not() -> None:
    assert inherited() == {
        PEOPLE: frozenset({"pii", "raw"}),
        CLEAN: frozenset({"pii", "raw"}),
        SCORER: frozenset({"pii", "raw"}),
    }


def test_declassification_ends_inheritance_of_that_label_alone() -> None:
    found = inherited("clean")
    assert (found[CLEAN], found[SCORER]) == (frozenset({"raw"}), frozenset({"raw"}))
    assert "pii" in found[PEOPLE]
