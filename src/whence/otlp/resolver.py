"""What a compiled reader asks when it meets bytes for the first time; it keeps the answers.

So what resources and attributes mean is written down once, for both readers.
"""

from __future__ import annotations

from collections.abc import Sequence

from whence.model.spans import Facts, Source
from whence.otlp.attributes import Attribute
from whence.otlp.batches import Findings
from whence.otlp.facts import Remark
from whence.otlp.spans import Attributes, Memory
from whence.otlp.traces import flag_evaluations

Warned = list[tuple[str, int]]
Part = tuple[Facts, str, Warned]
"""What the spans of one kind, attributes and name share: facts, operation, and what each of them is warned about."""


class Resolver:
    """Answers from a memory. Every method raises ``DecodeError`` when the bytes are not what they should be."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.keys = [key.encode() for key in sorted(memory.span_words.keys)]
        """Attributes that are wanted; the reader need not ask about others."""

    def source(self, raw: bytes) -> tuple[Source | None, Warned]:
        """Who a resource is, and what is to be said of it."""
        source, warnings = self._memory.sources[raw]
        return source, list(warnings.items())

    def attribute(self, raw: bytes) -> Attribute | None:
        """The attribute of a key-value pair, None when there is nothing in it."""
        return self._memory.attributes[raw]

    def weight(self, raw: bytes) -> float:
        """How many requests a span of this trace state stands for."""
        return self._memory.weights[raw]

    def stated(self, kind: int, attributes: Attributes) -> Part | None:
        """What spans of this kind and attributes share, None when it depends on their names too."""
        facts, remark = self._memory.facts[kind, attributes]
        if not facts.operation or (remark is not None and remark.lacks_verb):
            return None
        return facts, facts.operation, _warned(remark)

    def named(self, kind: int, attributes: Attributes, raw_name: bytes) -> Part:
        """What spans of this kind, attributes and name share."""
        memory, name = self._memory, self._memory.names[raw_name]
        facts, remark = memory.facts[kind, attributes]
        if remark is not None:
            facts = memory.remarked(kind, attributes, name, remark, Findings()) or facts
        return facts, facts.operation or name, _warned(remark)

    def flagged(self, kind: int, attributes: Attributes, raw_name: bytes, raw_events: Sequence[bytes]) -> Part:
        """The same for a span with events that may be evaluations of flags."""
        stated = flag_evaluations(self._memory, raw_events)
        return self.named(kind, self._memory.with_flags(attributes, stated), raw_name)


def _warned(remark: Remark | None) -> Warned:
    return [] if remark is None else list(remark.warnings.items())
