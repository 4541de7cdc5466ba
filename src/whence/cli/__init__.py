"""The ``whence`` command. It speaks HTTP to a server; only ``serve`` and ``demo`` start one."""

from __future__ import annotations

import subprocess
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
        code = _without_server(str(missing.name))
    sys.exit(code)


def _without_server(missing: str) -> int:
    """An application's own environment has the SDK alone, and that is where it wants to be examined."""
    if sys.argv[1:3] == ["doctor", "app"]:
        command = [sys.executable, "-m", "whence.sdk.doctor", *sys.argv[3:]]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - our own module
    sys.stderr.write(f'whence: {missing} is not installed; the command needs: pip install "whence[server]"\n')
    return 2
