"""RootCauseBench: frozen incidents with a handful of spans, some hundred log lines, deployments and flags.

What no public interface carries is left out: the metrics, the alert's text and the commits' diffs. Where the guilty
commit was never deployed on record, "none of the recorded changes" is the right answer.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.bench.replay.incidents import Incident, LogRow, SpanRow, Telemetry, Truth
from tests.bench.replay.nezha import candidates_of, read_lines
from whence.model.times import NS_PER_SECOND

NS_PER_MS = 1_000_000
_STATUS = {"OK": Status.STATUS_CODE_OK, "ERROR": Status.STATUS_CODE_ERROR}
_SPAN_FIELDS = {"trace_id", "span_id", "parent_id", "service", "name", "start", "duration_ms", "status"}
_NO_ATTRIBUTES = frozenset({*_SPAN_FIELDS, "error", "status_message", "attributes"})
_HEX_TRACE_DIGITS = 32


class RootCauseSet:
    """The incidents; the archive's content (a megabyte) is held in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def incidents(self) -> Sequence[Incident]:
        """Cases with their labels; a change that was never recorded is no truth to be found."""
        labels = {label["case_id"]: label for label in read_lines(self._folder / "rootcausebench_labels.jsonl")}
        return [
            _incident(case, labels[case["case_id"]]) for case in read_lines(self._folder / "rootcausebench_cases.jsonl")
        ]

    def telemetry(self, incident: Incident) -> Telemetry:
        """Spans and log lines of one incident."""
        folder = f"rootcausebench/{incident.case_id}"
        spans = json.loads(self._files[f"{folder}/traces.json"])
        traces = _trace_ids(spans)
        return Telemetry(
            [_span(span, traces[span["span_id"]]) for span in spans],
            [_log(json.loads(line)) for line in self._files[f"{folder}/logs.ndjson"].splitlines()],
        )

    @cached_property
    def _files(self) -> dict[str, bytes]:
        path = str(self._folder / "rootcausebench.tar.zst")
        with pa.input_stream(path, compression="zstd") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            return {member.name: content.read() for member in archive if (content := archive.extractfile(member))}


def _incident(case: dict[str, Any], label: dict[str, Any]) -> Incident:
    return Incident(
        case_id=case["case_id"],
        group=case["dataset"],
        entry=case["incident"]["service"],
        detected_ns=int(case["incident"]["detected_at"] * NS_PER_SECOND),
        candidates=candidates_of(case),
        lineage=(),
        truth=Truth(label["root_change_id"], label["root_service"], "none" if label["abstain"] else "code"),
    )


def _trace_ids(spans: Sequence[dict[str, Any]]) -> dict[str, bytes]:
    """Trace of each span. Where the set writes a word in place of an id, a child is in its parent's trace."""
    traces: dict[str, bytes] = {}
    for span in spans:
        text, parent = span["trace_id"], span["parent_id"]
        if len(text) == _HEX_TRACE_DIGITS:
            traces[span["span_id"]] = bytes.fromhex(text)
        else:
            traces[span["span_id"]] = traces.get(parent) or _digest(text, 16)
    return traces


def _span(span: dict[str, Any], trace_id: bytes) -> SpanRow:
    parent = span["parent_id"]
    return SpanRow(
        trace_id,
        _digest(span["span_id"], 8),
        _digest(parent, 8) if parent else b"",
        span["service"],
        span["service"],
        span["name"],
        _ns(span["start"]),
        int(span["duration_ms"] * NS_PER_MS),
        _STATUS[span["status"]],
        span.get("error") or span.get("status_message", ""),
        tuple(_attributes(span)),
    )


def _attributes(span: dict[str, Any]) -> Iterator[tuple[str, str | int]]:
    extra = {key: value for key, value in span.items() if key not in _NO_ATTRIBUTES}
    for key, value in {**extra, **span.get("attributes", {})}.items():
        yield key, value if isinstance(value, str | int) else str(value)


def _log(line: dict[str, Any]) -> LogRow:
    text = line["trace_id"]
    trace_id = bytes.fromhex(text) if len(text) == _HEX_TRACE_DIGITS else b""
    return LogRow(
        _ns(line["timestamp"]), line["service"], line["service"], line["severity_text"], line["msg"], trace_id, b""
    )


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * NS_PER_SECOND


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=size).digest()
