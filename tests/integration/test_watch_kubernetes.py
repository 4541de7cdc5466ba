"""``whence watch kubernetes`` in a process of its own, between a stand-in for a cluster and a real whence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.cluster import Cluster, cluster, controller_revision, replica_set
from tests.integration.live import live_api
from tests.waiting import eventually
from whence.cli.exits import SERVER
from whence.model.delta import GraphDelta
from whence.model.times import parse_time_ns

NOW_NS = parse_time_ns("2026-11-24T09:00:00Z", now_ns=0)


@contextmanager
def _watching(here: Cluster, url: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "KUBECONFIG": str(here.kubeconfig), "WHENCE_URL": url, "NO_PROXY": "*"}
    command = [sys.executable, "-m", "whence.cli", "watch", "kubernetes", "--env", "production"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _changes(url: str) -> dict[str, Any]:
    params: dict[str, str | int] = {"from": "-30d", "limit": 200}
    items = httpx.get(f"{url}/api/v1/changes", params=params, timeout=30).json()["items"]
    return {one["id"]: one for one in items}


def test_roll_outs_before_and_while_it_watches_become_changes(tmp_path: Path) -> None:
    with cluster(tmp_path) as here, live_api(tmp_path, GraphDelta(), NOW_NS) as url:
        here.put("replicasets", replica_set("ranking", 1, "2026-11-24T08:00:00Z", image="acme/ranking:v40"))
        with _watching(here, url):
            assert eventually(lambda: "kubernetes:ranking-1:1" in _changes(url))
            here.put("replicasets", replica_set("ranking", 2, "2026-11-24T08:30:00Z", image="acme/ranking:v41"))
            features = controller_revision("features", 1, "2026-11-24T08:40:00Z", image="acme/features:v3")
            here.put("controllerrevisions", features)
            assert eventually(lambda: len(_changes(url)) == 3)
            change = _changes(url)["kubernetes:ranking-2:2"]
            assert (change["subject"], change["from"], change["to"]) == ("ranking", "v40", "v41")
            assert (change["environment"], change["effective_at"]) == ("production", "2026-11-24T08:30:00Z")


def test_watch_that_the_cluster_forgot_begins_anew_and_tells_nothing_twice(tmp_path: Path) -> None:
    with cluster(tmp_path) as here, live_api(tmp_path, GraphDelta(), NOW_NS) as url:
        here.put("replicasets", replica_set("ranking", 1, "2026-11-24T08:00:00Z", image="acme/ranking:v40"))
        with _watching(here, url) as process:
            assert eventually(lambda: len(_changes(url)) == 1)
            features = controller_revision("features", 1, "2026-11-24T08:40:00Z", image="acme/features:v3")
            here.put("controllerrevisions", features)
            assert eventually(lambda: len(_changes(url)) == 2)
            here.forget()
            here.put("replicasets", replica_set("ranking", 2, "2026-11-24T08:30:00Z", image="acme/ranking:v41"))
            assert eventually(lambda: len(_changes(url)) == 3)
            assert process.poll() is None


def test_cluster_that_refuses_ends_the_command_and_says_so(tmp_path: Path) -> None:
    with cluster(tmp_path) as here:
        here.refuses = 403
        with _watching(here, "http://127.0.0.1:9") as process:
            _, said = process.communicate(timeout=60)
            assert process.returncode == SERVER
            assert said.startswith("the cluster refuses: 403")
