"""All ports speak TLS once a certificate is given, and ask for the client's where told to."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
import trustme
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from tests.otlp_requests import PROTOBUF, some_spans
from tests.whence_server import WhenceServer
from whence.cli.exits import SERVER, USAGE
from whence.mcp.asking import Asker, Refused
from whence.tls import of_client

AUTHORITY, CLIENTS = trustme.CA(), trustme.CA()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the server's certificate and key, its authority's, and the clients' authority's."""
    folder = tmp_path_factory.mktemp("tls")
    issued = AUTHORITY.issue_cert("127.0.0.1", "localhost")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    CLIENTS.cert_pem.write_to_path(folder / "clients.pem")
    return folder


@pytest.fixture(scope="module", params=["tls", "mtls"])
def server(files: Path, request: pytest.FixtureRequest) -> Iterator[WhenceServer]:
    environment = {"WHENCE_TLS_CERT": str(files / "cert.pem"), "WHENCE_TLS_KEY": str(files / "key.pem")}
    if request.param == "mtls":
        environment["WHENCE_TLS_CLIENT_CA"] = str(files / "clients.pem")
    found = WhenceServer(files / request.param, environment, verify=trusting(shows=CLIENTS))
    found.start()
    yield found
    found.stop()


def trusting(*, shows: trustme.CA | None) -> ssl.SSLContext:
    """What a client knows: our authority; and a certificate of its own that somebody signed."""
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    if shows is not None:
        shows.issue_cert("client@shop.dev").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the commands are told in the environment."""
    folder = tmp_path_factory.mktemp("client")
    mine = CLIENTS.issue_cert("client@shop.dev")
    AUTHORITY.cert_pem.write_to_path(folder / "ca.pem")
    mine.cert_chain_pems[0].write_to_path(folder / "mine.pem")
    mine.private_key_pem.write_to_path(folder / "mine.key")
    names = {"WHENCE_CA": "ca.pem", "WHENCE_CLIENT_CERT": "mine.pem", "WHENCE_CLIENT_KEY": "mine.key"}
    return {variable: str(folder / name) for variable, name in names.items()}


def commanded(server: WhenceServer, **environ: str) -> subprocess.CompletedProcess[str]:
    """``whence search`` with some variables and no others of ours."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("WHENCE_")}
    command = [sys.executable, "-m", "whence.cli", "search", "shop", "--url", server.api]
    return subprocess.run(command, env=plain | environ, check=False, capture_output=True, text=True, timeout=60)


def test_commands_trust_and_show_the_certificates_that_they_are_told(
    server: WhenceServer, client_files: dict[str, str]
) -> None:
    done = commanded(server, **client_files)
    assert done.returncode == 0, done.stderr
    assert commanded(server).returncode == SERVER, "nobody said whom to trust"
    part = commanded(server, WHENCE_CLIENT_CERT=client_files["WHENCE_CLIENT_CERT"])
    assert part.returncode == USAGE
    assert "belong together" in part.stderr
    absent = commanded(server, WHENCE_CA="/absent.pem")
    assert absent.returncode == USAGE
    assert "/absent.pem" in absent.stderr


async def test_tools_for_agents_trust_and_show_them_too(server: WhenceServer, client_files: dict[str, str]) -> None:
    asker = Asker(server.api, verify=of_client(client_files) or True)
    assert "items" in await asker.get("/api/v1/entities")
    with pytest.raises(Refused):
        await Asker(server.api).get("/api/v1/entities")


def is_refused(url: str, verify: ssl.SSLContext) -> bool:
    try:
        httpx.get(url, verify=verify, timeout=10)
    except httpx.TransportError:
        return True
    return False


def exported(server: WhenceServer, *, shows: trustme.CA | None) -> grpc.StatusCode | None:
    """What a call over gRPC ends with; None when it is answered."""
    mine = shows.issue_cert("client@shop.dev") if shows is not None else None
    shown = (mine.private_key_pem.bytes(), mine.cert_chain_pems[0].bytes()) if mine is not None else (None, None)
    credentials = grpc.ssl_channel_credentials(AUTHORITY.cert_pem.bytes(), *shown)
    with grpc.secure_channel(server.otlp_grpc, credentials) as channel:
        try:
            TraceServiceStub(channel).Export(ExportTraceServiceRequest(), timeout=30)  # type: ignore[no-untyped-call]
        except grpc.RpcError as error:
            return error.code()
    return None


def test_every_port_serves_who_trusts_the_authority(server: WhenceServer) -> None:
    with httpx.Client(verify=trusting(shows=CLIENTS), timeout=30) as client:
        assert client.get(f"{server.api}/api/v1/entities").status_code == 200
        sent = client.post(f"{server.otlp_http}/v1/traces", content=some_spans("shop", 3), headers=PROTOBUF)
        assert sent.status_code == 200
    assert exported(server, shows=CLIENTS) is None


def test_no_port_speaks_in_the_clear(server: WhenceServer) -> None:
    for url in (server.api, server.otlp_http):
        assert is_refused(url.replace("https", "http"), trusting(shows=CLIENTS))
    with grpc.insecure_channel(server.otlp_grpc) as channel, pytest.raises(grpc.RpcError):
        TraceServiceStub(channel).Export(ExportTraceServiceRequest(), timeout=3)  # type: ignore[no-untyped-call]


def test_client_without_a_certificate_of_ours_is_refused_where_one_is_asked_for(server: WhenceServer) -> None:
    is_asked = "WHENCE_TLS_CLIENT_CA" in server.environment
    for shows in (None, trustme.CA()):
        assert is_refused(f"{server.api}/readyz", trusting(shows=shows)) is is_asked
        assert is_refused(f"{server.otlp_http}/v1/traces", trusting(shows=shows)) is is_asked


def test_grpc_refuses_a_client_without_a_certificate_of_ours_where_one_is_asked_for(server: WhenceServer) -> None:
    refusal = grpc.StatusCode.UNAVAILABLE if "WHENCE_TLS_CLIENT_CA" in server.environment else None
    for shows in (None, trustme.CA()):
        assert exported(server, shows=shows) is refusal


def refusal_to_start(data: Path, **environment: str) -> str:
    """What ``whence serve`` says before it ends with the exit code of a bad setting."""
    done = subprocess.run(
        [sys.executable, "-m", "whence.cli", "serve"],
        env={**environment, "WHENCE_DATA_DIR": str(data), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == USAGE
    assert "Traceback" not in done.stderr
    return done.stderr


def test_files_that_do_not_belong_together_are_told_at_the_start(files: Path, tmp_path: Path) -> None:
    AUTHORITY.issue_cert("other").private_key_pem.write_to_path(tmp_path / "other.pem")
    for key in (tmp_path / "other.pem", tmp_path / "missing.pem"):
        told = refusal_to_start(tmp_path, WHENCE_TLS_CERT=str(files / "cert.pem"), WHENCE_TLS_KEY=str(key))
        assert "TLS can't work with" in told


@pytest.mark.parametrize(
    ("given", "file", "missing"),
    [
        ("WHENCE_TLS_CERT", "cert.pem", ["WHENCE_TLS_KEY"]),
        ("WHENCE_TLS_KEY", "key.pem", ["WHENCE_TLS_CERT"]),
        ("WHENCE_TLS_CLIENT_CA", "clients.pem", ["WHENCE_TLS_CERT", "WHENCE_TLS_KEY"]),
    ],
)
def test_setting_without_which_tls_is_no_whole_is_named_at_the_start(
    files: Path, tmp_path: Path, given: str, file: str, missing: list[str]
) -> None:
    told = refusal_to_start(tmp_path, **{given: str(files / file)})
    assert f"set {' and '.join(missing)} too" in told
