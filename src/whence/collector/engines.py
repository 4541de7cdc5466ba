"""Which engine does the work: the compiled one where it was built, else the portable one."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from importlib.util import find_spec

from whence.collector.engine import Engine, PortableEngine
from whence.errors import ConfigError
from whence.fold import SpanFolder
from whence.otlp import DecodeLimits

log = logging.getLogger("whence.collector")

AUTO, NATIVE, PORTABLE = "auto", "native", "portable"


@dataclass(frozen=True, slots=True)
class FoldOptions:
    """How to fold, the same for every engine; see ``SpanFolder``."""

    bucket_s: int
    idle_ns: int
    ttl_ns: int
    max_open_spans: int
    writer: str = "unnamed"


def make_engine(choice: str, fold: FoldOptions, limits: DecodeLimits) -> Engine:
    """The engine of that name, or for ``auto`` the best that is there.

    Raises:
        ConfigError: The compiled engine is asked for and was not built.
    """
    is_built = find_spec("whence._native") is not None
    if choice == NATIVE and not is_built:
        raise ConfigError("WHENCE_ENGINE: there is no compiled engine here; install whence where cargo is, or use auto")
    if choice == PORTABLE or not is_built:
        engine: Engine = PortableEngine(SpanFolder(**asdict(fold)), limits)
    else:
        engine = _native(fold, limits)
    log.info("spans are read and folded by the %s engine", engine.name)
    return engine


def _native(fold: FoldOptions, limits: DecodeLimits) -> Engine:
    from whence.collector.native_engine import NativeEngine
    from whence.fold.native import NativeFolder

    return NativeEngine(NativeFolder(**asdict(fold)), limits)
