"""Functions of libraries, wrapped once, so that we see what they return; and the way back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from whence.sdk.guard import guarded

Look = Callable[..., None]
"""Called with the result and then all arguments of the wrapped call. Its faults are counted and go no further."""

_MARK = "__whence_looks__"


class _Seen:
    """Descriptor in the place of a function or method: the same in every way, but somebody looks at the results."""

    def __init__(self, original: Any, look: Look) -> None:
        self.original = original
        self._look = guarded(look)
        functools.update_wrapper(self, original)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.original(*args, **kwargs)
        self._look(result, *args, **kwargs)
        return result

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        original = self.original.__get__(instance, owner)
        if instance is None:
            return self
        look = self._look

        @functools.wraps(original)
        def seen(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            look(result, instance, *args, **kwargs)
            return result

        return seen


class Patches:
    """What one instrumentor has wrapped."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def look_at(self, owner: Any, name: str, look: Look) -> None:
        """Look at the results of a function of a module, or a method that the class itself defines.

        Absent ones are skipped: libraries differ by release. Wrapped once, whoever asks again.
        """
        original = vars(owner).get(name)
        if original is None or isinstance(original, _Seen) or hasattr(original, _MARK):
            return
        seen = _Seen(original, look)
        # A module's function must stay a plain function: libraries inspect and pickle them.
        setattr(owner, name, seen if isinstance(owner, type) else _as_function(seen, original))
        self.on_undo(lambda: setattr(owner, name, original))

    def on_undo(self, back: Callable[[], None]) -> None:
        """Remember how to put something back."""
        self._undo.append(back)

    def undo(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()


def _as_function(seen: _Seen, original: Any) -> Any:
    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        return seen(*args, **kwargs)

    setattr(function, _MARK, True)
    return function
