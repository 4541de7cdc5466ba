"""Watches one kind of object in a cluster, by the official client: first a list, then what changes in it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import stamina
from aiohttp import ClientError
from kubernetes.aio.client import ApiClient, ApiException, AppsV1Api
from kubernetes.aio.watch import Watch

from whence.clusters.rollouts import Report, Rollouts

KINDS = ("replica_set", "controller_revision")
WATCH_SECONDS = 300
"""After so long the cluster is asked to end a watch, and it begins anew where it ended."""
READ_SECONDS = 330
"""Without a byte for so long, the connection is given up."""
_GONE = 410

_log = logging.getLogger(__name__)


class Watcher:
    """Tells of the roll-outs of all workloads.

    Args:
        api: The cluster.
        rollouts: What was seen so far.
        tell: Takes reports; it returns once they are kept.
        kind: One of ``KINDS``.
        namespace: Only this one; all of them where it is None.
    """

    def __init__(
        self,
        api: ApiClient,
        rollouts: Rollouts,
        tell: Callable[[list[Report]], Awaitable[None]],
        *,
        kind: str,
        namespace: str | None,
    ) -> None:
        apps = AppsV1Api(api)
        self._rollouts = rollouts
        self._tell = tell
        self._list = getattr(apps, f"list_namespaced_{kind}" if namespace else f"list_{kind}_for_all_namespaces")
        self._where = {"namespace": namespace} if namespace else {}
        self._api = api

    async def run(self) -> None:
        """Watch until cancelled; whatever the network does, the cluster is asked again, ever more rarely.

        Raises:
            ApiException: The cluster refuses to be asked (no permission, no such resource).
        """
        while True:
            async for attempt in stamina.retry_context(on=_may_pass, attempts=None, timeout=None, wait_max=60):
                with attempt:
                    await self._follow(await self._take_list())

    async def _take_list(self) -> str:
        """Tell of what is there; gives back the version of the list, from which a watch goes on."""
        page = self._api.sanitize_for_serialization(await self._list(**self._where, _request_timeout=READ_SECONDS))
        await self._send(self._rollouts.found(page["items"] or ()))
        version: str = page["metadata"]["resourceVersion"]
        return version

    async def _follow(self, version: str) -> None:
        """Tell of what changes after a version, until the cluster no longer remembers it."""
        limits = {"timeout_seconds": WATCH_SECONDS, "_request_timeout": READ_SECONDS}
        while True:
            watch = Watch()
            try:
                async for event in watch.stream(self._list, **self._where, **limits, resource_version=version):
                    if event["type"] in ("ADDED", "MODIFIED"):
                        await self._send(self._rollouts.seen(event["raw_object"], _now()))
            except ApiException as error:
                if error.status != _GONE:
                    raise
                _log.info("the cluster has forgotten where the watch was; it lists anew")
                return
            version = watch.resource_version or version

    async def _send(self, reports: list[Report]) -> None:
        if reports:
            await self._tell(reports)


def _may_pass(error: Exception) -> bool:
    """Whether it may go better the next time: the network, or a cluster that is busy or restarts.

    The client raises ``ValueError`` for an object that is too long for a watch; the list that follows brings it.
    """
    if isinstance(error, ApiException):
        return error.status is None or error.status == 429 or error.status >= 500
    return isinstance(error, ClientError | OSError | ValueError)


def _now() -> str:
    return datetime.now(UTC).isoformat()
