from __future__ import annotations

import pytest

from tests.contract.excuses import EXCUSES

pytest.register_assert_rewrite(
    "tests.contract.finds",
    "tests.contract.rows",
    "tests.contract.suite",
    "tests.contract.walks",
    "tests.contract.writes",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    excuses = {(excuse.store, excuse.case): excuse for excuse in EXCUSES}
    for item in items:
        if isinstance(item, pytest.Function) and item.cls is not None:
            excuse = excuses.get((item.cls.__name__, item.originalname))
            if excuse is not None:
                item.add_marker(pytest.mark.xfail(reason=excuse.reason, raises=excuse.raises, strict=True))
