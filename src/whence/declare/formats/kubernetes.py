"""Kubernetes NetworkPolicy and Istio: what is *allowed* to be called, which is not what is declared to be needed."""

from __future__ import annotations

from collections.abc import Iterator

from whence.declare.located import Located, items
from whence.declare.statements import Edge, Statements
from whence.intake.fields import as_map, as_text
from whence.model.kinds import Layer, RelationType

_APP_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")
_CLUSTER = ".svc.cluster.local"


def is_rule(document: Located) -> bool:
    """Whether a document is one of those that we read."""
    version, kind = str(document.get("apiVersion", "")), document.get("kind")
    return (version.startswith("networking.k8s.io/") and kind == "NetworkPolicy") or (
        version.startswith("networking.istio.io/") and kind == "Sidecar"
    )


def read(document: Located, path: str) -> Statements:
    """What one document allows."""
    spec = document.get("spec")
    if not isinstance(spec, Located):
        return Statements()
    is_policy = document.get("kind") == "NetworkPolicy"
    dependent = _app(spec.get("podSelector") if is_policy else spec.get("workloadSelector"))
    allowed = _of_policy(spec) if is_policy else _of_sidecar(spec)
    return Statements(
        edges=tuple(
            Edge(dependent, RelationType.CALLS, target, path, line, Layer.ALLOWED)
            for target, line in allowed
            if dependent and target
        )
    )


def _of_policy(spec: Located) -> Iterator[tuple[str, int]]:
    for rule, _ in items(spec.get("egress")):
        for peer, line in items(as_map(rule).get("to")):
            yield _app(as_map(peer).get("podSelector")), line


def _of_sidecar(spec: Located) -> Iterator[tuple[str, int]]:
    """Hosts are written ``namespace/host``; one that stands for all of a namespace names nothing."""
    for rule, _ in items(spec.get("egress")):
        for host, line in items(as_map(rule).get("hosts")):
            name = str(host).rpartition("/")[2]
            if "*" not in name:
                yield name.partition(".")[0] if name.endswith(_CLUSTER) else name, line


def _app(selector: object) -> str:
    fields = as_map(selector)
    labels = as_map(fields.get("matchLabels")) or as_map(fields.get("labels"))
    return next((text for label in _APP_LABELS if (text := as_text(labels.get(label)))), "")
