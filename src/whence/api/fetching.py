"""Fetches a text from an address that the operator configured, and trusts nobody on the way.

The address itself may be anywhere, its own network included: the operator chose it. Where it redirects to is somebody
else's choice, so a redirect is followed to a public address, or to a host that is configured too. The address that was
looked up is the one that is connected to: a name can't point elsewhere in between.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from typing import NamedTuple

import httpx

MAX_BYTES = 8 << 20
TIMEOUT_S = 20.0
MAX_REDIRECTS = 3
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Fetched(NamedTuple):
    """What came of a fetch. Without ``text`` and ``problem``, nothing has changed since ``etag``."""

    text: str | None = None
    etag: str = ""
    problem: str = ""


class _Refused(Exception):
    """Says why a text is not taken."""


async def fetch(address: str, etag: str, trusted: Collection[str]) -> Fetched:
    """Get a text, unless it still is the one of ``etag``.

    Args:
        address: http or https.
        etag: Of the last text; empty: there is none.
        trusted: Addresses whose hosts may be redirected to, wherever they are.
    """
    hosts = frozenset(httpx.URL(one).netloc for one in trusted)
    try:
        async with asyncio.timeout(TIMEOUT_S), httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            return await _followed(client, httpx.URL(address), etag, hosts)
    except TimeoutError:
        return Fetched(problem=f"no answer within {TIMEOUT_S:.0f} s")
    except _Refused as refused:
        return Fetched(problem=str(refused))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Fetched(problem=f"{type(error).__name__}: {error}"[:300])


async def _followed(client: httpx.AsyncClient, url: httpx.URL, etag: str, hosts: Collection[bytes]) -> Fetched:
    headers = {"if-none-match": etag} if etag else {}
    request = client.build_request("GET", url, headers=headers)
    for _ in range(MAX_REDIRECTS + 1):
        response = await client.send(request, stream=True)
        try:
            target = response.headers.get("location") if response.is_redirect else None
            if target is None:
                return await _taken(response)
        finally:
            await response.aclose()
        url = url.join(target)
        request = await _redirected(client, url, headers, hosts)
    raise _Refused(f"more than {MAX_REDIRECTS} redirects")


async def _taken(response: httpx.Response) -> Fetched:
    if response.status_code == httpx.codes.NOT_MODIFIED:
        return Fetched()
    if response.status_code != httpx.codes.OK:
        raise _Refused(f"HTTP {response.status_code}")
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_BYTES:
            raise _Refused(f"larger than {MAX_BYTES} bytes")
    try:
        return Fetched(body.decode(), response.headers.get("etag", ""))
    except UnicodeDecodeError as error:
        raise _Refused(f"not UTF-8: {error}") from None


async def _redirected(
    client: httpx.AsyncClient, url: httpx.URL, headers: dict[str, str], hosts: Collection[bytes]
) -> httpx.Request:
    if url.scheme not in _DEFAULT_PORTS:
        raise _Refused(f"redirects to {url.scheme[:20]}, which is neither http nor https")
    if url.netloc in hosts:
        return client.build_request("GET", url, headers=headers)
    address = await _public_address(url)
    return client.build_request(
        "GET",
        url.copy_with(host=address),
        headers={**headers, "host": url.netloc.decode()},
        extensions={"sni_hostname": url.host},
    )


async def _public_address(url: httpx.URL) -> str:
    port = url.port or _DEFAULT_PORTS[url.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _Refused(f"redirects to {url.host[:100]}: {error}") from None
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(ipaddress.ip_address(one).is_global for one in addresses):
        raise _Refused(f"redirects to {url.host[:100]}, which is no public address")
    return addresses[0]
