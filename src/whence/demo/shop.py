"""The running shop: starts its processes, and ships what the plan says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import httpx

from whence.demo.files import Files
from whence.demo.plan import CLICKS, FLAG, ORDERS, RANKER, Act, Plan, Step, service
from whence.demo.processes import Fleet, Process, free_ports, wait_ready
from whence.demo.releases import make_release
from whence.demo.server import Server

REFRESH_SECONDS = 5.0
MAX_AGE_SECONDS = 14.0
SIDE_BY_SIDE_SECONDS = 4.0
"""How long old and new run beside each other in a roll-out."""
_DRAIN_SECONDS = 0.5
_BAKING_STEPS = 2
"""So many further steps are shipped before a new model gets all of the traffic."""
_SWITCHED_SHARE = 0.5
_BAD_DAY_SHARE = 0.4
_CHANNELS = ("stable", "canary")
"""Model channels: one instance of the ranking service follows each."""
_INSTANCES = {"storefront": ("",), "features": ("",), "payment": ("",), "ranking": _CHANNELS}


class Instance(NamedTuple):
    """One process of a service."""

    process: Process
    address: str


class Shop:
    """All processes of the shop, in one folder; the fleet stops them."""

    def __init__(self, folder: Path, fleet: Fleet, server: Server, plan: Plan) -> None:
        self.files = Files(folder / "data", plan.seed)
        self._releases = folder / "releases"
        self._fleet = fleet
        self._server = server
        self._first = plan.first
        self._jobs = make_release(self._releases / "jobs", "refresh").parent
        self._instances: dict[str, list[Instance]] = {}
        self._baking: tuple[str, int] | None = None
        port = free_ports(1)[0]
        self._provider = Instance(
            fleet.start("provider", [str(self._jobs / "provider.py")], {"PORT": str(port)}), f"http://127.0.0.1:{port}"
        )
        self.files.export_orders(self._first[ORDERS])
        self._refresh = self._start_job("refresh", str(REFRESH_SECONDS))

    @property
    def storefront(self) -> str:
        """Address of the front."""
        return self._instances["storefront"][0].address

    def open(self) -> None:
        """Start all services; returns when they answer."""
        self.files.switch(FLAG, 0.0)
        for name in ("features", "payment", "storefront"):
            self._instances[name] = self._start(name, self._first[service(name)])
        self._train(self._first[RANKER], self._first[CLICKS])
        for channel in _CHANNELS:
            self.files.serve_model(channel, self._first[RANKER])
        self._instances["ranking"] = self._start("ranking", self._first[service("ranking")])
        self._route()
        wait_ready(self._provider.process, self._provider.address)
        for instances in self._instances.values():
            _wait(instances)

    def ship(self, step: Step) -> None:
        """Do what one step says; returns when it is complete."""
        acts: Mapping[Act, Callable[[], None]] = {
            Act.DEPLOY: lambda: self._deploy(step),
            Act.TRAIN: lambda: self._roll_out_model(step),
            Act.EXPORT: lambda: self.files.export_orders(step.after, step.flavour),
            Act.SWITCH: lambda: self.files.switch(step.subject, _SWITCHED_SHARE),
            Act.HALT_REFRESH: lambda: self._fleet.stop(self._refresh),
            Act.BAD_DAY: self._begin_bad_day,
        }
        acts[step.act]()
        self._bake()

    def _deploy(self, step: Step) -> None:
        """A rolling deployment: new beside old, then new alone."""
        name = step.subject.partition("#")[2]
        old = self._instances[name]
        new = self._start(name, step.after, step.flavour)
        _wait(new)
        self._instances[name] = [*new, *old]
        self._route()
        time.sleep(SIDE_BY_SIDE_SECONDS)
        self._instances[name] = new
        self._route()
        time.sleep(_DRAIN_SECONDS)
        self._fleet.stop(*(instance.process for instance in old))

    def _roll_out_model(self, step: Step) -> None:
        """A new model, served by one instance first, and by the other one a few steps later."""
        self._train(step.after, step.source, step.flavour)
        self.files.serve_model("canary", step.after)
        self._baking = (step.after, _BAKING_STEPS)
        time.sleep(SIDE_BY_SIDE_SECONDS)

    def _bake(self) -> None:
        if self._baking is None:
            return
        version, steps_left = self._baking
        if steps_left == 0:
            self.files.serve_model("stable", version)
        self._baking = (version, steps_left - 1) if steps_left else None

    def _train(self, version: str, clicks: str, flavour: str = "") -> None:
        self.files.export_clicks(clicks, flavour)
        columns = ["spend", "visits", "recency"] if flavour == "recency" else []
        self._fleet.finish(self._start_job("train", version, *columns))

    def _begin_bad_day(self) -> None:
        httpx.post(f"{self._provider.address}/day", json={"failing_share": _BAD_DAY_SHARE}).raise_for_status()

    def _start(self, name: str, version: str, flavour: str = "") -> list[Instance]:
        file = make_release(self._releases / f"{name}-{version}", name, flavour)
        instances = []
        for channel, port in zip(_INSTANCES[name], free_ports(len(_INSTANCES[name])), strict=True):
            environ = self._environ(version) | {
                "PORT": str(port),
                "SHOP_PROVIDER": self._provider.address,
                "SHOP_MODEL_CHANNEL": channel,
                "SHOP_MAX_AGE_SECONDS": str(MAX_AGE_SECONDS),
            }
            instances.append(Instance(self._fleet.start(name, [str(file)], environ), f"http://127.0.0.1:{port}"))
        return instances

    def _start_job(self, name: str, *arguments: str) -> Process:
        return self._fleet.start(name, [str(self._jobs / f"{name}.py"), *arguments], self._environ("v1"))

    def _environ(self, version: str) -> dict[str, str]:
        about = {
            "service.namespace": "shop",
            "service.version": version,
            "deployment.environment.name": self._server.environment,
        }
        return {
            "SHOP_DATA": str(self.files.folder),
            "WHENCE_URL": self._server.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self._server.otlp_url,
            "OTEL_BSP_SCHEDULE_DELAY": "300",
            "OPENLINEAGE_DISABLED": "true",  # the jobs report their runs themselves
            "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{name}={value}" for name, value in about.items()),
        }

    def _route(self) -> None:
        self.files.route({name: [one.address for one in mine] for name, mine in self._instances.items()})


def _wait(instances: list[Instance]) -> None:
    for instance in instances:
        wait_ready(instance.process, f"{instance.address}/ready")
