"""From frozen documents to the parts of a postmortem. Pure: no clock, no reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from typing_extensions import TypedDict

from whence.postmortem.guardrails import guardrail
from whence.wording import percent, short, span

Record = Mapping[str, Any]

CONFIRMED = frozenset({"confirmed", "contributing"})
REJECTED = "rejected"
MOST_THEORIES = 10

PROMPTS = {
    "summary": "Two or three sentences for somebody who was not there.",
    "resolution": "What was done, and how did you see that it worked?",
    "decisions": "Which decisions were hard, and what did you know when you made them?",
    "surprises": "What did not behave as you expected?",
    "went_well": "What helped?",
    "went_badly": "What made it longer or worse?",
    "lucky": "Where were you lucky?",
    "actions": "What will be done, by which team, tracked where?",
}
"""What only people can write, as questions about how, not who."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What a draft is made from, as the API gives it."""

    answer: Record
    exhibits: Record | None = None
    said: Sequence[Record] = ()
    """Verdicts, the latest first."""
    incident: Record | None = None


class MomentJson(TypedDict):
    """One line of the timeline."""

    at: str
    what: str
    source: str


class TheoryJson(TypedDict):
    """A change that was considered, and why it was put aside."""

    change: Record
    probability: float | None
    why: str


class DraftJson(TypedDict):
    """A draft. ``trigger`` is a suspect as in the answer; ``is_confirmed`` says whether a person confirmed it."""

    title: str
    status: str
    investigation: str
    incident: str | None
    inputs_hash: str
    as_of: str
    headline: str
    impact: Record | None
    impact_sentence: str
    onset: Record
    detected_at: str | None
    detection_gap: str | None
    trigger: Record | None
    is_confirmed: bool
    contributing: list[str]
    theories: list[TheoryJson]
    no_change: Record
    timeline: list[MomentJson]
    affected: list[Record]
    owners: list[str]
    guardrail: str | None
    could_not_see: list[str]
    prompts: Mapping[str, str]


def draft(sources: Sources) -> DraftJson:
    """Fill in what is known."""
    answer, exhibits = sources.answer, sources.exhibits
    latest = {one["change_id"]: one["verdict"] for one in reversed(sources.said) if one["change_id"]}
    trigger = _trigger(answer, latest)
    detected = exhibits["detected_at"] if exhibits is not None else None
    affected = list(exhibits.get("affected", ())) if exhibits is not None else []
    return {
        "title": sources.incident["title"] if sources.incident is not None else f"{short(answer['symptom']['entity'])}",
        "status": "draft",
        "investigation": answer["id"],
        "incident": sources.incident["id"] if sources.incident is not None else None,
        "inputs_hash": answer["model"]["inputs_hash"],
        "as_of": answer["as_of"],
        "headline": answer["headline"],
        "impact": exhibits["impact"] if exhibits is not None else None,
        "impact_sentence": _impact(answer, exhibits),
        "onset": answer["onset"],
        "detected_at": detected,
        "detection_gap": span(_seconds(detected) - _seconds(answer["onset"]["at"])) if detected else None,
        "trigger": trigger,
        "is_confirmed": trigger is not None and latest.get(trigger["change"]["id"]) in CONFIRMED,
        "contributing": list(_contributing(answer, trigger, latest)),
        "theories": list(_theories(answer, trigger, latest)),
        "no_change": answer["none"],
        "timeline": sorted(_moments(sources), key=lambda one: (_seconds(one["at"]), one["what"])),
        "affected": affected,
        "owners": sorted({owner for one in (trigger or {}, *affected) if (owner := one.get("owner"))}),
        "guardrail": guardrail(trigger, answer, detected) if trigger is not None else None,
        "could_not_see": list(answer["completeness"]["gaps"]),
        "prompts": PROMPTS,
    }


def _trigger(answer: Record, latest: Mapping[str, str]) -> Record | None:
    """What a person confirmed; else the first suspect that nobody rejected, if the answer names one at all."""
    suspects = answer["suspects"]
    for wanted in ("confirmed", "contributing"):
        for suspect in suspects:
            if latest.get(suspect["change"]["id"]) == wanted:
                return dict(suspect)
    if answer["verdict"] not in ("suspect", "tie"):
        return None
    return next((dict(one) for one in suspects if latest.get(one["change"]["id"]) != REJECTED), None)


def _impact(answer: Record, exhibits: Record | None) -> str:
    where = " ".join(filter(None, (short(answer["symptom"]["entity"]), answer["symptom"]["operation"])))
    if exhibits is None:
        return f"{where}: not counted."
    impact = exhibits["impact"]
    share = percent(impact["bad"] / impact["requests"]) if impact["requests"] else "none"
    return (
        f"{where}: {impact['bad']:,.0f} of {impact['requests']:,.0f} requests went bad ({share}) "
        f"from {impact['from']} to {impact['to']}; as before, {impact['usually_bad']:,.0f} would have."
    )


def _contributing(answer: Record, trigger: Record | None, latest: Mapping[str, str]) -> Iterator[str]:
    for suspect in answer["suspects"]:
        if suspect is not trigger and latest.get(suspect["change"]["id"]) == "contributing":
            yield f"{_name(suspect['change'])} contributed, as a person said."
    if trigger is None:
        return
    for other in trigger["with"]:
        yield f"It acted together with {other}."
    if not trigger["change"]["recorded"]:
        yield "The change was never announced: it was only seen in spans."
    if not any(one["code"] == "same_time_contrast" for one in trigger["evidence"]):
        yield "No part of the traffic stayed with the old version, so the two could not be compared while it happened."
    if trigger["owner"] is None:
        yield f"Nobody is known to own {short(trigger['change']['subject'])}."


def _theories(answer: Record, trigger: Record | None, latest: Mapping[str, str]) -> Iterator[TheoryJson]:
    accepted = trigger["change"]["id"] if trigger is not None else None
    others = [one for one in answer["suspects"] if one["change"]["id"] != accepted]
    for suspect in others[:MOST_THEORIES]:
        against = [one["sentence"] for one in suspect["evidence"] if one["direction"] == "against"]
        why = "; ".join(against) or "less likely than what is above"
        if latest.get(suspect["change"]["id"]) == REJECTED:
            why = f"rejected by a person; {why}"
        yield {"change": suspect["change"], "probability": suspect["probability"], "why": why}
    for one in answer["ruled_out"][:MOST_THEORIES]:
        yield {"change": one["change"], "probability": None, "why": one["sentence"]}


def _moments(sources: Sources) -> Iterator[MomentJson]:
    answer = sources.answer
    for one in (*answer["suspects"], *answer["ruled_out"]):
        change = one["change"]
        yield {"at": change["effective_at"], "what": f"{_name(change)} took effect", "source": change["source"]}
    yield {"at": answer["onset"]["at"], "what": "the symptom began (estimated)", "source": "requests"}
    if sources.exhibits is not None:
        yield {"at": sources.exhibits["detected_at"], "what": "it was noticed", "source": "question"}
    for one in sources.said:
        what = f"{one['verdict'].replace('_', ' ')}: {one['change_id'] or 'the answer'}"
        yield {"at": one["at"], "what": what, "source": "a person"}
    if sources.incident is not None:
        yield from _life(sources.incident)


def _life(incident: Record) -> Iterator[MomentJson]:
    for event in incident["events"]:
        match event["kind"]:
            case "alert":
                state = "fired" if event["firing"] else "was over"
                yield {"at": event["at"], "what": f"alert {event['title']} {state}", "source": event["source"]}
            case "status":
                yield {"at": event["at"], "what": f"declared {event['status']}", "source": "a person"}
            case "answer":
                yield {"at": event["at"], "what": f"answered: {event['headline']}", "source": event["investigation"]}


def _name(change: Record) -> str:
    return f"{change['kind']} {short(change['subject'])} {change['from'] or '?'} → {change['to'] or '?'}"


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
