"""``whence watch``: tells a server what changes elsewhere, until it is stopped."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from whence.cli.client import Client
from whence.cli.exits import SERVER, USAGE, Failure
from whence.cli.options import DEFAULT_URL, Url

if TYPE_CHECKING:
    from whence.clusters.rollouts import Report

MOST_REPORTS = 500

watch = typer.Typer(help="Tell the server what changes elsewhere, until stopped.", no_args_is_help=True)


@watch.callback()
def _group() -> None:
    """Without this, a group of one command would be the command itself."""


@watch.command()
def kubernetes(
    *,
    url: Url = DEFAULT_URL,
    environment: Annotated[str | None, typer.Option("--env", help="Of workloads that name none.")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", help="Only this one; all when absent.")] = None,
    context: Annotated[str | None, typer.Option("--context", help="Of the kubeconfig; the current one.")] = None,
) -> None:
    """Report the roll-outs in a cluster: Deployments, StatefulSets, DaemonSets.

    The cluster is that of the kubeconfig, else that of the pod it runs in. Needs: pip install "whence[kubernetes]".
    """
    try:
        from kubernetes.aio import config
        from kubernetes.aio.client import ApiException
    except ModuleNotFoundError as missing:
        raise Failure(USAGE, f'{missing.name} is not installed; this needs: pip install "whence[kubernetes]"') from None
    try:
        asyncio.run(_watch(Teller(Client(url)), environment, namespace, context))
    except config.ConfigException as error:
        raise Failure(USAGE, f"no cluster: {error}") from None
    except ApiException as error:
        raise Failure(SERVER, f"the cluster refuses: {error.status} {error.reason}") from None


async def _watch(tell: Teller, environment: str | None, namespace: str | None, context: str | None) -> None:
    from kubernetes.aio import client, config

    from whence.clusters.rollouts import Rollouts
    from whence.clusters.watching import KINDS, Watcher

    await config.load_config(context=context)
    async with client.ApiClient() as api:
        kinds = [Watcher(api, Rollouts(environment), tell, kind=kind, namespace=namespace) for kind in KINDS]
        await asyncio.gather(*(watcher.run() for watcher in kinds))


class Teller:
    """Reports changes to a server; it tries again while the server can't be reached."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, reports: list[Report]) -> None:
        """Returns once all are kept."""
        import stamina

        for first in range(0, len(reports), MOST_REPORTS):
            some = reports[first : first + MOST_REPORTS]
            async for attempt in stamina.retry_context(on=_may_pass, attempts=None, timeout=None, wait_max=60):
                with attempt:
                    await asyncio.to_thread(self._client.post, "/api/v1/changes", some)
        sys.stderr.write(f"reported {len(reports)} roll-outs, the last of {reports[-1]['subject']}\n")


def _may_pass(error: Exception) -> bool:
    return isinstance(error, Failure) and error.exit_code == SERVER
