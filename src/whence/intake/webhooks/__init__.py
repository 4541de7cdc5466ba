"""Webhooks of other tools: one module per source, each from a delivery to the facts in it.

Changes are ordered by the time at which they took effect, as their source tells it, never by arrival: deliveries may
come twice, late, and in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from whence.intake.webhooks import (
    alertmanager,
    argocd,
    cdevents,
    flux,
    generic,
    github,
    gitlab,
    launchdarkly,
    mlflow,
    otel_cicd,
    pagerduty,
    pagerduty_changes,
    signatures,
)
from whence.intake.webhooks.delivery import Delivery, Receipt

__all__ = ["SOURCES", "Delivery", "Receipt", "Source"]


class Source(NamedTuple):
    """How to read the deliveries of one source, and how to tell that they are its own."""

    read: Callable[[Delivery], Receipt]
    verify: Callable[[Delivery, bytes], None] | None
    """Checks the signature with one secret; None for a source that signs nothing and brings a bearer token instead."""
    may_sign: bool = False
    """Whether it signs only where it is told to: without a secret in the settings it brings a bearer token."""


SOURCES: Mapping[str, Source] = {
    alertmanager.SOURCE: Source(alertmanager.read, None),
    alertmanager.GRAFANA: Source(alertmanager.read_grafana, signatures.verify_grafana, may_sign=True),
    argocd.SOURCE: Source(argocd.read, None),
    cdevents.SOURCE: Source(cdevents.read, None),
    flux.SOURCE: Source(flux.read, signatures.verify_flux),
    generic.SOURCE: Source(generic.read, signatures.verify_generic, may_sign=True),
    github.SOURCE: Source(github.read, signatures.verify_github),
    gitlab.SOURCE: Source(gitlab.read, signatures.verify_gitlab),
    launchdarkly.SOURCE: Source(launchdarkly.read, signatures.verify_launchdarkly),
    mlflow.SOURCE: Source(mlflow.read, signatures.verify_mlflow),
    otel_cicd.SOURCE: Source(otel_cicd.read, None),
    pagerduty.SOURCE: Source(pagerduty.read, signatures.verify_pagerduty),
    pagerduty_changes.SOURCE: Source(pagerduty_changes.read, signatures.verify_routing_key),
}
"""Every source that is known, by its name in the address."""
