"""Composition root: settings to stores, receivers and API, in one process and one event loop.

Nothing is made at import. ``serve`` runs until a signal; ``Server`` is the same for callers that bring their own loop.
"""

from whence.main.parts import open_store
from whence.main.server import Server, look_for_garbage_rarely, serve

__all__ = ["Server", "look_for_garbage_rarely", "open_store", "serve"]
