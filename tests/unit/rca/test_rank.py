"""Whole answers: suspects, "none", ties, too little data, and what was put aside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from whence.model.answer import Answer, Band, Role, Verdict
from whence.model.kinds import ChangeKind, EntityKind, RelationType, Signal
from whence.model.profile import ColumnProfile
from whence.rca.evidence.common import evidence
from whence.rca.explain import cap
from whence.rca.rank import rank
from whence.rca.weights import DEFAULT_WEIGHTS
from whence.testing.cases import Met, bucket, case_of, incident, rollout, traffic, versioned, work
from whence.testing.graphs import Fact, at, change, delta, edge, entity, exposure, key, link, profile, relation

SHOP, RANKER, OTHER = key("shop"), key("ranker"), key("other")
V1, V2 = key("ranker", "v1"), key("ranker", "v2")
MODEL, DATA = "file#ranker-model", "s3://lake#clicks"


def answer(facts: Iterable[Fact], detected: float = 79, signal: Signal | None = None) -> Answer:
    return rank(case_of(delta(*facts), incident(SHOP, detected, signal)))


def plain(bad: int = 9) -> list[Fact]:
    """``shop`` calls ``ranker`` and ``other``, neither in versions; requests go bad from bucket 40 on."""
    facts: list[Fact] = [entity(one) for one in (SHOP, RANKER, OTHER)]
    facts += [relation(link(SHOP, one), -9, bucket(80)) for one in (RANKER, OTHER)]
    both = {RANKER: Met(20, bad), OTHER: Met(20, bad)}
    return [*facts, *traffic(SHOP, range(40), {RANKER: Met(20), OTHER: Met(20)}), *traffic(SHOP, range(40, 80), both)]


def test_rank_canary_that_fails_is_very_likely() -> None:
    found = answer([*rollout(), change("d1", RANKER, bucket(40), to_version="v2", url="https://ci/1")])
    assert found.verdict is Verdict.SUSPECT
    (first,) = found.suspects
    assert (first.rank, first.change.id, first.band, first.role) == (1, "d1", Band.VERY_LIKELY, Role.VEHICLE)
    assert first.path == (SHOP, V2)
    assert first.links == ("https://ci/1",)
    assert found.headline == "Very likely (95%): deployment of ranker v1 → v2."
    assert found.none.probability < 0.05


def test_rank_probabilities_sum_to_at_most_one() -> None:
    found = answer([*rollout(), change("d1", SHOP, bucket(39)), change("d2", "ranker", bucket(41))])
    assert sum(one.probability for one in found.suspects) + found.none.probability <= 1.0 + 1e-9


def test_rank_bystander_with_alike_versions_is_ruled_out() -> None:
    shop: list[Fact] = [entity(SHOP), entity(OTHER), relation(link(SHOP, OTHER), -9, bucket(80))]
    shop += versioned(SHOP, RANKER, {V1: -9, V2: 20}, 80)
    for buckets, bad in ((range(20), 0), (range(20, 40), 0), (range(40, 80), 4)):
        new = {V2: Met(50, bad)} if buckets.start else {}
        shop += traffic(SHOP, buckets, {V1: Met(50, bad), **new})
    shop += [change("d1", RANKER, bucket(20), to_version="v2"), change("d2", SHOP, bucket(39))]
    found = answer(shop)
    assert [(one.change.id, one.reason) for one in found.ruled_out] == [("d1", "old_and_new_alike")]
    assert "alike in the same minutes" in found.ruled_out[0].sentence
    assert [one.change.id for one in found.suspects] == ["d2"]


def test_rank_change_after_the_onset_is_ruled_out() -> None:
    found = answer([*plain(), change("before", RANKER, bucket(39)), change("after", OTHER, bucket(60))])
    assert [(one.change.id, one.reason) for one in found.ruled_out] == [("after", "after_onset")]
    assert [one.change.id for one in found.suspects] == ["before"]


def test_rank_without_any_change_is_none() -> None:
    found = answer(plain())
    assert (found.verdict, found.suspects, found.none.probability) == (Verdict.NONE, (), 1.0)
    assert found.headline == "No recorded change explains this."
    assert found.none.reasons == ("no change upstream of the symptom took effect before the onset",)


def test_rank_old_change_without_evidence_is_none() -> None:
    found = answer([*plain(), change("d", RANKER, -20 * 3600)])
    assert found.verdict is Verdict.NONE
    assert found.none.probability > found.suspects[0].probability


def test_rank_trouble_where_nothing_changed_is_none() -> None:
    busy = [fact for fact in plain() if not (isinstance(fact, tuple) and getattr(fact[0], "service", "") == SHOP)]
    busy += traffic(SHOP, range(40), {RANKER: Met(20), OTHER: Met(20)})
    busy += traffic(SHOP, range(40, 80), {RANKER: Met(20), OTHER: Met(20, bad=9)})
    busy += [*work(RANKER, range(80)), *work(OTHER, range(40)), *work(OTHER, range(40, 80), error_logs=9.0)]
    busy += [*work(SHOP, range(80))]
    calls = [one for name in (RANKER, OTHER) for one in _calls(name)]
    found = answer([*busy, *calls, change("d", RANKER, bucket(20))])
    assert found.verdict is Verdict.NONE
    assert "nothing is known to have changed at other" in found.none.reasons[0]
    place = found.suspects[0]
    assert (place.change.subject, place.change.recorded, place.change.source) == (OTHER, False, "behaviour")
    assert place.path == (SHOP, OTHER)
    assert place.evidence[0].sentence.startswith("Errors that begin there went from 0 % to")
    assert place.probability < found.none.probability
    assert [one.rank for one in found.suspects] == [1, 2]


def test_rank_change_that_explains_it_leaves_no_room_for_places() -> None:
    found = answer(rollout())
    assert found.verdict is Verdict.SUSPECT
    assert all(one.change.source != "behaviour" for one in found.suspects)


def _calls(name: str) -> list[Fact]:
    return [edge(link(SHOP, name), round(bucket(one)), 20, calls=20.0) for one in range(80)]


def test_rank_rivals_shortly_before_the_onset_speak_for_none() -> None:
    """Of many changes one fits in time by chance."""
    without = replace(DEFAULT_WEIGHTS, none_for_rivals=0.0)

    def gain(at: float) -> float:
        rivals = [change(f"r{number}", SHOP, bucket(at + number), kind=ChangeKind.CONFIG) for number in range(8)]
        case = case_of(delta(*plain(), *rivals), incident(SHOP, 79))
        return rank(case).none.probability - rank(case, without).none.probability

    assert gain(at=30) > 0
    assert gain(at=-300) == 0


def test_rank_two_changes_alike_are_a_tie_that_shares_a_rank() -> None:
    found = answer([*plain(), change("a", RANKER, bucket(39)), change("b", OTHER, bucket(39))])
    assert found.verdict is Verdict.TIE
    assert [one.rank for one in found.suspects] == [1, 1]
    assert found.suspects[0].probability == found.suspects[1].probability
    assert "can't be separated" in found.headline


def test_rank_without_telemetry_of_the_symptom_is_insufficient() -> None:
    facts: list[Fact] = [entity(SHOP), entity(RANKER), relation(link(SHOP, RANKER), -9, bucket(80))]
    found = answer([*facts, change("d", RANKER, bucket(39))])
    assert found.verdict is Verdict.INSUFFICIENT
    assert [one.change.id for one in found.suspects] == ["d"]
    assert found.completeness.gaps[0] == "no requests of the symptom were recorded in the window"


@pytest.mark.parametrize(
    ("code", "nats", "most"),
    [("lead_time", 3.0, 0.6), ("origin", 0.5, 0.6), ("origin", 2.0, 0.9), ("same_time_contrast", 4.0, 0.95)],
)
def test_rank_shows_no_more_than_the_evidence_carries(code: str, nats: float, most: float) -> None:
    assert cap([evidence(code, nats, "It says so.", {})], DEFAULT_WEIGHTS) == most


def test_rank_weak_evidence_is_capped() -> None:
    found = answer([*plain(), change("d", RANKER, bucket(39))])
    assert found.suspects[0].probability == 0.6
    assert found.suspects[0].band is Band.LIKELY


def test_rank_limit_cuts_the_list_but_not_the_sum() -> None:
    facts = [*plain(), *(change(f"d{number}", RANKER, bucket(39 - number)) for number in range(8))]
    question = replace(incident(SHOP, 79), limit=3)
    found = rank(case_of(delta(*facts), question))
    assert len(found.suspects) == 3
    assert sum(one.probability for one in found.suspects) < 1


def test_rank_reverted_and_recovered_is_all_but_proven() -> None:
    facts: list[Fact] = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 40}, 100)]
    facts += [*traffic(SHOP, range(40), {V1: Met(40)}), *traffic(SHOP, range(40, 60), {V2: Met(40, bad=20)})]
    facts += traffic(SHOP, range(60, 90), {V1: Met(40)})
    facts += [change("out", RANKER, bucket(40), from_version="v1", to_version="v2")]
    facts += [change("back", RANKER, bucket(60), from_version="v2", to_version="v1")]
    found = rank(case_of(delta(*facts), incident(SHOP, 58), as_of_ns=at(bucket(90))))
    assert found.suspects[0].change.id == "out"
    assert found.suspects[0].probability > 0.9
    assert found.suspects[0].evidence[0].code in ("withdrawal", "same_time_contrast")


def trained_model(*, bad_data: bool) -> list[Fact]:
    """``ranker`` rolls out a model trained on a new snapshot; requests that meet it turn out poor."""
    models = {f"{MODEL}@version:{number}": first for number, first in ((1, -9), (2, 40))}
    facts: list[Fact] = [entity(SHOP), entity(RANKER), relation(link(SHOP, RANKER), -99, bucket(80))]
    facts += versioned(RANKER, MODEL, models, 80, kind=EntityKind.MODEL, type_=RelationType.USES_MODEL)
    facts.append(entity(DATA, EntityKind.DATASET))
    for number, model in enumerate(models):
        snapshot = f"{DATA}@snapshot:{number}"
        facts += [
            entity(snapshot, EntityKind.DATASET_VERSION, base=DATA),
            relation(link(DATA, snapshot, RelationType.HAS_VERSION), -9000 + 3000 * number),
            relation(link(model, snapshot, RelationType.DERIVED_FROM), -9000 + 3000 * number),
        ]
    columns = ColumnProfile("country", null_rate=0.4 if bad_data else 0.002)
    facts.append(profile(f"{DATA}@snapshot:0", DATA, -9000, columns=(ColumnProfile("country", null_rate=0.002),)))
    facts.append(profile(f"{DATA}@snapshot:1", DATA, -6000, columns=(columns,)))
    old, new = models
    facts += traffic(SHOP, range(40), {old: Met(40)})
    facts += traffic(SHOP, range(40, 80), {old: Met(20), new: Met(20, poor=9)})
    return facts


def test_rank_chain_of_data_and_model_names_origin_and_vehicle() -> None:
    found = answer(trained_model(bad_data=True), signal=Signal.QUALITY)
    roles = {one.change.kind: one for one in found.suspects}
    data, model = roles[ChangeKind.DATASET], roles[ChangeKind.MODEL]
    assert (data.role, model.role) == (Role.ORIGIN, Role.VEHICLE)
    assert data.with_changes == (model.change.id,)
    assert model.with_changes == (data.change.id,)
    assert found.verdict is Verdict.SUSPECT
    assert "together with" in found.headline


def test_rank_chain_leans_to_the_data_when_they_look_odd() -> None:
    odd, usual = (
        {
            one.change.kind: one.probability
            for one in answer(trained_model(bad_data=bad), signal=Signal.QUALITY).suspects
        }
        for bad in (True, False)
    )
    assert odd[ChangeKind.DATASET] > usual[ChangeKind.DATASET]


FLAG = "flag://shop#compact"
OFF, ON = f"{FLAG}@version:off", f"{FLAG}@version:on"
M1, M2 = f"{MODEL}@version:1", f"{MODEL}@version:2"


def flag_and_model(*, flag_at: int, model_at: int) -> list[Fact]:
    """A flag goes on for half of the requests, a model is replaced for all; only both together hurt."""
    facts: list[Fact] = [entity(SHOP), entity(RANKER), relation(link(SHOP, RANKER), -99, bucket(80))]
    facts += versioned(RANKER, FLAG, {OFF: -9, ON: flag_at}, 80, kind=EntityKind.FLAG, type_=RelationType.EVALUATES)
    facts += versioned(RANKER, MODEL, {M1: -9, M2: model_at}, 80, kind=EntityKind.MODEL, type_=RelationType.USES_MODEL)
    for number in range(80):
        is_on, is_new = number >= flag_at, number >= model_at
        bad = 9 if is_on and is_new else 0
        facts += traffic(SHOP, [number], {OFF: Met(20), ON: Met(20, bad)} if is_on else {OFF: Met(40)})
        facts.append(met_too(number, M2 if is_new else M1, bad))
    return [*facts, change("m", MODEL, bucket(model_at), kind=ChangeKind.MODEL, to_version="2")]


def met_too(number: int, node: str, bad: int, requests: int = 40) -> Fact:
    """Some of the forty requests of a bucket met one more node."""
    sums = {"requests": float(requests), "requests_sq": float(requests), "errors": float(bad)}
    return exposure(SHOP, node, round(bucket(number)), requests, **sums)


def test_rank_flag_that_hurts_only_with_a_new_model_names_both() -> None:
    found = answer(flag_and_model(flag_at=20, model_at=40))
    by_kind = {one.change.kind: one for one in found.suspects}
    flag, model = by_kind[ChangeKind.FLAG], by_kind[ChangeKind.MODEL]
    assert model.change.id in flag.with_changes
    assert flag.change.id in model.with_changes
    assert "interaction" in {one.code for one in flag.evidence}
    assert found.verdict is Verdict.SUSPECT


def crossed(*, is_alone: bool = False) -> list[Fact]:
    """A flag goes on for half of the requests while a model replaces another on three of five; only both together hurt.

    Who met which is drawn independently; ``is_alone``: the flag hurts whatever the model.
    """
    facts: list[Fact] = [entity(SHOP), entity(RANKER), relation(link(SHOP, RANKER), -99, bucket(80))]
    facts += versioned(RANKER, FLAG, {OFF: -9, ON: 40}, 80, kind=EntityKind.FLAG, type_=RelationType.EVALUATES)
    facts += versioned(RANKER, MODEL, {M1: -9, M2: 40}, 80, kind=EntityKind.MODEL, type_=RelationType.USES_MODEL)
    facts += traffic(SHOP, range(40), {OFF: Met(40)})
    facts += [met_too(number, M1, 0) for number in range(40)]
    for number in range(40, 80):
        facts += traffic(SHOP, [number], {OFF: Met(20), ON: Met(20, bad=6)})
        facts += [met_too(number, M1, 2 if is_alone else 0, 16), met_too(number, M2, 4 if is_alone else 6, 24)]
    return facts


def test_rank_flag_and_model_that_spare_who_met_only_one_name_each_other() -> None:
    first, second = answer(crossed()).suspects[:2]
    assert first.with_changes == (second.change.id,)
    assert second.with_changes == (first.change.id,)
    assert "interaction" in {one.code for one in first.evidence}


def test_rank_flag_that_hurts_with_either_model_stands_alone() -> None:
    first = answer(crossed(is_alone=True)).suspects[0]
    assert first.change.kind is ChangeKind.FLAG
    assert first.with_changes == ()


def test_rank_flag_that_was_never_met_without_the_new_model_says_so() -> None:
    found = answer(flag_and_model(flag_at=40, model_at=20))
    assert found.suspects[0].change.kind is ChangeKind.FLAG
    assert found.suspects[0].with_changes == ("m",)


def test_rank_refresh_that_never_came_is_a_suspect() -> None:
    seen = {f"{DATA}@snapshot:{number}": number * 4 for number in range(8)}
    facts: list[Fact] = [entity(SHOP), entity(RANKER), relation(link(SHOP, RANKER), -99, bucket(80))]
    facts += versioned(RANKER, DATA, seen, 80, kind=EntityKind.DATASET, type_=RelationType.READS)
    facts += [*traffic(SHOP, range(40), {RANKER: Met(40)}), *traffic(SHOP, range(40, 80), {RANKER: Met(40, poor=9)})]
    found = answer(facts, signal=Signal.QUALITY)
    assert found.suspects[0].change.kind is ChangeKind.STALENESS
    assert found.suspects[0].role is Role.ORIGIN
    assert found.suspects[0].settle == "Run the missing refresh and see whether the symptom goes away."


def test_rank_young_contrast_says_how_many_requests_it_needs() -> None:
    facts: list[Fact] = [entity(SHOP), *versioned(SHOP, RANKER, {V1: -9, V2: 78}, 80)]
    facts += [*traffic(SHOP, range(78), {V1: Met(30)}), *traffic(SHOP, range(78, 80), {V1: Met(30), V2: Met(4, bad=2)})]
    found = answer(facts)
    assert found.suspects[0].settle == "The comparison of old and new needs about 52 more requests."


@pytest.mark.parametrize("signal", list(Signal))
def test_rank_any_signal_gives_an_answer(signal: Signal) -> None:
    found = answer([*plain(), change("d", RANKER, bucket(39))], signal=signal)
    assert found.suspects or found.ruled_out


def test_rank_symptom_of_a_model_counts_what_its_users_say() -> None:
    m1, m2 = f"{MODEL}@version:1", f"{MODEL}@version:2"
    facts: list[Fact] = [entity(MODEL, EntityKind.MODEL), entity(RANKER)]
    for model, first in ((m1, -9), (m2, 40)):
        facts += [
            entity(model, EntityKind.MODEL_VERSION, base=MODEL),
            relation(link(MODEL, model, RelationType.HAS_VERSION), bucket(first), bucket(80)),
            relation(link(RANKER, model, RelationType.USES_MODEL), bucket(first), bucket(80)),
        ]
        for one in range(max(first, 0), 80):
            bad = 9.0 if model == m2 else 0.0
            uses = link(RANKER, model, RelationType.USES_MODEL)
            facts.append(edge(uses, round(bucket(one)), 20, calls=20.0, errors=bad))
    found = rank(case_of(delta(*facts), incident(MODEL, 79)))
    assert found.verdict in (Verdict.INSUFFICIENT, Verdict.SUSPECT)
    assert [one.change.to_version for one in found.suspects] == ["2"]
