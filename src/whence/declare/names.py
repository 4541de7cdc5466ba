"""What people call a thing, and the keys that they may mean by it.

Decision: a reference means itself. A bare name means whatever bears it, whatever the case (Backstage's names have
none): first by whole name, then by host, then by the last part of a table's name. Where several things bear it, all
are meant: a declaration that is too wide hides a finding, one that is too narrow invents one, and invented findings
are what makes people switch a check off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from whence.errors import DecodeError, InvalidReference
from whence.model.refs import parse_ref

_HOSTS = "net://"
_CATALOGUE_KINDS = frozenset({"api", "component", "resource"})


def as_said(name: str) -> str:
    """A name as it is kept: a reference in canonical form without its version, or the bare name.

    Raises:
        DecodeError: It holds ``#`` but is no reference.
    """
    exact = with_version(name)
    return str(parse_ref(exact).base) if "#" in exact else exact


def with_version(name: str) -> str:
    """As ``as_said``, but a reference keeps its version.

    Raises:
        DecodeError: It holds ``#`` but is no reference.
    """
    if "#" not in name:
        return name.strip()
    try:
        return str(parse_ref(name.strip()))
    except InvalidReference as error:
        raise DecodeError(str(error)) from None


class Names:
    """Looks up the keys that names mean, among keys that are known."""

    def __init__(self, keys: Iterable[str], aliases: Iterable[tuple[str, str]] = ()) -> None:
        self._whole: dict[str, set[str]] = defaultdict(set)
        self._host: dict[str, set[str]] = defaultdict(set)
        self._last: dict[str, set[str]] = defaultdict(set)
        for key in keys:
            self._add(key)
        self._aliases = {name.casefold(): of for name, of in aliases}

    def meant(self, name: str) -> frozenset[str]:
        """Keys that a name means; a reference means itself, known or not."""
        if self._aliases:
            name = self._aliases.get(name.casefold(), name)
        if "#" in name:
            return frozenset({name})
        folded = _bare(name).casefold()
        for index in (self._whole, self._host, self._last):
            if folded in index:
                return frozenset(index[folded])
        return frozenset()

    def _add(self, key: str) -> None:
        namespace, _, name = key.partition("#")
        self._whole[name.casefold()].add(key)
        if namespace == _HOSTS:
            self._host[_without_port(name).casefold()].add(key)
        elif "://" in namespace and not namespace.startswith("otel://"):
            self._host[_without_port(namespace.partition("://")[2]).casefold()].add(key)
        last = name.rpartition("/")[2].rpartition(".")[2]
        if last != name:
            self._last[last.casefold()].add(key)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _bare(name: str) -> str:
    """A name without the kind that a catalogue puts before it (``api:pay``); a port is no kind."""
    kind, colon, rest = name.partition(":")
    return rest if colon and kind in _CATALOGUE_KINDS else name
