"""References on spans: onto the current one at once, and through the OpenTelemetry context onto those that start later.

A span that serves somebody else's request (SERVER, CONSUMER) inherits nothing: only its own code knows what it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from opentelemetry import trace
from opentelemetry.context import Context, create_key, get_current, get_value, set_value

from whence.model.names import MAX_REFS_PER_SPAN
from whence.sdk.guard import guarded, lose

_KEY = create_key("whence-uses")


@guarded
def tag_started(span: trace.Span, parent_context: Context | None) -> None:
    """Put the references of the context that a span starts in onto it."""
    for attribute, refs in _uses(parent_context).items():
        for ref in refs:
            add_reference(span, attribute, ref)


def add_reference(span: trace.Span, attribute: str, ref: str) -> None:
    """Append to a list of references on a span, without repeats; what exceeds the contract's limit is lost."""
    if not span.is_recording():
        return
    present = getattr(span, "attributes", {}).get(attribute, ())
    if ref in present:
        return
    if len(present) >= MAX_REFS_PER_SPAN:
        lose(f"more than {MAX_REFS_PER_SPAN} references on one span", ref)
        return
    span.set_attribute(attribute, (*present, ref))


def context_with(attribute: str, ref: str) -> Context:
    """The current context with one reference more."""
    context = get_current()
    uses = dict(_uses(context))
    uses[attribute] = (*uses.get(attribute, ()), ref)
    return set_value(_KEY, uses, context)


def is_inside_use_of(attribute: str) -> bool:
    """Whether the code runs inside a ``with`` or decorator that names a reference of this kind."""
    return attribute in _uses(None)


def _uses(context: Context | None) -> Mapping[str, tuple[str, ...]]:
    return cast("Mapping[str, tuple[str, ...]]", get_value(_KEY, context) or {})
