"""Our own YAML: everything that can be stated, in the words of the graph.

::

    whence: 1
    things:
      - name: storefront                 # a name, or a reference such as otel://shop#storefront
        kind: service                    # service (default), model, dataset, job
        owner: team-shop
        purposes: [recommendation]
        calls: [ranking, payment, api.stripe.com]
        reads: [{name: clicks, versions: ["11-21"], environment: production, columns: [user_id]}]
        uses_models: [ranker]
      - {name: ranker, kind: model, trained_on: [clicks]}
      - {name: features, kind: dataset, columns: {rate: [clicks.item_id, orders.total]}}
      - {name: clicks, kind: dataset, labels: [behaviour]}
    declassify:
      - {subject: ranker, label: behaviour, by: dpo@acme.dev, reason: only sums over 50 people}
    suppress:
      - {dependent: storefront, dependency: legacy, owner: team-shop, reason: goes away, expires: 2026-12-31}
    products:
      - name: recommendations
        owner: team-shop
        things: [storefront]
        kpis: [{name: conversion, unit: share, target: "0.04", driven_by: [latency, freshness]}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from whence.declare.located import Located, items
from whence.declare.names import as_said, with_version
from whence.declare.statements import (
    ColumnOrigin,
    Declassification,
    Edge,
    Product,
    ProductKpi,
    Statements,
    Suppression,
    Thing,
)
from whence.errors import DecodeError
from whence.intake.fields import as_map, as_text
from whence.model.kinds import EntityKind, Layer, RelationType

RELATIONS = {
    "calls": RelationType.CALLS,
    "reads": RelationType.READS,
    "consumes": RelationType.CONSUMES,
    "uses_models": RelationType.USES_MODEL,
    "trained_on": RelationType.TRAINED_ON,
    "derived_from": RelationType.DERIVED_FROM,
    "produced_by": RelationType.PRODUCED_BY,
}
ALLOWS = "may_call"
_KINDS = {kind.value: kind for kind in (EntityKind.SERVICE, EntityKind.MODEL, EntityKind.DATASET, EntityKind.JOB)}


def read(document: Located, path: str) -> Statements:
    """Statements of one document.

    Raises:
        DecodeError: It has the mark of our format but not its shape.
    """
    things = [_located(item, line, path) for item, line in items(document.get("things"))]
    return Statements(
        edges=tuple(edge for thing in things for edge in _edges(thing, path)),
        things=tuple(_thing(thing, path) for thing in things),
        declassifications=tuple(_declassifications(document, path)),
        suppressions=tuple(_suppressions(document, path)),
        products=tuple(_products(document, path)),
    )


def _thing(thing: Located, path: str) -> Thing:
    kind = as_text(thing.get("kind")) or EntityKind.SERVICE.value
    if kind not in _KINDS:
        raise DecodeError(f"line {thing.line_of('kind')}: kind must be among {', '.join(_KINDS)}")
    return Thing(
        name=as_said(_required(thing, "name")),
        kind=_KINDS[kind],
        file=path,
        line=thing.line,
        owner=as_text(thing.get("owner")) or "",
        labels=_texts(thing.get("labels")),
        purposes=_texts(thing.get("purposes")),
        lifecycle=as_text(thing.get("lifecycle")) or "",
        description=as_text(thing.get("description")) or "",
        contact=as_text(thing.get("contact")) or "",
        url=as_text(thing.get("url")) or "",
        columns=tuple(_columns(thing)),
    )


def _columns(thing: Located) -> Iterator[ColumnOrigin]:
    origins = thing.get("columns")
    for column, sources in origins.items() if isinstance(origins, Located) else ():
        for source, line in items(sources):
            dataset, dot, name = str(source).rpartition(".")
            if not dot:
                raise DecodeError(f"line {line}: a column comes from a column, written as dataset.column")
            yield ColumnOrigin(column, as_said(dataset), name)


def _edges(thing: Located, path: str) -> Iterator[Edge]:
    dependent = as_said(_required(thing, "name"))
    for field, type_ in RELATIONS.items():
        for target, line in items(thing.get(field)):
            yield _edge(Edge(dependent, type_, "", path, line), target)
    for target, line in items(thing.get(ALLOWS)):
        yield _edge(Edge(dependent, RelationType.CALLS, "", path, line, Layer.ALLOWED), target)


def _edge(edge: Edge, target: Any) -> Edge:
    if not isinstance(target, dict):
        target = {"name": target}
    name = as_text(target.get("name"))
    if name is None:
        raise DecodeError(f"line {edge.line}: expected a name, or a mapping with one")
    return edge._replace(
        dependency=as_said(name),
        versions=_texts(target.get("versions")),
        environment=as_text(target.get("environment")) or "",
        columns=_texts(target.get("columns")),
    )


def _declassifications(document: Located, path: str) -> Iterator[Declassification]:
    for item, line in items(document.get("declassify")):
        found = _located(item, line, path)
        subject, label, by, reason = (_required(found, name) for name in ("subject", "label", "by", "reason"))
        yield Declassification(with_version(subject), label, by, reason, path, line)


def _suppressions(document: Located, path: str) -> Iterator[Suppression]:
    for item, line in items(document.get("suppress")):
        found = _located(item, line, path)
        names = ("dependent", "dependency", "owner", "reason", "expires")
        dependent, dependency, owner, reason, expires = (_required(found, name) for name in names)
        status = as_text(found.get("status")) or ""
        yield Suppression(status, as_said(dependent), as_said(dependency), owner, reason, expires, path, line)


def _products(document: Located, path: str) -> Iterator[Product]:
    for item, line in items(document.get("products")):
        found = _located(item, line, path)
        kpis = tuple(_kpi(_located(kpi, at, path)) for kpi, at in items(found.get("kpis")))
        things = tuple(map(as_said, _texts(found.get("things"))))
        yield Product(_required(found, "name"), things, kpis, path, line, as_text(found.get("owner")) or "")


def _kpi(fields: Located) -> ProductKpi:
    unit, target, url, description = (
        as_text(fields.get(name)) or "" for name in ("unit", "target", "url", "description")
    )
    return ProductKpi(_required(fields, "name"), _texts(fields.get("driven_by")), unit, target, url, description)


def _located(item: object, line: int, path: str) -> Located:
    if not isinstance(item, Located):
        raise DecodeError(f"{path}:{line}: expected a mapping")
    return item


def _required(fields: Located, name: str) -> str:
    value = as_text(as_map(fields).get(name))
    if value is None:
        raise DecodeError(f"line {fields.line}: {name!r} is required")
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in (as_text(item) for item, _ in items(value)) if text)
