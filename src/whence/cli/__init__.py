"""The ``whence`` command. It speaks HTTP to a server; only ``serve`` and ``demo`` start one."""

from __future__ import annotations

import sys

_SERVER_EXTRA = frozenset({"typer", "rich", "httpx", "pydantic", "pydantic_settings", "fastapi", "uvicorn", "grpc"})


def main() -> None:
    """Entry point. The bare install has the SDK alone, so say what to install instead of failing at an import."""
    try:
        from whence.cli.app import run

        code = run(sys.argv[1:])
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _SERVER_EXTRA:
            raise
        sys.stderr.write(f'whence: {missing.name} is not installed; the command needs: pip install "whence[server]"\n')
        code = 2
    sys.exit(code)
