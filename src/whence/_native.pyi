"""The compiled engine; see ``native/`` for its source. There is none where no Rust compiler was at hand."""

from collections.abc import Sequence
from typing import Any, final

from whence.fold.native import NumberedCatalog
from whence.fold.tables import ChangedRow
from whence.model.spans import Facts, Source, Span
from whence.otlp.resolver import Resolver

ChangedExposure = tuple[tuple[int, int], tuple[Any, ...], int, int]
"""Entry, one more than the number of the node or 0 for none; counts; first and last seen."""
ChangedBucket = tuple[int, list[ChangedRow], list[ChangedRow], list[ChangedExposure]]
"""Start in seconds; operations, edges, exposures."""
Derived = tuple[int, int, int, int, int, int]
"""Output, what it derives from, origin that made it; first and last seen, and since when known."""

@final
class Batch:
    """The spans of a request, in its order."""

    @staticmethod
    def of(spans: Sequence[Span]) -> Batch:
        """The batch of some spans."""
    def __len__(self) -> int: ...
    def spans(self) -> list[Span]:
        """The same as objects."""
    def shapes(self) -> list[tuple[Source, Facts, str, int]]:
        """Source, facts, operation and kind, of which each span has one."""
    def packed(self, numbers: Sequence[tuple[int, int]]) -> bytes:
        """The spans in MessagePack, with a number for the source and the facts of each shape."""

@final
class Decoder:
    """Reads trace requests in protobuf. It remembers what it saw before, which changes no answer."""

    def __new__(cls, resolver: Resolver, keys: list[bytes]) -> Decoder: ...
    def decode(
        self, body: bytes, latest_ns: int, max_spans: int
    ) -> tuple[Batch, list[int], list[tuple[str, int]]] | None:
        """Spans, refused ones by fault (see ``whence.otlp.native``), warnings; None when it does not understand."""

@final
class Folder:
    """Holds open traces and counts closed ones; see ``whence.fold.native``."""

    def __new__(
        cls, catalog: NumberedCatalog, bucket_s: int, idle_ns: int, ttl_ns: int, max_open_spans: int
    ) -> Folder: ...
    def push(self, batch: Batch, now_ns: int) -> None:
        """Take spans that arrive now."""
    def push_log(self, operation: int, time_ns: int) -> None:
        """Count one error log."""
    def expire(self, now_ns: int) -> None:
        """Close what is due."""
    def drain(self, now_ns: int) -> tuple[list[ChangedBucket], list[Derived], dict[int, tuple[int, bytes]]]:
        """What changed since the last call; last, when and in which trace each relation was used last."""
    def roll(self, catalog: NumberedCatalog) -> None:
        """Count with another catalog from here on."""
    def open_spans(self) -> Batch:
        """Open spans, oldest trace first."""
    def restore(self, batch: Batch, now_ns: int) -> None:
        """Hold these open spans and no others."""
    def stats(self) -> list[int]:
        """The fields of ``FoldStats``."""
