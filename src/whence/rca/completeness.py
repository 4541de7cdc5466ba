"""What the answer could see: versions, announced changes, sampling, and the gaps in words."""

from __future__ import annotations

from whence.model.answer import Completeness
from whence.model.delta import ALL_REQUESTS
from whence.rca.candidates import Arrivals
from whence.rca.columns import sum_by
from whence.rca.requests import Requests
from whence.rca.scene import Scene
from whence.rca.topology import Topology

LOW_SHARE = 0.5


def completeness(scene: Scene) -> Completeness:
    """Shares of what was visible, each in [0, 1]."""
    case, requests, topology = scene.case, scene.requests, scene.topology
    versions, changes, sampling = _versions(requests, topology), _changes(scene.arrived), _sampling(requests)
    gaps = []
    if not len(requests):
        gaps.append("no requests of the symptom were recorded in the window")
    elif versions < LOW_SHARE:
        gaps.append("most services send no version, so old and new can't be told apart")
    if changes < 1:
        gaps.append("some versions appeared that no recorded change announced")
    if sampling < LOW_SHARE:
        gaps.append("most requests are not sampled")
    if case.truncated or case.subgraph.truncated:
        gaps.append("the upstream graph was cut off at its size limit")
    return Completeness(versions=versions, changes=changes, sampling=sampling, gaps=tuple(gaps))


def _versions(requests: Requests, topology: Topology) -> float:
    """Share of touched nodes, weighted by requests, that are versions."""
    weights = sum_by(requests.node, requests.total, len(requests.nodes)).tolist()
    touched = [one for one in zip(requests.nodes, weights, strict=True) if one[0] != ALL_REQUESTS]
    total = sum(weight for _, weight in touched)
    versioned = sum(weight for node, weight in touched if topology.base(node) != node)
    return round(versioned / total, 4) if total else 0.0


def _changes(arrived: Arrivals) -> float:
    """Share of versions first seen in the window that a recorded change announced; 1 when there were none."""
    silent, announced = len(arrived.silent), len(set(arrived.matched.values()))
    return round(announced / (announced + silent), 4) if announced + silent else 1.0


def _sampling(requests: Requests) -> float:
    """Effective share of requests that were recorded: (sum w)^2 / sum w^2 against sum w."""
    rows = requests.everything
    total, squares = float(requests.total[rows].sum()), float(requests.total_sq[rows].sum())
    return round(min(1.0, total / squares), 4) if squares > 0 else 1.0
