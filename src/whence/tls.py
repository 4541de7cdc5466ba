"""TLS of all ports: who we are, and whose certificates we ask of clients."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

from whence.errors import ConfigError


class Tls(NamedTuple):
    """Files in PEM form."""

    cert: Path
    """Our certificate and what is between it and a known authority."""
    key: Path
    client_ca: Path | None = None
    """Who signs the certificates that clients must show; None asks for none."""

    def check(self) -> None:
        """Load everything once.

        Raises:
            ConfigError: A file is missing, or they don't belong together; without what is in them.
        """
        try:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.client_ca)
            context.load_cert_chain(self.cert, self.key)
        except OSError as error:  # of which ssl's is a kind
            named = ", ".join(str(path) for path in self if path is not None)
            raise ConfigError(f"TLS can't work with {named}: {error.strerror or error}") from None
