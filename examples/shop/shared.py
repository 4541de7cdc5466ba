"""What every part of the shop shares: where files lie, who answers for a service, which flags are on, and tracing."""

from __future__ import annotations

import json
import os
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from httpx import Client, HTTPError, Limits
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

import whence

DATA = Path(os.environ.get("SHOP_DATA", "shop-data"))

T = TypeVar("T")


class Latest(Generic[T]):
    """What a small file says, read again whenever the file was replaced."""

    def __init__(self, path: Path, load: Callable[[str], T]) -> None:
        self._path, self._load = path, load
        self._stamp = 0
        self._value: T | None = None

    def get(self) -> T:
        """The present value; one ``stat`` where nothing changed."""
        stamp = self._path.stat().st_mtime_ns
        if self._value is None or stamp != self._stamp:
            self._value, self._stamp = self._load(self._path.read_text().strip()), stamp
        return self._value


_routes: Latest[dict[str, list[tuple[str, float]]]] = Latest(DATA / "routes.json", json.loads)
_flags: Latest[dict[str, float]] = Latest(DATA / "flags.json", json.loads)
# Instances come and go; a connection that is kept may lead to one that is just leaving.
_client = Client(timeout=3, limits=Limits(max_keepalive_connections=0))


def ask(service: str, method: str, path: str, **options: Any) -> Any:
    """Call one instance of a service, chosen by weight, and give back its JSON.

    Raises:
        HTTPError: It did not answer, or not with success.
    """
    addresses, weights = zip(*_routes.get()[service], strict=True)
    (address,) = random.choices(addresses, weights)  # noqa: S311 - spreads load, guards nothing
    answer = _client.request(method, f"{address}{path}", **options)
    return answer.raise_for_status().json()


def flag(key: str, user: int) -> bool:
    """Whether a feature flag is on for a user; noted on the current span as OpenTelemetry's conventions say."""
    is_on = zlib.crc32(f"{key}/{user}".encode()) % 100 < 100 * _flags.get().get(key, 0.0)
    evaluation = {
        "feature_flag.key": key,
        "feature_flag.result.variant": "on" if is_on else "off",
        "feature_flag.provider.name": "shop",
    }
    trace.get_current_span().add_event("feature_flag.evaluation", evaluation)
    return is_on


def service(name: str) -> FastAPI:
    """A web application that is traced: OpenTelemetry makes the spans, whence adds what they touch."""
    app = FastAPI(title=name)
    whence.configure(service_name=name)
    FastAPIInstrumentor.instrument_app(app, exclude_spans=["receive", "send"], excluded_urls="/ready")
    HTTPXClientInstrumentor().instrument()

    @app.get("/ready")
    def ready() -> str:
        return name

    @app.exception_handler(HTTPError)
    def dependency_failed(_request: object, error: HTTPError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=502)

    return app


def serve(app: FastAPI) -> None:
    """Listen on ``PORT`` until told to stop."""
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
