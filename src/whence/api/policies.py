"""Policies in, violations out, and the question before a deployment: would this break one?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

import msgspec
from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from whence.api.access import needs
from whence.api.context import Context, Ctx
from whence.api.imports import read_sources
from whence.api.labels import read_spreads
from whence.api.resolve import find, resolve
from whence.api.window import Window, WindowDep
from whence.declare.declared import Declared
from whence.errors import DecodeError, InvalidQuery, NotFound
from whence.governance.carrying import Arrival, carry
from whence.governance.policies import Policy, Rule, read_policies
from whence.governance.violations import Subject, Violation, violations
from whence.model.delta import Relation, RelationKey
from whence.model.kinds import RelationType
from whence.model.times import format_time
from whence.store.protocol import MAX_PAGE, Document, GraphReader
from whence.tokens import Scope

KIND = "policy"
MOST_USES = 100

router = APIRouter(prefix="/api/v1", tags=["policies"])

Name = Annotated[str, Path(min_length=1, max_length=256, description="Of the file.")]


class PolicyJson(TypedDict):
    """One policy."""

    name: str
    forbid: str
    because: str | None
    owner: str | None
    enforce: bool
    file: str
    line: int


class PoliciesJson(TypedDict):
    """Policies, by file and line."""

    items: list[PolicyJson]


class ViolationJson(TypedDict):
    """A policy that something breaks. ``path`` leads from the dependent to what bears the label.

    ``fingerprint`` is the same in every check, whatever the time; for baselines.
    """

    fingerprint: str
    policy: str
    because: str | None
    enforce: bool
    label: str
    dependent: str
    environment: str | None
    versions: list[str]
    path: list[str]
    first_seen_at: str
    last_seen_at: str
    owner: str | None


class ViolationsJson(TypedDict):
    """All violations in a window; ``passed``: none that is enforced. ``truncated``: a bound cut off what was walked."""

    passed: bool
    items: list[ViolationJson]
    truncated: bool


class CheckBody(BaseModel):
    """What is about to happen. Everything is optional: without it, the policies in force and what is observed count."""

    model_config = ConfigDict(frozen=True)

    policies: str | None = Field(None, description="YAML of policies to try out, instead of those in force.")
    dependent: str | None = Field(None, max_length=1024, description="Only what this one breaks, or would.")
    uses: list[str] = Field([], max_length=MOST_USES, description="References that the dependent is about to use.")
    only_uses: bool = Field(False, description="Leave out what the dependent breaks already.")


@router.put("/policies/{name:path}", dependencies=[needs(Scope.ADMIN)])
async def put_policies(name: Name, request: Request, context: Ctx) -> PoliciesJson:
    """Keep the policies of a file, given as the request's body; they replace those of that name."""
    policies = _read((await request.body()).decode("utf-8", "replace"), name)
    body = msgspec.json.encode(policies).decode()
    await context.store.save(Document(KIND, name, context.clock(), body))
    return {"items": [_policy_json(one) for one in policies]}


@router.get("/policies", dependencies=[needs(Scope.READ)])
async def list_policies(context: Ctx) -> PoliciesJson:
    """Policies in force, those of a dry run too."""
    return {"items": [_policy_json(one) for one in await _in_force(context.store)]}


@router.delete("/policies/{name:path}", status_code=204, dependencies=[needs(Scope.ADMIN)])
async def remove_policies(name: Name, context: Ctx) -> Response:
    """Forget the policies of a file."""
    if await context.store.document(KIND, name) is None:
        raise NotFound(f"there are no policies {name[:100]!r}")
    await context.store.delete(KIND, name)
    return Response(status_code=204)


@router.get("/violations", dependencies=[needs(Scope.READ)])
async def list_violations(
    context: Ctx, window: WindowDep, policy: Annotated[str | None, Query(max_length=256)] = None
) -> ViolationsJson:
    """What breaks a policy in a window; ``to`` and ``known_at`` in the past ask as of then."""
    policies = [one for one in await _in_force(context.store) if policy in (None, one.name)]
    found, cut = await _violations(context, window, policies, _Plan())
    return _json(found, truncated=cut)


@router.post("/policies/check", dependencies=[needs(Scope.READ)])
async def check_policies(body: Annotated[CheckBody, Body()], window: WindowDep, context: Ctx) -> ViolationsJson:
    """A gate: what breaks a policy, or would once the dependent uses some more. Nothing is kept."""
    if body.uses and body.dependent is None:
        raise InvalidQuery("dependent", "required with 'uses'")
    given = None if body.policies is None else _read(body.policies, "policies")
    policies = await _in_force(context.store) if given is None else given
    plan = _Plan(body.dependent, tuple(body.uses), body.only_uses)
    found, cut = await _violations(context, window, policies, plan)
    return _json(found, truncated=cut)


class _Plan(NamedTuple):
    """What a check is about: all, or one dependent and what it is about to use."""

    dependent: str | None = None
    uses: tuple[str, ...] = ()
    only_uses: bool = False


async def _violations(
    context: Context, window: Window, policies: Iterable[Policy], plan: _Plan
) -> tuple[list[Violation], bool]:
    reader = context.store
    sources = await read_sources(reader)
    spreads, entities, cut = await read_spreads(reader, sources, window)
    only = None if plan.dependent is None else await find(reader, "dependent", plan.dependent)
    who = only.base if only is not None else plan.dependent
    used = [(await resolve(reader, "uses", one)).key for one in plan.uses]
    keys = {one.base for one in entities.values()} | ({who} if who else set())
    subject = Subject(entities, Declared(sources, keys))
    rules = [Rule(one) for one in policies]
    found: list[Violation] = []
    for label, subgraph in spreads:
        arrivals = list(carry(subgraph, subject.declared.ends_of(label)))
        if who is not None:
            planned = [_planned(who, one, window, context.clock()) for one in arrivals if one.node in used]
            present = [one for one in arrivals if _base(subject, one.node) == who and not plan.only_uses]
            arrivals = present + planned
        found += _asked(rules, label, arrivals, subject)
    return sorted(found, key=lambda one: (one.policy.name, one.dependent, one.label, one.environment)), cut


def _asked(rules: list[Rule], label: str, arrivals: list[Arrival], subject: Subject) -> list[Violation]:
    try:
        return violations(rules, label, arrivals, subject)
    except DecodeError as error:
        raise InvalidQuery("policies", str(error)) from None


def _planned(who: str, arrival: Arrival, window: Window, now_ns: int) -> Arrival:
    """The label where it would arrive if ``who`` used the node of an arrival."""
    key = RelationKey(who, RelationType.USES_MODEL, arrival.node, window.environment or "")
    return Arrival(who, (Relation(key, now_ns, now_ns, now_ns, now_ns), *arrival.path))


def _base(subject: Subject, node: str) -> str:
    entity = subject.entities.get(node)
    return entity.base if entity is not None else node


async def _in_force(reader: GraphReader) -> tuple[Policy, ...]:
    found: list[Policy] = []
    cursor: str | None = None
    while True:
        page = await reader.documents(KIND, MAX_PAGE, cursor)
        for document in page.items:
            found += msgspec.json.decode(document.body, type=tuple[Policy, ...])
        cursor = page.cursor
        if cursor is None:
            return tuple(sorted(found, key=lambda one: (one.file, one.line)))


def _read(text: str, file: str) -> tuple[Policy, ...]:
    try:
        return read_policies(text, file)
    except DecodeError as error:
        raise InvalidQuery("policies", str(error)) from None


def _policy_json(policy: Policy) -> PolicyJson:
    name, forbid, because, owner, enforce, file, line = policy
    return {
        "name": name,
        "forbid": forbid,
        "because": because or None,
        "owner": owner or None,
        "enforce": enforce,
        "file": file,
        "line": line,
    }


def _json(found: Sequence[Violation], *, truncated: bool) -> ViolationsJson:
    passed = not any(one.policy.enforce for one in found)
    return {"passed": passed, "items": [_violation_json(one) for one in found], "truncated": truncated}


def _violation_json(one: Violation) -> ViolationJson:
    return {
        "fingerprint": one.fingerprint,
        "policy": one.policy.name,
        "because": one.policy.because or None,
        "enforce": one.policy.enforce,
        "label": one.label,
        "dependent": one.dependent,
        "environment": one.environment or None,
        "versions": list(one.versions),
        "path": list(one.path),
        "first_seen_at": format_time(one.first_seen_ns),
        "last_seen_at": format_time(one.last_seen_ns),
        "owner": one.owner,
    }
