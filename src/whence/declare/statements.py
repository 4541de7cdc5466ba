"""What a file can state. Names are references where they hold ``#``, else names as people say them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from whence.model.kinds import EntityKind, Layer, RelationType


class Edge(NamedTuple):
    """One dependency as a file states it."""

    dependent: str
    type: RelationType
    dependency: str
    file: str
    line: int
    """From 1."""
    layer: Layer = Layer.DECLARED
    """Declared, or merely allowed."""
    versions: tuple[str, ...] = ()
    """Versions of the dependency that are expected; empty: any."""
    environment: str = ""
    """Empty: every one."""
    columns: tuple[str, ...] = ()
    """Columns of the dependency that the dependent uses; empty: nobody says which."""


class ColumnOrigin(NamedTuple):
    """One column of a dataset is made from one column of another."""

    column: str
    dataset: str
    """A reference or a name."""
    source: str
    """Column of ``dataset``."""


class Thing(NamedTuple):
    """What a file says of one service, model, dataset or job."""

    name: str
    kind: EntityKind
    file: str
    line: int
    owner: str = ""
    labels: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    lifecycle: str = ""
    description: str = ""
    contact: str = ""
    url: str = ""
    columns: tuple[ColumnOrigin, ...] = ()
    """Where columns of a dataset come from."""
    signature: str = ""
    """What goes into a model and what comes out: ``spend: double -> long``."""


class Alias(NamedTuple):
    """Another name of a thing: an API stands for the component that provides it."""

    name: str
    of: str


class Declassification(NamedTuple):
    """Somebody's decision that a label ends at a thing."""

    subject: str
    label: str
    by: str
    reason: str
    file: str
    line: int


class Suppression(NamedTuple):
    """A finding that somebody answers for, up to a day (``2026-12-31``, inclusive)."""

    status: str
    """Of the finding; empty: any."""
    dependent: str
    dependency: str
    owner: str
    reason: str
    expires: str
    file: str
    line: int


class ProductKpi(NamedTuple):
    """A figure by which a product is judged; it is measured elsewhere."""

    name: str
    driven_by: tuple[str, ...] = ()
    """Names of figures of the pillars that move it; empty: any."""
    unit: str = ""
    target: str = ""
    url: str = ""
    description: str = ""


class Product(NamedTuple):
    """What is sold or used as one thing, and the services by which it is entered."""

    name: str
    things: tuple[str, ...]
    """Names; all that they depend on belongs to the product too."""
    kpis: tuple[ProductKpi, ...]
    file: str
    line: int
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Statements:
    """All that some files state."""

    edges: tuple[Edge, ...] = ()
    things: tuple[Thing, ...] = ()
    aliases: tuple[Alias, ...] = ()
    declassifications: tuple[Declassification, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    products: tuple[Product, ...] = ()


class Source(NamedTuple):
    """One import: the files of one checkout, which the next import of that name replaces as a whole."""

    name: str
    revision: str
    statements: Statements


def together(parts: Iterable[Statements]) -> Statements:
    """Statements of several files as one."""
    parts = tuple(parts)
    return Statements(
        edges=tuple(one for part in parts for one in part.edges),
        things=tuple(one for part in parts for one in part.things),
        aliases=tuple(one for part in parts for one in part.aliases),
        declassifications=tuple(one for part in parts for one in part.declassifications),
        suppressions=tuple(one for part in parts for one in part.suppressions),
        products=tuple(one for part in parts for one in part.products),
    )
