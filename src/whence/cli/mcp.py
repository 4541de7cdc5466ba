"""``whence mcp``: the tools for agents, over standard input and output."""

from __future__ import annotations

import os

from whence.cli.client import TOKEN_VARIABLE, verifying
from whence.cli.exits import USAGE, Failure
from whence.cli.options import DEFAULT_URL, Url


def mcp(*, url: Url = DEFAULT_URL) -> None:
    """Serve the tools for agents over stdio, asking a running server. Needs: pip install "whence[mcp]"."""
    try:
        from whence.mcp.asking import Asker
        from whence.mcp.tools import create_server
    except ModuleNotFoundError as missing:
        raise Failure(USAGE, f'{missing.name} is not installed; this needs: pip install "whence[mcp]"') from None
    create_server(Asker(url, os.environ.get(TOKEN_VARIABLE), verify=verifying())).run("stdio")
