"""The embedded store: the whole graph in one SQLite file, with nothing to install or to run."""

from whence.store.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
