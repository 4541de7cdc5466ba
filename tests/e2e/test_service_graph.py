"""The metrics of a service graph, over HTTP and gRPC, become who calls whom; after a kill too."""

from __future__ import annotations

import time
from pathlib import Path

import grpc
import httpx
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.otlp_requests import PROTOBUF
from tests.waiting import eventually
from tests.whence_server import WhenceServer, running_whence

EXPORT = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
FAST = {"WHENCE_TRACE_IDLE_SECONDS": "0.2", "WHENCE_FLUSH_SECONDS": "0.2"}


def counted(client: str, server: str) -> bytes:
    message = ExportMetricsServiceRequest()
    metric = message.resource_metrics.add().scope_metrics.add().metrics.add(name="traces_service_graph_request_total")
    metric.sum.aggregation_temporality = 2  # type: ignore[assignment]
    point = metric.sum.data_points.add(time_unix_nano=time.time_ns(), as_int=5)
    for key, value in {"client": client, "server": server}.items():
        point.attributes.add(key=key).value.string_value = value
    return message.SerializeToString()


def called(server: WhenceServer, caller: str) -> set[str]:
    reply = httpx.get(f"{server.api}/api/v1/upstream", params={"entity": f"otel://#{caller}"}, timeout=20)
    return {one["key"] for one in reply.json()["entities"]} if reply.is_success else set()


def test_counted_calls_become_relations_over_http_and_grpc_and_survive_a_kill(tmp_path: Path) -> None:
    with running_whence(tmp_path / "data", **FAST) as server:
        reply = httpx.post(f"{server.otlp_http}/v1/metrics", content=counted("web", "cart"), headers=PROTOBUF)
        assert (reply.status_code, reply.content) == (200, b"")
        with grpc.insecure_channel(server.otlp_grpc) as channel:
            call = channel.unary_unary(EXPORT, request_serializer=bytes, response_deserializer=bytes)
            assert call(counted("cart", "stock"), timeout=20) == b""
        server.kill()
    with running_whence(tmp_path / "data", **FAST) as server:
        assert eventually(lambda: {"otel://#web", "otel://#cart", "otel://#stock"} <= called(server, "web"))
