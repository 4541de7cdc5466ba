"""What goes wrong: every class of fault by its name, grouped by the pillar that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tests.bench.simulator.faults import code, combined, data, models, unrecorded
from tests.bench.simulator.faults.common import Fault
from tests.bench.simulator.stage import Stage

CLASSES: Mapping[str, Callable[[Stage], Fault]] = MappingProxyType(
    {**code.CLASSES, **models.CLASSES, **data.CLASSES, **combined.CLASSES, **unrecorded.CLASSES}
)
WEIGHTS: Mapping[str, float] = MappingProxyType(
    {name: {**unrecorded.WEIGHTS, **code.WEIGHTS}.get(name, 1.0) for name in CLASSES}
)
"""How often each comes among cases, relative to the others."""
ML_CLASSES = frozenset({*models.CLASSES, *data.CLASSES, *code.ML_CLASSES})
REFRESHES = frozenset(data.REFRESHES)
"""Classes in which a refresh of a dataset is to blame."""
