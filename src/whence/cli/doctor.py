"""``whence doctor``: can the server be reached, does it get data, does it lose any."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, NamedTuple

import typer

from whence.cli.client import Client
from whence.cli.exits import OK, SERVER, Failure
from whence.cli.options import DEFAULT_URL, Json, Url
from whence.cli.output import Output, moment

_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)\Z")
_NEWEST = 200
_LOSSES = {
    "whence_rejected_records_total": "records that can't be used",
    "whence_refused_requests_total": "requests refused (senders retry)",
    "whence_flush_failures_total": "writes that the store refused (repeated)",
}
_KAFKA_LAG = "whence_kafka_lag_records"
_KAFKA_LOSSES = {
    "whence_kafka_dead_letters_total": "records of Kafka put aside",
    "whence_kafka_rejected_records_total": "spans and logs of Kafka that can't be used",
    "whence_kafka_lost_checkpoints_total": "open traces lost with Kafka's journal",
}


_Sample = tuple[str, str, float]
"""Name, labels, value."""


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    is_fine: bool
    detail: str


class Subject(StrEnum):
    """Whom to examine."""

    SERVER = "server"
    APP = "app"


def doctor(
    subject: Annotated[Subject, typer.Argument(help="server, or app: what a process started here would send")] = (
        Subject.SERVER
    ),
    *,
    as_json: Json = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Check the server and whether data arrives, or an application. Exits with 5 (app: 1) when something is wrong."""
    if subject is Subject.APP:
        raise typer.Exit(_examine_app(as_json=as_json))
    findings = list(_findings(Client(url)))
    output = Output()
    if as_json:
        output.raw(json.dumps([one._asdict() for one in findings]))
    else:
        output.table(
            ("", "check", "detail"), [("ok" if one.is_fine else "!!", one.what, one.detail) for one in findings]
        )
    raise typer.Exit(OK if all(one.is_fine for one in findings) else SERVER)


def _examine_app(*, as_json: bool) -> int:
    """In a process of its own, because that is what would be sent from, and the SDK may be alone there."""
    command = [sys.executable, "-m", "whence.sdk.doctor", *(["--json"] if as_json else [])]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - a constant command


def _findings(client: Client) -> Iterator[Finding]:
    try:
        client.get("/healthz")
        yield Finding("server", True, f"answers at {client.url}")
        client.get("/readyz")
        yield Finding("ready", True, "all ports serve, the store answers")
        samples = _samples(client.text("/metrics"))
        yield _freshness(client)
    except Failure as failure:
        yield Finding("server", False, "; ".join(failure.lines))
        return
    rows = sum(value for name, _, value in samples if name == "whence_store_rows")
    yield Finding("store", True, f"{rows:.0f} rows")
    yield from _lost(samples, _LOSSES)
    if any(name.startswith("whence_kafka_") for name, _, _ in samples):
        yield _consumer(samples)
        yield from _lost(samples, _KAFKA_LOSSES)


def _lost(samples: list[_Sample], losses: dict[str, str]) -> Iterator[Finding]:
    for metric, meaning in losses.items():
        found = {labels: value for name, labels, value in samples if name == metric and value}
        detail = ", ".join(f"{labels or 'total'} {value:.0f}" for labels, value in sorted(found.items()))
        yield Finding(meaning, not found, detail or "none")


def _consumer(samples: list[_Sample]) -> Finding:
    assigned = [value for name, _, value in samples if name == "whence_kafka_assigned_partitions"]
    waiting = sum(value for name, _, value in samples if name == _KAFKA_LAG)
    if not sum(assigned):
        return Finding(
            "kafka", False, "no partition is assigned: no broker, no topic, or more processes than partitions"
        )
    return Finding("kafka", True, f"{waiting:.0f} records wait in {sum(assigned):.0f} partitions")


def _freshness(client: Client) -> Finding:
    services = client.get("/api/v1/entities", kind="service", limit=_NEWEST).data["items"]
    if not services:
        return Finding("data", False, "no service was ever seen; send OTLP to port 4317 (gRPC) or 4318 (HTTP)")
    newest = max(services, key=lambda one: str(one["last_seen_at"]))
    return Finding("data", True, f"{newest['key']} was seen last, {moment(newest['last_seen_at'])}")


def _samples(text: str) -> list[_Sample]:
    """(name, labels, value) of every sample of a Prometheus text."""
    matches = (_SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#"))
    return [(match[1], match[2] or "", float(match[3])) for match in matches if match is not None]
