"""The examples: they run, what they add is what their table says, and without it they do the same."""

import hashlib
import json
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression  # type: ignore[import-untyped]

from tests.e2e.sdk_host import Capture, capture, execute

__all__ = ["capture"]

EXAMPLES = Path(__file__).parents[2] / "examples"
REQUESTS = """
from fastapi.testclient import TestClient
print(TestClient(app).get({path!r}).json())
"""
CALLS = {
    "fastapi_service": REQUESTS.format(path="/rank?user=7"),
    "sklearn_server": REQUESTS.format(path="/score?age=3"),
    "batch_job": "print(open('weights.csv').read())",
    "llm_application": "",
}


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A directory with the files that the examples read."""
    joblib.dump(LinearRegression().fit(np.array([[0.0], [1.0]]), np.array([0.0, 2.0])), tmp_path / "model.joblib")
    (tmp_path / "clicks.csv").write_text("product,clicked\nsocks,1\nsocks,0\nhat,1\n")
    return tmp_path


def with_call(name: str, *, added: bool = True) -> str:
    lines = (EXAMPLES / f"{name}.py").read_text().splitlines()
    return "\n".join(line for line in lines if added or not line.endswith("# +")) + "\n" + CALLS[name]


def told(capture: Capture, workplace: Path, name: str) -> tuple[str, set[str]]:
    """What an example printed, and all references on its spans."""
    printed = execute(with_call(name), workplace, OTEL_EXPORTER_OTLP_ENDPOINT=capture.url)
    return printed, {ref for _, _, lists in capture.spans() for refs in lists.values() for ref in refs if "#" in ref}


def digest(path: Path) -> str:
    return f"file#{path}@sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


@pytest.mark.parametrize("name", CALLS)
def test_example_without_the_added_lines_does_the_same(capture: Capture, workplace: Path, name: str) -> None:
    plain = execute(with_call(name, added=False), workplace, OTEL_TRACES_EXPORTER="none")
    assert told(capture, workplace, name)[0] == plain


@pytest.mark.parametrize("name", CALLS)
def test_example_adds_no_more_than_its_table_says(name: str) -> None:
    added = [line for line in (EXAMPLES / f"{name}.py").read_text().splitlines() if line.endswith("# +")]
    row = next(line for line in (EXAMPLES / "README.md").read_text().splitlines() if f"({name}.py)" in line)
    assert len(added) == row.count("`") // 2
    assert len(added) <= 4


def test_fastapi_service_names_the_snapshot_that_it_read(capture: Capture, workplace: Path) -> None:
    assert told(capture, workplace, "fastapi_service")[1] == {
        "s3://lake#warehouse/features@iceberg:3055729675574597004"
    }


def test_sklearn_server_names_the_file_of_its_model(capture: Capture, workplace: Path) -> None:
    assert told(capture, workplace, "sklearn_server")[1] == {digest(workplace / "model.joblib")}


def test_batch_job_names_the_files_that_it_read_and_wrote(capture: Capture, workplace: Path) -> None:
    environ = {"OPENLINEAGE_DISABLED": "false", "WHENCE_URL": capture.url, "OTEL_EXPORTER_OTLP_ENDPOINT": capture.url}
    execute(with_call("batch_job"), workplace, **environ)
    complete = [json.loads(body) for path, body in capture.bodies if path == "/api/v1/lineage"][-1]
    assert complete["eventType"] == "COMPLETE"
    assert [one["name"] for one in complete["inputs"]] == [str(workplace / "clicks.csv")]
    assert [one["name"] for one in complete["outputs"]] == [str(workplace / "weights.csv")]


def test_llm_application_names_the_index_that_it_searched(capture: Capture, workplace: Path) -> None:
    assert told(capture, workplace, "llm_application")[1] == {
        "milvus://search:19530#docs.passages@time:2026-11-23T00:00:00Z"
    }
