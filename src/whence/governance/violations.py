"""Where policies are broken: the path, the versions on it, since when and until when, and who owns it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from whence.declare.declared import Declared
from whence.governance.carrying import Arrival
from whence.governance.policies import Policy, Rule
from whence.model.delta import Entity


class Violation(NamedTuple):
    """A policy broken by one entity in one environment."""

    policy: Policy
    label: str
    dependent: str
    """Key of the entity."""
    environment: str
    versions: tuple[str, ...]
    """Nodes of the dependent that carry the label; the entity itself where it has no version."""
    path: tuple[str, ...]
    """The shortest, from the dependent to what bears the label."""
    first_seen_ns: int
    last_seen_ns: int
    """When the dependent used the next on the path, over all its versions."""
    owner: str | None

    @property
    def fingerprint(self) -> str:
        """Identity of a violation over time: the policy, the label, who and where."""
        identity = "\n".join((self.policy.name, self.label, self.dependent, self.environment))
        return hashlib.sha256(identity.encode()).hexdigest()[:16]


class Subject(NamedTuple):
    """What is known of entities that a policy may name."""

    entities: Mapping[str, Entity]
    declared: Declared

    def facts(self, key: str) -> dict[str, Any]:
        """An entity as expressions see it."""
        entity = self.entities.get(key)
        base = entity.base if entity is not None else key
        return {
            "key": base,
            "name": base.rpartition("#")[2],
            "kind": entity.kind.value.removesuffix("_version") if entity is not None else "",
            "owner": self.owner(key) or "",
            "purposes": sorted(self.declared.purposes(base)),
            "labels": sorted(self.declared.labels(base)),
        }

    def owner(self, key: str) -> str | None:
        """Owner of an entity, or of the entity of a version."""
        entity = self.entities.get(key)
        base = entity.base if entity is not None else key
        known = (self.entities.get(one) for one in (key, base))
        seen = next((owner for one in known if one is not None and (owner := one.attribute("owner"))), None)
        return seen or self.declared.owner(base)


def violations(rules: Iterable[Rule], label: str, arrivals: Iterable[Arrival], subject: Subject) -> list[Violation]:
    """What arriving labels break, by policy, dependent and environment.

    Raises:
        DecodeError: An expression fails.
    """
    rules = tuple(rules)
    found: dict[tuple[str, str, str], Violation] = {}
    for arrival in arrivals:
        if arrival.path:
            facts = _facts(label, arrival, subject)
            for rule in rules:
                if rule.forbids(facts):
                    _add(found, _violation(rule.policy, label, arrival, subject))
    return sorted(found.values(), key=lambda one: (one.policy.name, one.dependent, one.environment))


def _facts(label: str, arrival: Arrival, subject: Subject) -> dict[str, Any]:
    path = arrival.keys()
    return {
        "label": label,
        "dependent": subject.facts(arrival.node),
        "origin": subject.facts(path[-1]),
        "path": [subject.facts(key) for key in path],
        "hops": len(path) - 1,
        "environment": _environment(arrival),
    }


def _violation(policy: Policy, label: str, arrival: Arrival, subject: Subject) -> Violation:
    entity = subject.entities.get(arrival.node)
    first = _own_step(arrival)
    return Violation(
        policy=policy,
        label=label,
        dependent=entity.base if entity is not None else arrival.node,
        environment=_environment(arrival),
        versions=(arrival.node,),
        path=arrival.keys(),
        first_seen_ns=first[0],
        last_seen_ns=first[1],
        owner=subject.owner(arrival.node),
    )


def _add(found: dict[tuple[str, str, str], Violation], new: Violation) -> None:
    key = (new.policy.name, new.dependent, new.environment)
    before = found.get(key)
    if before is None:
        found[key] = new
        return
    versions = {*before.versions, *new.versions}
    exact = {one for one in versions if one != new.dependent} or versions
    found[key] = before._replace(
        versions=tuple(sorted(exact)),
        path=min(before.path, new.path, key=len),
        first_seen_ns=min(before.first_seen_ns, new.first_seen_ns),
        last_seen_ns=max(before.last_seen_ns, new.last_seen_ns),
    )


def _own_step(arrival: Arrival) -> tuple[int, int]:
    """When the dependent used the next on the path: the first relation that leads to another entity."""
    node = arrival.node.partition("@")[0]
    step = next((one for one in arrival.path if not one.key.dst.startswith(f"{node}@")), arrival.path[0])
    return step.first_seen_ns, step.last_seen_ns


def _environment(arrival: Arrival) -> str:
    return next((one.key.environment for one in arrival.path if one.key.environment), "")
