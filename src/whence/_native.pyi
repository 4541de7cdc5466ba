"""The compiled engine; see ``native/`` for its source. There is none where no Rust compiler was at hand."""

from typing import final

from whence.model.spans import Span
from whence.otlp.resolver import Resolver

@final
class Batch:
    """The spans of a request, in its order."""

    def __len__(self) -> int: ...
    def spans(self) -> list[Span]:
        """The same as objects."""

@final
class Decoder:
    """Reads trace requests in protobuf. It remembers what it saw before, which changes no answer."""

    def __new__(cls, resolver: Resolver, keys: list[bytes]) -> Decoder: ...
    def decode(
        self, body: bytes, latest_ns: int, max_spans: int
    ) -> tuple[Batch, list[int], list[tuple[str, int]]] | None:
        """Spans, refused ones by fault (see ``whence.otlp.native``), warnings; None when it does not understand."""
