"""``whence serve``, ``demo`` and ``token``: what runs here instead of asking a server."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from whence.cli.exits import USAGE, Failure


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on (WHENCE_HOST).")] = None,
    api_port: Annotated[int | None, typer.Option(help="Port of API and pages (WHENCE_API_PORT).")] = None,
    otlp_http_port: Annotated[int | None, typer.Option(help="WHENCE_OTLP_HTTP_PORT.")] = None,
    otlp_grpc_port: Annotated[int | None, typer.Option(help="WHENCE_OTLP_GRPC_PORT.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Directory of data (WHENCE_DATA_DIR).")] = None,
    store: Annotated[str | None, typer.Option(help="bolt:// or neo4j:// address (WHENCE_STORE).")] = None,
) -> None:
    """Run whence: OTLP gRPC 4317, OTLP HTTP 4318, API and pages 8484, all on loopback. Stop it with Ctrl-C.

    Every setting has an environment variable, and WHENCE_CONFIG names a TOML file; flags go first, then variables.
    """
    from whence.errors import ConfigError
    from whence.main import serve as run
    from whence.settings import load_settings

    flags = {
        "host": host,
        "api_port": api_port,
        "otlp_http_port": otlp_http_port,
        "otlp_grpc_port": otlp_grpc_port,
        "data_dir": data_dir,
        "store": store,
    }
    try:
        run(load_settings(**flags))
    except ConfigError as error:
        raise Failure(USAGE, *str(error).splitlines()) from None


def demo() -> None:
    """Run a small shop with a fault in it, and let whence find the change behind it."""
    from whence.demo import run_demo

    run_demo()


def token() -> None:
    """Make a secret for WHENCE_TOKENS."""
    typer.echo(secrets.token_urlsafe(32))
