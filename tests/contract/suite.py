"""The contract suite: every promise of ``whence.store.protocol``, held against one store by subclassing.

A store's test module holds one class ``Test...(GraphStoreContract)`` that gives ``make_store`` and ``settle``; it gets
every case, and what it can't do yet goes into ``excuses.py``.
"""

from __future__ import annotations

import random

import pytest

from tests.contract.finds import FindContract
from tests.contract.questions import random_questions
from tests.contract.reference import ReferenceReader
from tests.contract.rows import RowContract
from tests.contract.walks import WalkContract
from tests.contract.writes import WriteContract
from whence.store.protocol import Store
from whence.testing.random_graphs import random_deltas


class GraphStoreContract(WriteContract, WalkContract, RowContract, FindContract):
    """All cases, and the comparison with a reference in plain Python on random graphs."""

    @pytest.mark.parametrize("seed", range(8))
    async def test_reads_of_random_graph_told_twice_in_any_order_equal_the_reference(
        self, store: Store, seed: int
    ) -> None:
        deltas = random_deltas(seed)
        told = [*deltas, *deltas[: len(deltas) // 2]]
        random.Random(seed).shuffle(told)
        await self.put(store, *told)
        reference = ReferenceReader(deltas)
        for question in random_questions(seed):
            assert await question.ask(store) == await question.ask(reference), question
