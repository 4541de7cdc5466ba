"""What the shop ships and in which order: several harmless changes and one that hurts, or two that do so together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from types import MappingProxyType

FEATURES = "file#shop/features"
ORDERS = "file#shop/orders"
CLICKS = "file#shop/clicks"
RANKER = "file#shop/ranker"
FLAG = "compact-features"


class Scenario(StrEnum):
    """Where the harm comes from."""

    CODE = "code"
    MODEL = "model"
    DATA = "data"
    COMBINATION = "combination"
    STALE = "stale"
    NONE = "none"


class Act(StrEnum):
    """What somebody does to the shop."""

    DEPLOY = "deploy"
    """A service gets new code."""
    TRAIN = "train"
    """The ranker is trained again, on new clicks."""
    EXPORT = "export"
    """New orders come from the warehouse; the next refresh reads them."""
    SWITCH = "switch"
    """A flag goes on for half of the users."""
    HALT_REFRESH = "halt refresh"
    """The refresh job ends; nobody notices."""
    BAD_DAY = "bad day"
    """The payment provider begins to fail."""


@dataclass(frozen=True, slots=True)
class Step:
    """One act. ``before`` and ``after`` are versions of ``subject``; both are empty where nothing is shipped."""

    act: Act
    subject: str
    before: str = ""
    after: str = ""
    flavour: str = ""
    """Which edit, defect or set of columns; see ``releases`` and ``exports``."""
    source: str = ""
    """Version of the clicks that a model is trained on."""
    announced: bool = False
    """Whether the change is reported; else whence can only see it in spans."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What a right answer says."""

    any_of: tuple[tuple[str, str | None], ...] = ()
    """(subject, version) of which the first suspect must be one; None is the version that never came. Empty: no change
    did harm."""
    together: bool = False
    """Whether the first suspect must name another one of ``any_of`` as acting with it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole demo."""

    scenario: Scenario
    seed: int
    first: Mapping[str, str]
    """Version of everything at the start, by subject."""
    steps: tuple[Step, ...]
    truth: Truth


def service(name: str) -> str:
    """Reference of one of the shop's services."""
    return f"otel://shop#{name}"


_HARMLESS = (
    Step(Act.DEPLOY, service("storefront"), flavour="tidy"),
    Step(Act.DEPLOY, service("features"), flavour="tidy"),
    Step(Act.DEPLOY, service("payment"), flavour="tidy"),
    Step(Act.TRAIN, RANKER),
    Step(Act.EXPORT, ORDERS),
    Step(Act.SWITCH, FLAG),
)
_HARMFUL: Mapping[Scenario, tuple[tuple[Step, ...], ...]] = MappingProxyType(
    {
        Scenario.CODE: ((Step(Act.DEPLOY, service("payment"), flavour="lost currency"),),),
        Scenario.MODEL: ((Step(Act.TRAIN, RANKER, flavour="lost clicks"),),),
        Scenario.DATA: (
            (Step(Act.EXPORT, ORDERS, flavour="cents"),),
            (Step(Act.EXPORT, ORDERS, flavour="missing amounts"),),
        ),
        Scenario.COMBINATION: ((Step(Act.SWITCH, FLAG), Step(Act.TRAIN, RANKER, flavour="recency")),),
        Scenario.STALE: ((Step(Act.HALT_REFRESH, FEATURES),),),
        Scenario.NONE: ((Step(Act.BAD_DAY, "provider"),),),
    }
)
_HARMLESS_COUNT = 4
_HARMLESS_BEFORE = 2
"""So many at least come before the harm begins."""


def make_plan(scenario: Scenario, seed: int) -> Plan:
    """The plan of a scenario; the same for the same seed.

    The harm begins at a random place, but not at once: an incident needs a time before it. Two changes that do harm
    together follow each other, in either order. What comes after is shipped too, as long as nobody has noticed.
    """
    random = Random(f"{scenario}/{seed}")  # noqa: S311 - repeatable on purpose
    harmful = random.choice(_HARMFUL[scenario])
    taken = {(step.act, step.subject) for step in harmful}
    harmless = [step for step in _HARMLESS if (step.act, step.subject) not in taken]
    steps = random.sample(harmless, _HARMLESS_COUNT)
    place = random.randint(_HARMLESS_BEFORE, len(steps))
    steps[place:place] = random.sample(harmful, len(harmful))
    steps = [replace(step, announced=random.random() < 0.5) for step in steps]
    first = _first_versions(random)
    numbered = _number(steps, first)
    return Plan(scenario, seed, first, numbered, _truth(scenario, [step for step in numbered if _is_in(step, harmful)]))


def _first_versions(random: Random) -> dict[str, str]:
    names = ("storefront", "features", "ranking", "payment")
    services = {service(name): f"v{random.randint(3, 60)}" for name in names}
    return services | {RANKER: f"v{random.randint(3, 60)}", ORDERS: "d1", CLICKS: "d1", FLAG: "off"}


def _number(steps: list[Step], first: Mapping[str, str]) -> tuple[Step, ...]:
    """Give every step that ships something the next version of its subject."""
    now, numbered = dict(first), []
    for step in steps:
        if step.act in (Act.HALT_REFRESH, Act.BAD_DAY):
            numbered.append(replace(step, announced=False))
            continue
        before = now[step.subject]
        now[step.subject] = "on" if step.act is Act.SWITCH else _next(before)
        if step.act is Act.TRAIN:
            now[CLICKS] = _next(now[CLICKS])
            step = replace(step, source=now[CLICKS])
        numbered.append(replace(step, before=before, after=now[step.subject]))
    return tuple(numbered)


def _next(version: str) -> str:
    return f"{version[0]}{int(version[1:]) + 1}"


def _is_in(step: Step, harmful: tuple[Step, ...]) -> bool:
    return any((step.act, step.subject, step.flavour) == (one.act, one.subject, one.flavour) for one in harmful)


def _truth(scenario: Scenario, harmful: list[Step]) -> Truth:
    named = tuple((step.subject, step.after or None) for step in harmful)
    match scenario:
        case Scenario.NONE:
            return Truth()
        case Scenario.MODEL:
            # The clicks are where it began, the model is what carried it; naming either helps.
            return Truth((*named, (CLICKS, harmful[0].source)))
        case _:
            return Truth(named, together=scenario is Scenario.COMBINATION)
