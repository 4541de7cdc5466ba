"""Tokens that are accepted just now: those of the settings, and those of a file that may change while whence runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from whence.tokens import Grant, Token, granted, parse_token

LOOK_AGAIN_S = 2.0
"""The file is looked at this often: what was revoked ends within so many seconds."""
log = logging.getLogger(__name__)


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens of a file, one in a line; empty lines and lines that start with ``#`` are left out.

    Raises:
        OSError: The file can't be read.
        ValueError: A line is malformed; the message names its number.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                found.append(parse_token(line.strip()))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    return tuple(found)


class Tokens:
    """All accepted tokens: those of the settings, and those of a file that is read again whenever it changes."""

    def __init__(self, fixed: Sequence[Token] = (), file: Path | None = None, tenant: str | None = None) -> None:
        """Take those of one tenant only, or of all. See ``read_tokens`` for what a file that can't be read raises."""
        self._tenant = tenant
        self._fixed = tuple(fixed)
        self._file = file
        self._of_file: tuple[Token, ...] = () if file is None else read_tokens(file)
        self._stamp = _stamp(file)
        self._looked_s = time.monotonic()

    def __bool__(self) -> bool:
        """Whether tokens are wanted at all, of whatever tenant; without any, everybody may do everything."""
        return bool(self._fixed) or self._file is not None

    def known(self) -> tuple[Token, ...]:
        """All tokens, also those that are out of date."""
        self._look_again()
        tokens = (*self._fixed, *self._of_file)
        return tuple(token for token in tokens if self._tenant in (None, token.tenant))

    def granted_by(self, authorization: str | None) -> Grant | None:
        """The same for the bearer token in an ``Authorization`` header."""
        scheme, _, secret = (authorization or "").partition(" ")
        return self.granted(secret.strip()) if scheme.lower() == "bearer" else None

    def granted(self, presented: str) -> Grant | None:
        """What the presented secret allows today; None when it is unknown or out of date."""
        return granted(self.known(), presented, datetime.now(UTC).date())

    def _look_again(self) -> None:
        if self._file is None or time.monotonic() - self._looked_s < LOOK_AGAIN_S:
            return
        self._looked_s = time.monotonic()
        stamp = _stamp(self._file)
        if stamp == self._stamp:
            return
        try:
            self._of_file, self._stamp = read_tokens(self._file), stamp
        except (OSError, ValueError) as error:
            log.warning("the tokens stay as they were: %s", error)
            self._stamp = stamp


def _stamp(file: Path | None) -> tuple[int, int] | None:
    try:
        status = file.stat() if file is not None else None
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_size) if status is not None else None
