"""The contract suite: every promise of ``whence.store.protocol``, held against one store by subclassing.

A store's test module holds one class ``Test...(GraphStoreContract)`` that gives ``make_store`` and ``settle``; it gets
every case, and what it can't do yet goes into ``excuses.py``.
"""

from __future__ import annotations

from tests.contract.finds import FindContract
from tests.contract.rows import RowContract
from tests.contract.walks import WalkContract
from tests.contract.writes import WriteContract


class GraphStoreContract(WriteContract, WalkContract, RowContract, FindContract):
    """All cases."""
