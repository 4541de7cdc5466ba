"""One way to make a decorator of a context manager, for every kind of function that Python has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
Cover = Callable[[], AbstractContextManager[object]]


def covered(function: F, cover: Cover) -> F:
    """The function with each call inside a context manager of its own.

    Generators are covered while they run, not while they wait for their consumer: what is put into the OpenTelemetry
    context in a generator would otherwise leak to the code that consumes it.
    """
    return cast("F", functools.wraps(function)(_wrapper(function, cover)))


def _wrapper(function: Callable[..., Any], cover: Cover) -> Callable[..., Any]:
    if inspect.isasyncgenfunction(function):
        return lambda *args, **kwargs: _asynchronous_steps(function(*args, **kwargs), cover)
    if inspect.isgeneratorfunction(function):
        return lambda *args, **kwargs: _steps(function(*args, **kwargs), cover)
    if inspect.iscoroutinefunction(function):

        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            with cover():
                return await function(*args, **kwargs)

        return asynchronous

    def synchronous(*args: Any, **kwargs: Any) -> Any:
        with cover():
            return function(*args, **kwargs)

    return synchronous


def _steps(inner: Generator[Any, Any, Any], cover: Cover) -> Generator[Any, Any, Any]:
    step: Callable[[], Any] = functools.partial(next, inner)
    while True:
        try:
            with cover():
                item = step()
        except StopIteration as end:
            return end.value
        try:
            sent = yield item
        except GeneratorExit:
            inner.close()
            raise
        except BaseException as error:  # noqa: BLE001 - it is the inner generator's to handle
            step = functools.partial(inner.throw, error)
        else:
            step = functools.partial(inner.send, sent)


async def _asynchronous_steps(inner: AsyncGenerator[Any, Any], cover: Cover) -> AsyncGenerator[Any, Any]:
    step: Callable[[], Any] = inner.__anext__
    while True:
        try:
            with cover():
                item = await step()
        except StopAsyncIteration:
            return
        try:
            sent = yield item
        except GeneratorExit:
            await inner.aclose()
            raise
        except BaseException as error:  # noqa: BLE001 - it is the inner generator's to handle
            step = functools.partial(inner.athrow, error)
        else:
            step = functools.partial(inner.asend, sent)
