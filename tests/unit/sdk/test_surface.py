import inspect
import sys
from importlib import import_module
from pathlib import Path
from subprocess import run

import pytest

import whence
from whence import sdk


def test_surface_is_small_and_every_name_loads() -> None:
    assert len(whence.__all__) <= 12
    assert all(callable(getattr(whence, name)) for name in whence.__all__)
    assert set(whence.__all__) <= set(dir(whence))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = whence.nonsense


@pytest.mark.parametrize("name", whence.__all__)
def test_public_name_says_what_it_does(name: str) -> None:
    assert inspect.getdoc(getattr(whence, name))


def test_import_alone_loads_neither_opentelemetry_nor_the_server() -> None:
    heavy = "{'opentelemetry', 'fastapi', 'httpx', 'numpy', 'neo4j', 'pydantic'}"
    code = f"import sys, whence; assert not {heavy} & sys.modules.keys()"
    run([sys.executable, "-c", code], check=True, timeout=60)


def test_sdk_needs_nothing_beyond_the_bare_install() -> None:
    """Every module of the SDK, imported where all other packages of the extras are out of reach."""
    names = [f"whence.sdk.{path.stem}" for path in Path(next(iter(sdk.__path__))).glob("[!_]*.py")]
    banned = ["fastapi", "httpx", "numpy", "rich", "typer", "msgspec", "pydantic", "neo4j", "uvicorn"]
    code = f"import sys\nfor name in {banned}: sys.modules[name] = None\nimport {', '.join(names)}"
    run([sys.executable, "-c", code], check=True, timeout=60)
    assert {import_module(name).__name__ for name in names} == set(names)
