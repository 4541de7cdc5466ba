"""The attributes of a span to its ``Facts``, remembered by the attributes' identity.

How this works: a span's wanted attributes come as a tuple of interned objects, so one lookup finds the facts of all
spans that stated the same. Facts of equal value are one object, which lets the fold compare them by identity too.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from whence.model import names
from whence.model.spans import NO_FACTS, Facts, SpanKind
from whence.otlp.attributes import Attribute, Stated
from whence.otlp.datasets import Touched, is_database_verb, touched_by
from whence.otlp.flags import FLAG
from whence.otlp.models import knowledge_of, models_of, prompts_of
from whence.otlp.peers import peer_of
from whence.otlp.references import Warnings, stated_keys

MAX_OPERATION_CHARS = 200
_CALLERS = frozenset({SpanKind.CLIENT, SpanKind.PRODUCER})
_Key = tuple[int, tuple[Attribute, ...]]


class Remark(NamedTuple):
    """What is to say of some facts; most have none."""

    warnings: Warnings
    lacks_verb: bool
    """A database span that does not say what it did: its name may tell."""


class FactsCache(dict[_Key, tuple[Facts, Remark | None]]):
    """From (span kind, wanted attributes) to facts; index it with any such pair."""

    _MAX_CACHED = 32_768

    def __init__(self) -> None:
        super().__init__()
        self._facts: dict[Facts, Facts] = {NO_FACTS: NO_FACTS}

    def __missing__(self, key: _Key) -> tuple[Facts, Remark | None]:
        kind, attributes = key
        stated = Stated(attributes)
        facts, warnings = facts_of(kind, stated)
        lacks_verb = bool(stated.text("db.system.name")) and not stated.first("db.operation.name", "db.query.summary")
        if len(self) >= self._MAX_CACHED:
            self.clear()
            self._facts.clear()
        remark = Remark(warnings, lacks_verb) if warnings or lacks_verb else None
        answer = (self._facts.setdefault(facts, facts), remark)
        self[key] = answer
        return answer


def facts_of(kind: int, stated: Stated) -> tuple[Facts, Warnings]:
    """What a span states, and what of it could not be used."""
    warnings: Warnings = Counter()
    touched = touched_by(kind, stated)
    models = models_of(stated, warnings)
    prompts = prompts_of(stated, warnings)
    knowledge = knowledge_of(stated)
    names_its_target = bool(models or knowledge or touched != Touched())
    return Facts(
        models=models,
        inputs=_union(stated_keys(stated.many(names.INPUTS), warnings), touched.inputs, knowledge),
        outputs=_union(stated_keys(stated.many(names.OUTPUTS), warnings), touched.outputs),
        prompts=prompts,
        flags=stated.many(FLAG),
        consumes=touched.consumes,
        peer="" if names_its_target or kind not in _CALLERS else peer_of(stated),
        operation=_operation(kind, stated)[:MAX_OPERATION_CHARS],
        poor=stated.text(names.OUTCOME_BAD) == "true",
    ), warnings


def verb_in(name: str) -> str:
    """The database verb with which a span's name begins, if any: the fallback for instrumentation that states none."""
    verb = name.partition(" ")[0].rpartition(":")[2].lower()
    return verb if is_database_verb(verb) else ""


def _operation(kind: int, stated: Stated) -> str:
    method = stated.text("http.request.method")
    route = stated.first("http.route", "url.template")
    if route and (method or kind == SpanKind.SERVER):  # handlers inside a framework state the route alone
        return f"{method} {route}" if method else route
    procedure, service = stated.text("rpc.method"), stated.text("rpc.service")
    if procedure and "/" not in procedure and service:
        return f"{service}/{procedure}"
    return procedure.lstrip("/")


def _union(*groups: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for group in groups for key in group))
