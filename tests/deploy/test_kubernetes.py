"""What ``kubectl apply -k`` would apply, with and without Kafka, held to Kubernetes' own schemas."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from os.path import relpath
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml

from tests.deploy.files import DEPLOY
from tests.go_tools import BUILD_SECONDS, NoTool, go_tool
from whence.settings import load_settings

KUBERNETES = "1.33"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5", "v5.7.1"

pytestmark = pytest.mark.timeout(BUILD_SECONDS)

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def kustomize() -> Path:
    try:
        return go_tool(*KUSTOMIZE)
    except NoTool as error:
        pytest.skip(str(error))


@pytest.fixture(params=["plain", "kafka"])
def resources(request: pytest.FixtureRequest, kustomize: Path, tmp_path: Path) -> list[Resource]:
    """All resources of an overlay that has the component for Kafka or not."""
    overlay: dict[str, Any] = {"resources": [relpath(DEPLOY, tmp_path)]}
    if request.param == "kafka":
        overlay["components"] = [relpath(DEPLOY / "kafka", tmp_path)]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    done = subprocess.run([kustomize, "build", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def containers(resources: list[Resource]) -> Iterator[tuple[Resource, Resource]]:
    """Each pod's spec with each of its containers."""
    for resource in resources:
        pod = resource.get("spec", {}).get("template", {}).get("spec", {})
        yield from ((pod, container) for container in pod.get("containers", ()))


def test_every_resource_follows_the_schema_strictly(resources: list[Resource]) -> None:
    assert {one["kind"] for one in resources} == {"StatefulSet", "Deployment", "Service", "ConfigMap"}
    for resource in resources:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def test_no_container_may_do_more_than_it_must(resources: list[Resource]) -> None:
    for pod, container in containers(resources):
        assert pod["securityContext"]["runAsNonRoot"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]


def test_whence_starts_with_what_its_pod_is_given(resources: list[Resource], monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, container),) = ((pod, one) for pod, one in containers(resources) if one["name"] == "whence")
    maps = {one["metadata"]["name"]: one["data"] for one in resources if one["kind"] == "ConfigMap"}
    (source,) = container["envFrom"]
    for name, value in maps[source["configMapRef"]["name"]].items():
        monkeypatch.setenv(name, value)
    for variable in container["env"]:
        monkeypatch.setenv(variable["name"], "secret")
    settings = load_settings(host="0.0.0.0")
    ports = {one["containerPort"] for one in container["ports"]}
    assert ports == {settings.api_port, settings.otlp_http_port, settings.otlp_grpc_port}


def test_collector_reads_the_configuration_that_is_mounted(resources: list[Resource]) -> None:
    ((pod, container),) = ((pod, one) for pod, one in containers(resources) if one["name"] == "collector")
    maps = {one["metadata"]["name"]: one["data"] for one in resources if one["kind"] == "ConfigMap"}
    (volume,) = pod["volumes"]
    mounted = maps[volume["configMap"]["name"]]
    (argument,) = container["args"]
    assert argument.removeprefix("--config=/etc/collector/") in mounted
