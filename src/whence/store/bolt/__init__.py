"""The production store, on Neo4j. The only room with Cypher in it, and the only one that imports the driver.

Import it only when it is the store: the driver alone takes half a second.
"""

from whence.store.bolt.connection import BoltLimits
from whence.store.bolt.store import BoltStore

__all__ = ["BoltLimits", "BoltStore"]
