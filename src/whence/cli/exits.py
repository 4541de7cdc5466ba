"""Exit codes that a pipeline can act on, and the failure that carries one."""

from __future__ import annotations

OK = 0
FOUND = 1
NO_SUSPECT = 3
USAGE = 2
NOT_FOUND = 4
SERVER = 5
DENIED = 6


class Failure(Exception):
    """Ends the command: what to say on stderr, line by line, and the exit code."""

    def __init__(self, exit_code: int, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.exit_code = exit_code
        self.lines = lines
