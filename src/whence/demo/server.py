"""whence itself, as a process of its own, and the few requests that the demo makes to it."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx

from whence.demo.plan import Act, Step
from whence.demo.processes import Fleet, Process, ProcessFailed, free_ports, wait_ready
from whence.demo.traffic import Symptom

_KINDS = {Act.DEPLOY: "deployment", Act.TRAIN: "model", Act.EXPORT: "dataset", Act.SWITCH: "flag"}
_FAST = {"WHENCE_BUCKET_SECONDS": "2", "WHENCE_TRACE_IDLE_SECONDS": "2", "WHENCE_FLUSH_SECONDS": "1"}
"""An incident that takes a minute needs a finer clock than one that takes an hour."""
_ANSWER_SECONDS = 30.0
_POLL_SECONDS = 0.2
_STORE_ACCESS = ("WHENCE_STORE_USER", "WHENCE_STORE_PASSWORD")


class Server:
    """A running whence with a store of its own."""

    def __init__(self, fleet: Fleet, data: Path, store: str = "") -> None:
        # A store that outlives the demo may hold the traces of another one.
        self.environment = f"demo-{token_hex(3)}" if store else "production"
        api, otlp_http, otlp_grpc = free_ports(3)
        self.url = f"http://127.0.0.1:{api}"
        self.otlp_url = f"http://127.0.0.1:{otlp_http}"
        ports = {"API": api, "OTLP_HTTP": otlp_http, "OTLP_GRPC": otlp_grpc}
        environ = _FAST | {f"WHENCE_{name}_PORT": str(port) for name, port in ports.items()}
        environ |= {"WHENCE_DATA_DIR": str(data), "WHENCE_STORE": store}
        environ |= {name: os.environ[name] for name in _STORE_ACCESS if name in os.environ}
        self._process: Process = fleet.start("whence", ["-m", "whence.cli", "serve"], environ)
        self._client = httpx.Client(base_url=self.url, timeout=20)

    def wait(self) -> None:
        """Wait until it serves."""
        wait_ready(self._process, f"{self.url}/readyz")

    def announce(self, step: Step, change_id: str) -> None:
        """Report what a step ships, as a deployment pipeline would."""
        self._post(
            "/api/v1/changes",
            {
                "id": change_id,
                "kind": _KINDS[step.act],
                "subject": step.subject,
                "from": step.before,
                "to": step.after,
                "environment": self.environment,
                "effective_at": datetime.now(UTC).isoformat(),
            },
        )

    def alert(self, symptom: Symptom, detected_at: datetime) -> str:
        """Send what a monitoring system would; whence opens an incident and investigates. Address of its page."""
        alert = {
            "id": "demo",
            "status": "firing",
            "title": f"{symptom.operation} is bad",
            "entity": "otel://shop#storefront",
            "operation": symptom.operation,
            "signal": symptom.signal,
            "environment": self.environment,
            "started_at": detected_at.isoformat(),
        }
        (incident,) = self._post("/api/v1/webhooks/alert", alert)["incidents"]
        return f"{self.url}/incidents/{incident}"

    def answer(self, page: str) -> dict[str, Any]:
        """The answer to an incident, as soon as there is one.

        Raises:
            ProcessFailed: There was none in time.
        """
        deadline = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < deadline:
            answers = self._get(f"/api/v1/incidents/{page.rpartition('/')[2]}")["answers"]
            if answers:
                found: dict[str, Any] = self._get(f"/api/v1/investigations/{answers[-1]['investigation']}")
                return found
            time.sleep(_POLL_SECONDS)
        raise ProcessFailed(f"the incident had no answer after {_ANSWER_SECONDS:.0f} s")

    def close(self) -> None:
        """Let go of the connection; the process belongs to the fleet."""
        self._client.close()

    def _get(self, path: str) -> Any:
        return self._client.get(path).raise_for_status().json()

    def _post(self, path: str, body: object) -> Any:
        response = self._client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
        return response.raise_for_status().json()
