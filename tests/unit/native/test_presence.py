from __future__ import annotations

import shutil
from importlib.util import find_spec

import pytest


def test_compiled_engine_is_there_wherever_a_toolchain_is() -> None:
    if find_spec("whence._native") is None:
        if shutil.which("cargo"):
            pytest.fail("cargo is here, and yet whence._native was not built; see native/")
        pytest.skip("no Rust toolchain, so there is nothing to compare the portable engine with")
