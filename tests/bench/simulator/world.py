"""The made-up system: services and their calls, and the models, data, flags and prompts that they use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SERVICES_AT = "otel://"
MODELS_AT = "mlflow+https://registry.example"
DATASETS_AT = "s3://lake"
DATABASE_AT = "postgres://db.internal:5432#serving"
FLAGS_AT = "flag://switches"
PROMPTS_AT = "prompt://library"

MAX_DEPTH = 7
"""Of calls; circles end."""


class Call(NamedTuple):
    """One service asks another while it answers, or leaves a message for it."""

    service: str
    probability: float
    queue: str = ""
    """Name of the topic when it is a message; empty when it waits for the answer."""
    optional: bool = False
    """Whether the caller gets by without the answer, with a poorer result."""


class Read(NamedTuple):
    """A service reads a dataset."""

    dataset: str
    shows: str
    """How telemetry tells: ``snapshot``, ``table`` (a database span without a snapshot), or ``nothing``."""


@dataclass(slots=True)
class Service:
    """One service. Names are bare; the reference is ``otel://#name``."""

    name: str
    calls: list[Call] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    provider: str = ""
    """Host of an outside API that it asks; empty for none."""
    operations: tuple[str, ...] = ("GET /",)
    own_ms: float = 5.0
    error_rate: float = 0.002
    poor_rate: float = 0.0
    instances: int = 3
    tells_version: bool = True
    is_traced: bool = True
    passes_context: bool = True
    """Whether traces go on through it, where it isn't traced itself."""

    @property
    def ref(self) -> str:
        """Wire reference."""
        return f"{SERVICES_AT}#{self.name}"


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset that a job writes at a rhythm."""

    name: str
    job: str
    sources: tuple[str, ...]
    """Datasets that the job reads."""
    every_ns: int
    columns: tuple[str, ...]
    rows: int
    has_profile: bool
    cache_ns: int
    """Readers pick up a new snapshot within this time."""

    in_database: bool = False
    """Whether services read it from a database, which names tables in its own way."""

    @property
    def ref(self) -> str:
        """Wire reference."""
        return f"{DATABASE_AT}.{self.name.replace('/', '_')}" if self.in_database else f"{DATASETS_AT}#{self.name}"


@dataclass(frozen=True, slots=True)
class Model:
    """A model and the dataset that it is trained on."""

    name: str
    job: str
    trained_on: str

    @property
    def ref(self) -> str:
        """Wire reference."""
        return f"{MODELS_AT}#{self.name}"


@dataclass(frozen=True, slots=True)
class World:
    """A whole system."""

    shape: str
    entries: Sequence[str]
    """Services that requests come in at."""
    services: Mapping[str, Service]
    models: Mapping[str, Model]
    tables: Mapping[str, Table]
    tenants: Sequence[str]
    early_tenant: str
    """Gets new versions first and has more trouble anyway, as internal users do; empty for none."""
    outcome_at_entry: bool
    """Whether a poor result is told by the entry, not where it arises."""
    errors_are_logged: bool

    def flow(self, entry: str, *, through_queues: bool) -> dict[str, float]:
        """About how many times a request into one service gets to each, itself included."""
        found: dict[str, float] = {entry: 1.0}
        frontier = dict(found)
        for _ in range(MAX_DEPTH):
            reached: dict[str, float] = {}
            for name, visits in frontier.items():
                for call in self.services[name].calls:
                    if through_queues or not call.queue:
                        reached[call.service] = reached.get(call.service, 0.0) + visits * call.probability
            frontier = reached
            for name, visits in reached.items():
                found[name] = found.get(name, 0.0) + visits
        return found

    def users(self, thing: str) -> list[str]:
        """Services that use a model, dataset, flag or prompt directly."""
        return [
            one.name
            for one in self.services.values()
            if thing in (*one.models, *one.flags, *one.prompts, *(read.dataset for read in one.reads))
        ]


def flag_ref(name: str) -> str:
    """Wire reference of a flag."""
    return f"{FLAGS_AT}#{name}"


def prompt_ref(name: str) -> str:
    """Wire reference of a prompt."""
    return f"{PROMPTS_AT}#{name}"
