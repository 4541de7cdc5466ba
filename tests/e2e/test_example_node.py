"""The service in another language: no whence in it, and whence knows its code, its calls and its data."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.sdk_host import clean_environment
from tests.waiting import eventually
from tests.whence_server import WhenceServer, free_ports, running_whence

EXAMPLE = Path(__file__).parents[2] / "examples/node"
FAST = {"WHENCE_TRACE_IDLE_SECONDS": "0.2", "WHENCE_FLUSH_SECONDS": "0.2"}
SHA = "9d59409acf479dfa0df1aa568182e43e43df8bbe"
ZERO_CODE = "--require @opentelemetry/auto-instrumentations-node/register"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The example with what its lock file names."""
    if shutil.which("npm") is None:
        pytest.skip("needs Node.js and npm: apt-get install nodejs npm")
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "node", ignore=shutil.ignore_patterns("node_modules")))
    subprocess.run(["npm", "ci"], cwd=folder, check=True, capture_output=True, timeout=240)
    return folder


@contextmanager
def service(folder: Path, name: str, port: int, server: WhenceServer, **environ: str) -> Iterator[None]:
    variables = {
        "PORT": str(port),
        "NODE_OPTIONS": ZERO_CODE,
        "OTEL_SERVICE_NAME": name,
        "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace=shop,vcs.ref.head.revision={SHA}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": server.otlp_http,
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_NODE_RESOURCE_DETECTORS": "env",
    }
    running = subprocess.Popen(["node", "catalogue.js"], cwd=folder, env=clean_environment() | variables | environ)
    try:
        assert eventually(lambda: listens(port))
        yield
    finally:
        running.kill()
        running.wait(20)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def upstream(server: WhenceServer) -> set[str]:
    reply = httpx.get(f"{server.api}/api/v1/upstream", params={"entity": "otel://shop#storefront"}, timeout=20)
    return {one["key"] for one in reply.json()["entities"]} if reply.is_success else set()


@pytest.mark.slow
def test_service_in_another_language_is_known_by_code_calls_and_data(installed: Path, tmp_path: Path) -> None:
    behind, front = free_ports(2)
    with (
        running_whence(tmp_path / "data", **FAST) as server,
        service(installed, "catalogue", behind, server),
        service(installed, "storefront", front, server, RANKING_URL=f"http://127.0.0.1:{behind}/"),
    ):
        assert httpx.get(f"http://127.0.0.1:{front}/", timeout=20).json() == ["hat", "socks", "scarf"]
        expected = {f"otel://shop#catalogue@git:{SHA}", "s3://lake#warehouse/products@iceberg:3055"}
        assert eventually(lambda: expected <= upstream(server)), upstream(server)
