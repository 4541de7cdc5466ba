"""A resource to its ``Source``: which service it is, which version of it, and where it runs.

Identity is (``service.namespace``, ``service.name``). The version is the surest one stated: commit, image digest, then
``service.version``; names that move (``main``, ``latest``) are none.
"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit, urlunsplit

from whence.model import names
from whence.model.environments import environment_name
from whence.model.refs import MAX_REF_CHARS, Ref, is_mutable_version, service_ref
from whence.model.spans import Source
from whence.otlp.attributes import Stated, Values
from whence.otlp.references import Warnings, stated_keys
from whence.otlp.vocabulary import KEPT_RESOURCE_KEYS

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_SHORT_COMMIT = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{7,39}\Z")
"""An abbreviated commit; all digits is rather a build number."""
_DIGEST = re.compile(r"(?:.*@)?sha256:([0-9a-f]{64})\Z")
_KUBERNETES_NAMES = (
    "k8s.deployment.name",
    "k8s.statefulset.name",
    "k8s.daemonset.name",
    "k8s.cronjob.name",
    "k8s.job.name",
)
_MAX_KEPT_CHARS = 256


class Resources:
    """Sources by equal value, so that all instances of one version share one object."""

    _MAX_SOURCES = 16_384

    def __init__(self) -> None:
        self._sources: dict[Source, Source] = {}

    def source(self, stated: Stated) -> tuple[Source | None, Warnings]:
        """The source of a resource, None when it does not say which service it is."""
        warnings: Warnings = Counter()
        service = _service(stated)
        if service is None or len(str(service)) > MAX_REF_CHARS:
            return None, warnings
        version = str(_version(service, stated))
        source = Source(
            service=str(service),
            version=version if len(version) <= MAX_REF_CHARS else str(service),
            environment=environment_name(stated.text(names.ENVIRONMENT)),
            attributes=_kept(stated),
            models=stated_keys(stated.many(names.MODELS), warnings),
            inputs=stated_keys(stated.many(names.INPUTS), warnings),
        )
        if len(self._sources) >= self._MAX_SOURCES:
            self._sources.clear()
        return self._sources.setdefault(source, source), warnings


def is_service_name(name: str) -> bool:
    """Whether a ``service.name`` names a service; SDKs fill in ``unknown_service`` when nobody did."""
    return bool(name) and not name.startswith("unknown_service")


def _service(stated: Stated) -> Ref | None:
    namespace, name = stated.text(names.SERVICE_NAMESPACE), stated.text(names.SERVICE_NAME)
    if is_service_name(name):
        return service_ref(namespace, name)
    name = stated.first(*_KUBERNETES_NAMES)
    if name:
        return service_ref(namespace or stated.text("k8s.namespace.name"), name)
    name = stated.text("faas.name")
    return service_ref(namespace, name) if name else None


def _version(service: Ref, stated: Stated) -> Ref:
    revision = stated.text(names.REVISION).lower()
    if _COMMIT.match(revision):
        return service.at("git", revision)
    for image in (*stated.many(names.IMAGE_DIGESTS), stated.first("container.image.id", "oci.manifest.digest")):
        digest = _DIGEST.match(image)
        if digest:
            return service.at("sha256", digest[1])
    named = stated.text(names.SERVICE_VERSION)
    if _SHORT_COMMIT.match(named) or _COMMIT.match(named):
        return service.at("git", named)
    named = stated.text("faas.version") or named
    if not is_mutable_version(named):
        return service.at("version", named)
    return service.at("git", revision) if _SHORT_COMMIT.match(revision) else service


def _kept(stated: Stated) -> tuple[tuple[str, str], ...]:
    return tuple(
        (key, _safe(key, values)[:_MAX_KEPT_CHARS]) for key, values in stated.items() if key in KEPT_RESOURCE_KEYS
    )


def _safe(key: str, values: Values) -> str:
    if key.endswith(".url.full"):
        return _without_secrets(values[0])
    return " ".join(values)


def _without_secrets(url: str) -> str:
    """A URL without user info, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
