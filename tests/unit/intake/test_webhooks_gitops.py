"""Roll-outs that Argo CD and Flux tell of."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webhook_payloads import NOW_NS, delivery, payload
from whence.errors import InvalidQuery
from whence.intake.webhooks import argocd, flux
from whence.model.change import Change
from whence.model.kinds import ChangeKind
from whence.model.times import parse_time_ns

SYNCED_NS = parse_time_ns("2026-11-24T00:11:52Z", now_ns=0)
DIGEST = "0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427"


def _synced(body: dict[str, Any]) -> Change:
    (change,) = argocd.read(delivery(body)).delta.changes.values()
    return change


def _reconciled(body: dict[str, Any]) -> Change:
    (change,) = flux.read(delivery(body)).delta.changes.values()
    return change


def test_sync_is_a_deployment_of_the_image_and_not_of_the_manifests() -> None:
    assert _synced(payload("argocd/deployed")) == Change(
        id=f"argocd:argocd:ranking:{SYNCED_NS}",
        kind=ChangeKind.DEPLOYMENT,
        subject="ranking",
        effective_ns=SYNCED_NS,
        known_ns=NOW_NS,
        reported_ns=SYNCED_NS,
        to_version="v41",
        environment="production",
        url="https://argocd.acme.dev/applications/ranking",
        summary="synced to 71af04fd2ba8ba44ac12cbcfd1f0bd90c4bb9c1f of https://gitlab.acme.dev/shop/manifests.git",
        source="argocd",
    )


@pytest.mark.parametrize(
    ("images", "version"),
    [
        ([f"registry.acme.dev/shop/ranking@sha256:{DIGEST}"], DIGEST),
        ([f"registry.acme.dev:5000/ranking:v41@sha256:{DIGEST}", "redis:7"], DIGEST),
        (["registry.acme.dev:5000/another:v7"], "v7"),
        (["registry.acme.dev:5000/ranking"], None),
        (["ranking:latest"], None),
        (["ranking:v41", "mirror/ranking:v40"], None),
        (["redis:7", "envoy:v1"], None),
        ([], None),
    ],
)
def test_version_is_that_of_the_image_that_bears_the_name_or_is_the_only_one(
    images: list[str], version: str | None
) -> None:
    body = payload("argocd/deployed")
    body["app"]["status"]["summary"]["images"] = images
    assert _synced(body).to_version == version


@pytest.mark.parametrize("phase", ["Running", "Failed", "Error", "Terminating"])
def test_sync_that_has_not_succeeded_is_no_change(phase: str) -> None:
    body = payload("argocd/deployed")
    body["app"]["status"]["operationState"]["phase"] = phase
    receipt = argocd.read(delivery(body))
    assert receipt.delta.rows == 0
    assert phase in (receipt.ignored or "")


def test_sync_by_a_person_names_the_account() -> None:
    body = payload("argocd/deployed")
    body["app"]["status"]["operationState"]["operation"]["initiatedBy"] = {"username": "release-bot"}
    assert _synced(body).actor == "release-bot"


def test_body_without_the_application_says_what_is_missing() -> None:
    with pytest.raises(InvalidQuery) as refused:
        argocd.read(delivery({"message": "synced"}))
    assert refused.value.field == "app.status.operationState.phase"


def test_kustomization_is_a_deployment_of_a_version_that_nobody_named() -> None:
    at_ns = parse_time_ns("2026-11-24T00:14:02Z", now_ns=0)
    assert _reconciled(payload("flux/kustomization")) == Change(
        id=f"flux:Kustomization:shop/ranking:ReconciliationSucceeded:{at_ns}",
        kind=ChangeKind.DEPLOYMENT,
        subject="ranking",
        effective_ns=at_ns,
        known_ns=NOW_NS,
        reported_ns=at_ns,
        environment="production",
        actor="kustomize-controller",
        summary="ReconciliationSucceeded of Kustomization shop/ranking, "
        "revision main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1",
        source="flux",
    )


def test_helm_release_is_a_deployment_of_the_application_and_not_of_the_chart() -> None:
    change = _reconciled(payload("flux/helmrelease"))
    assert (change.subject, change.to_version, change.environment) == ("payment", "77ab", "")


def test_version_that_the_alert_adds_goes_first() -> None:
    body = payload("flux/helmrelease")
    body["metadata"]["version"] = "v12"
    assert _reconciled(body).to_version == "v12"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("Kustomization", "Progressing"),
        ("Kustomization", "ValidationFailed"),
        ("HelmRelease", "UpgradeFailed"),
        ("GitRepository", "NewArtifact"),
        ("GitRepository", "ReconciliationSucceeded"),
    ],
)
def test_events_that_roll_nothing_out_are_no_change(kind: str, reason: str) -> None:
    body = payload("flux/kustomization") | {"reason": reason}
    body["involvedObject"]["kind"] = kind
    receipt = flux.read(delivery(body))
    assert (receipt.event, receipt.delta.rows) == (reason, 0)
    assert receipt.ignored
