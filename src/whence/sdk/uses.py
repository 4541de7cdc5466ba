"""``uses_model``, ``reads`` and ``writes``: which versions of models and data a piece of code touches.

How it works: a use puts its reference on the current span at once. As a context manager or decorator it also puts it
into the OpenTelemetry context, from where ``UseProcessor`` copies it onto every span that starts inside. A span that
serves somebody else's request (SERVER, CONSUMER) inherits nothing: only its own code knows what it reads.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from contextvars import Token
from types import TracebackType
from typing import Any, TypeVar, cast

from opentelemetry import trace
from opentelemetry.context import Context, attach, create_key, detach, get_value, set_value

from whence.model.names import INPUTS, MAX_REF_CHARS_ON_SPAN, MAX_REFS_PER_SPAN, MODELS, OUTPUTS
from whence.sdk.guard import guarded, lose

F = TypeVar("F", bound=Callable[..., Any])

_KEY = create_key("whence-uses")
_REFERENCE = re.compile(r"""[!-"$-~]+\#[!-"$-?A-~]+(?:@[a-z][a-z0-9]*:[!-"$-?A-~]+)?""")


def uses_model(ref: str) -> Use:
    """The enclosed code, or from a plain call the current span, is served by this version of a model.

    Args:
        ref: ``namespace#name@kind:version``, at most 256 characters (``file#shop/ranker@version:v42``).
    """
    return Use(MODELS, _checked(ref))


def reads(ref: str) -> Use:
    """The enclosed code, or from a plain call the current span, reads this snapshot of a dataset.

    Args:
        ref: ``namespace#name@kind:version``, at most 256 characters (``s3://lake#features@iceberg:3055``).
    """
    return Use(INPUTS, _checked(ref))


def writes(ref: str) -> Use:
    """The enclosed code, or from a plain call the current span, writes this snapshot or model version.

    Args:
        ref: ``namespace#name@kind:version``, at most 256 characters.
    """
    return Use(OUTPUTS, _checked(ref))


class Use:
    """One use of one reference: a fact about the current span, a context manager, and a decorator.

    Decorates functions and coroutine functions; a generator is only covered until it is made. One object serves one
    ``with`` at a time, but any number of concurrent calls of a function that it decorates. Without a reference (it was
    broken) it does nothing.
    """

    def __init__(self, attribute: str, ref: str | None) -> None:
        self._attribute = attribute
        self._ref = ref
        self._token: Token[Context] | None = None
        self._tag()

    def __enter__(self) -> None:
        self._attach()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._detach()

    def __call__(self, function: F) -> F:
        """Decorate a function: each call is a use of its own."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def asynchronous(*args: Any, **kwargs: Any) -> Any:
                with Use(self._attribute, self._ref):
                    return await function(*args, **kwargs)

            return cast("F", asynchronous)

        @functools.wraps(function)
        def synchronous(*args: Any, **kwargs: Any) -> Any:
            with Use(self._attribute, self._ref):
                return function(*args, **kwargs)

        return cast("F", synchronous)

    @guarded
    def _tag(self) -> None:
        if self._ref is not None:
            add_references(trace.get_current_span(), self._attribute, (self._ref,))

    @guarded
    def _attach(self) -> None:
        if self._ref is not None:
            uses = {**_uses(None)}
            uses[self._attribute] = (*uses.get(self._attribute, ()), self._ref)
            self._token = attach(set_value(_KEY, uses))

    @guarded
    def _detach(self) -> None:
        if self._token is not None:
            detach(self._token)
            self._token = None


@guarded
def tag_started(span: trace.Span, parent_context: Context | None) -> None:
    """Put the references of the context that a span starts in onto it."""
    for attribute, refs in _uses(parent_context).items():
        add_references(span, attribute, refs)


def add_references(span: trace.Span, attribute: str, refs: tuple[str, ...]) -> None:
    """Append to a list of references on a span, without repeats; what exceeds the contract's limit is lost."""
    if not span.is_recording():
        return
    present = tuple((getattr(span, "attributes", None) or {}).get(attribute, ()))
    wanted = tuple(dict.fromkeys((*present, *refs)))
    if len(wanted) > MAX_REFS_PER_SPAN:
        lose(f"more than {MAX_REFS_PER_SPAN} references on one span", wanted[MAX_REFS_PER_SPAN])
        wanted = wanted[:MAX_REFS_PER_SPAN]
    if wanted != present:
        span.set_attribute(attribute, wanted)


def _uses(context: Context | None) -> Mapping[str, tuple[str, ...]]:
    return cast("Mapping[str, tuple[str, ...]]", get_value(_KEY, context) or {})


@guarded
def _checked(ref: str) -> str:
    if len(ref) > MAX_REF_CHARS_ON_SPAN or not _REFERENCE.fullmatch(ref):
        raise ValueError(
            f"expected namespace#name@kind:version of at most {MAX_REF_CHARS_ON_SPAN} characters, got {ref[:300]!r}"
        )
    return ref
