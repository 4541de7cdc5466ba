"""HTTP to the server. Every way in which it can fail becomes a ``Failure`` with its exit code."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from whence.cli.exits import DENIED, NOT_FOUND, SERVER, USAGE, Failure
from whence.errors import ConfigError
from whence.tls import of_client

TOKEN_VARIABLE = "WHENCE_TOKEN"  # noqa: S105  the name, not the secret
_TIMEOUT_SECONDS = 60.0
_DENIED = frozenset({401, 403})


class Reply(NamedTuple):
    """An answer as it came, and decoded."""

    raw: str
    data: Any


class Client:
    """Asks one server. httpx is imported with the first request: it takes longer than the rest of the command."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str, **params: object) -> Reply:
        """GET with the parameters that are not None."""
        return self._send("GET", path, params=_given(params))

    def post(self, path: str, body: Mapping[str, object] | Sequence[object], **params: object) -> Reply:
        """POST of a JSON body, with the parameters that are not None."""
        return self._send("POST", path, json=body, params=_given(params))

    def put(self, path: str, text: str) -> Reply:
        """PUT of a text as it is."""
        return self._send("PUT", path, content=text.encode())

    def delete(self, path: str) -> None:
        """DELETE, which answers nothing."""
        self._exchange("DELETE", path)

    def text(self, path: str) -> str:
        """GET of something that is not JSON."""
        return str(self._exchange("GET", path).text)

    def _send(self, method: str, path: str, **options: Any) -> Reply:
        response = self._exchange(method, path, **options)
        return Reply(response.text, response.json())

    def _exchange(self, method: str, path: str, **options: Any) -> Any:
        import httpx

        token = os.environ.get(TOKEN_VARIABLE)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        options |= {"headers": headers, "timeout": _TIMEOUT_SECONDS, "verify": verifying()}
        try:
            response = httpx.request(method, self.url + path, **options)
        except httpx.InvalidURL as error:
            raise Failure(USAGE, f"{self.url} is no address: {error}") from None
        except httpx.HTTPError as error:
            raise Failure(
                SERVER,
                f"no answer from {self.url}: {error}",
                "start a server with `whence serve`, or name one with --url or WHENCE_URL",
            ) from None
        if not response.is_success:
            raise _failure(response.status_code, _problem(response))
        return response


def verifying() -> ssl.SSLContext | bool:
    """How to verify the server; as everybody does it unless the environment names files."""
    try:
        return of_client(os.environ) or True
    except ConfigError as error:
        raise Failure(USAGE, str(error)) from None


def _given(params: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in params.items() if value is not None}


def _problem(response: Any) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"detail": f"HTTP {response.status_code} {response.reason_phrase}"}


def _failure(status: int, problem: Mapping[str, Any]) -> Failure:
    detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
    if status in _DENIED:
        return Failure(DENIED, detail, f"put a token into {TOKEN_VARIABLE}")
    if status == 404:
        return Failure(NOT_FOUND, *_not_found(detail, problem))
    return Failure(USAGE if status < 500 and status != 429 else SERVER, detail)


def _not_found(detail: str, problem: Mapping[str, Any]) -> list[str]:
    nearest = problem.get("nearest")
    if nearest is None:
        return [detail]
    lines = [f"nothing is known as {problem.get('name')!r}"]
    if nearest:
        return [*lines, "did you mean:", *(f"  {key}" for key in nearest)]
    return [*lines, "find names with `whence search <word>`"]
