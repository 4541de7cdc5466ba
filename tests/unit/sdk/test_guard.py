import logging

import pytest

from whence.sdk.guard import guarded, losses


@guarded
def broken() -> int:
    raise RuntimeError("ours")


def test_guarded_under_pytest_raises() -> None:
    with pytest.raises(RuntimeError, match="ours"):
        broken()


@pytest.mark.usefixtures("production")
def test_guarded_in_production_counts_every_fault_and_logs_the_first(caplog: pytest.LogCaptureFixture) -> None:
    before = losses().get("fault in broken", 0)
    with caplog.at_level(logging.WARNING, "whence"):
        assert broken() is None
        assert broken() is None
    assert losses()["fault in broken"] == before + 2
    assert len(caplog.records) <= 1


def test_guarded_lets_exits_through() -> None:
    @guarded
    def leaving() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leaving()
