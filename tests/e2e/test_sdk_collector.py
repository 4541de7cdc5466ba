"""What the SDK sends, through a real OpenTelemetry Collector: nothing is lost or changed on the way."""

from pathlib import Path

import httpx
import pytest

from tests.e2e.sdk_host import REQUESTS, Capture, Edges, capture, edges, execute
from tests.otel_collector import BUILD_SECONDS, NoCollector, collector_binary, running_collector
from tests.waiting import eventually
from tests.whence_server import running_whence

__all__ = ["capture"]

pytestmark = pytest.mark.timeout(BUILD_SECONDS)

SERVICE = "otel://risk#scoring@version:7"


@pytest.fixture(scope="module")
def binary() -> Path:
    try:
        return collector_binary()
    except NoCollector as error:
        pytest.skip(str(error))


def run_application(url: str, directory: Path, share: str) -> None:
    execute(
        REQUESTS,
        directory,
        OTEL_EXPORTER_OTLP_ENDPOINT=url,
        OTEL_SERVICE_NAME="scoring",
        OTEL_RESOURCE_ATTRIBUTES="service.namespace=risk,service.version=7",
        OTEL_TRACES_SAMPLER="parentbased_traceidratio",
        OTEL_TRACES_SAMPLER_ARG=share,
        WHENCE_HEARTBEAT_SECONDS="60",
    )


def told_through(binary: Path, capture: Capture, directory: Path, share: str) -> tuple[Edges, int]:
    """Edges that arrive behind a Collector, and the number of spans."""
    capture.bodies.clear()
    with running_collector(binary, capture.url, directory) as url:
        run_application(url, directory, share)
    return edges(capture), len(capture.spans())


def test_one_percent_of_spans_gives_the_same_edges_through_a_collector(
    binary: Path, capture: Capture, tmp_path: Path
) -> None:
    everything, all_spans = told_through(binary, capture, tmp_path, "1.0")
    almost_nothing, few_spans = told_through(binary, capture, tmp_path, "0.01")
    assert (all_spans, few_spans < 20) == (200, True)
    assert almost_nothing == everything
    assert {(SERVICE, "READS", f"s3://lake#features@iceberg:{number}") for number in range(11)} <= everything


def test_collector_passes_on_what_would_have_arrived_without_it(binary: Path, capture: Capture, tmp_path: Path) -> None:
    run_application(capture.url, tmp_path, "1.0")
    direct = edges(capture), sorted(map(comparable, capture.spans()))
    capture.bodies.clear()
    with running_collector(binary, capture.url, tmp_path) as url:
        run_application(url, tmp_path, "1.0")
    assert (edges(capture), sorted(map(comparable, capture.spans()))) == direct


def comparable(span: tuple[dict[str, str], str, dict[str, list[str]]]) -> tuple[object, ...]:
    """A span without what differs from process to process."""
    resource, name, lists = span
    who = {key: value for key, value in resource.items() if key != "service.instance.id"}
    return name, sorted(lists.items()), sorted(who.items())


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_whence_behind_a_collector_knows_what_hardly_any_span_tells(
    binary: Path, tmp_path: Path, compression: str
) -> None:
    with running_whence(tmp_path / "data", WHENCE_FLUSH_SECONDS="0.2") as server:
        with running_collector(binary, server.otlp_http, tmp_path, compression=compression) as url:
            run_application(url, tmp_path, "0.01")

        def upstream() -> set[str]:
            answer = httpx.get(f"{server.api}/api/v1/upstream", params={"entity": "scoring"}, timeout=30)
            return {one["key"] for one in answer.json().get("entities", ())}

        expected = {f"file#shop/ranker@version:v{number}" for number in range(7)}
        assert eventually(lambda: expected <= upstream())
