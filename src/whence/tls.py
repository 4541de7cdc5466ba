"""TLS: of all ports, who we are and whose certificates we ask of clients; of the commands, whom they trust."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
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


def of_client(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """How a client speaks TLS: whom it trusts beside the known authorities, and the certificate that it shows.

    Args:
        environ: ``WHENCE_CA``, ``WHENCE_CLIENT_CERT`` and ``WHENCE_CLIENT_KEY`` name files in PEM form.

    Returns:
        None where none of them is set.

    Raises:
        ConfigError: A file is missing or can't be used, or the key of the certificate isn't named.
    """
    ca, cert, key = (environ.get(f"WHENCE_{name}") for name in ("CA", "CLIENT_CERT", "CLIENT_KEY"))
    if not (ca or cert or key):
        return None
    if bool(cert) != bool(key):
        raise ConfigError("WHENCE_CLIENT_CERT and WHENCE_CLIENT_KEY belong together: set both, or neither")
    try:
        context = ssl.create_default_context()
        if ca:
            context.load_verify_locations(ca)
        if cert:
            context.load_cert_chain(cert, key)
    except OSError as error:  # of which ssl's is a kind
        named = ", ".join(filter(None, (ca, cert, key)))
        raise ConfigError(f"TLS can't work with {named}: {error.strerror or error}") from None
    return context
