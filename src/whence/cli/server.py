"""``whence serve``, ``demo`` and ``token``: what runs here instead of asking a server."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from whence.cli.exits import USAGE, Failure
from whence.tokens import Scope, hash_of, parse_token, written


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


def demo(
    scenario: Annotated[
        str | None, typer.Option(help="What breaks: code, model, data, combination, stale or none; any when absent.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Decides over order, versions, data and traffic.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running, to look around; Ctrl-C ends it.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    store: Annotated[str, typer.Option(help="bolt:// or neo4j:// address; a fresh embedded store when absent.")] = "",
) -> None:
    """Run a small shop with a fault in it, and let whence find the change behind it.

    Takes about a minute. Exits with 0 when the answer was right, 1 when it was wrong.
    """
    from whence.demo import run_demo

    raise typer.Exit(run_demo(scenario=scenario, seed=seed, keep=keep, json_output=json_output, store=store))


def token(
    *,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="What it allows, may be given again; everything when absent.")
    ] = None,
    name: Annotated[str, typer.Option(help="Who has it; it stands in the audit log.")] = "",
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day (UTC) on which it no longer counts.")
    ] = None,
) -> None:
    """Make a token: the secret on stdout, and on stderr the line for WHENCE_TOKENS or WHENCE_TOKENS_FILE.

    The line holds a hash of the secret only. To rotate, keep the old line until nobody uses its secret any more; to
    revoke, take the line away.
    """
    secret = secrets.token_urlsafe(32)
    try:
        line = written(name or hash_of(secret).hex()[:8], scope or list(Scope), secret, until.date() if until else None)
        parse_token(line)
    except ValueError as error:
        raise Failure(USAGE, str(error)) from None
    typer.echo(secret)
    typer.echo(f"For WHENCE_TOKENS, or a line of WHENCE_TOKENS_FILE:\n{line}", err=True)
