"""House rules about the shape of the code: who may import whom, and how large things may grow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "whence"
FILES = sorted(SRC.rglob("*.py"))

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "otlp": {"model", "errors", "_native"},
    "fold": {"model", "errors", "_native"},
    "intake": {"model", "errors"},
    "rca": {"model", "errors"},
    "declare": {"model", "errors", "intake"},
    "governance": {"model", "errors", "intake", "declare"},
    "kpis": {"model", "errors"},
    "store": {"model", "errors"},
    "store.embedded": {"model", "errors", "store"},
    "store.bolt": {"model", "errors", "store"},
    "investigate": {"model", "errors", "rca", "store"},
    "tokens": set(),
    "accepted": {"tokens"},
    "tls": {"errors"},
    "metrics": set(),
    "wording": set(),
    "settings": {"errors", "tls", "tokens", "accepted"},
    "exhibits": {"model", "errors", "rca"},
    "incidents": {"model", "errors", "wording"},
    "postmortem": {"errors", "wording", "ui"},
    "mcp": {"wording"},
    "export": {"model", "errors"},
    "clusters": {"intake"},
    "collector": {"model", "errors", "otlp", "fold", "store", "tls", "tokens", "accepted", "metrics", "_native"},
    "api": {
        "model",
        "errors",
        "intake",
        "declare",
        "governance",
        "kpis",
        "rca",
        "store",
        "investigate",
        "exhibits",
        "incidents",
        "postmortem",
        "mcp",
        "export",
        "settings",
        "ui",
        "tokens",
        "accepted",
        "metrics",
        "wording",
    },
    "ui": {"wording"},
    "sdk": {"model.names"},
    "cli": {"mcp", "clusters", "settings", "errors", "tls", "main", "demo", "wording", "declare", "tokens"},
    "demo": set(),
    "testing": {"model", "errors", "store", "rca", "fold", "otlp"},
    "main": {"*"},
    "__init__": {"sdk"},
}
PURE_ROOMS = {
    "model",
    "otlp",
    "fold",
    "intake",
    "declare",
    "governance",
    "kpis",
    "rca",
    "exhibits",
    "incidents",
    "export",
}
IMPURE_MODULES = {"asyncio", "logging", "os", "random", "socket", "subprocess", "threading", "time", "secrets"}
ONE_ROOM_ONLY = {
    "neo4j": "store.bolt",
    "fastapi": "api",
    "grpc": "collector",
    "confluent_kafka": "collector",
    "sqlite3": "store.embedded",
}


def room_of(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    if len(parts) > 1 and parts[0] == "store" and parts[1] in ("embedded", "bolt"):
        return f"store.{parts[1]}"
    return parts[0]


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_allowed(room: str, module: str) -> bool:
    target = module.removeprefix("whence.")
    allowed = MAY_IMPORT[room] | {room}
    own_or_listed = any(target == name or target.startswith(f"{name}.") for name in allowed)
    if room != "main" and not room.startswith("store.") and re.match(r"store\.(embedded|bolt)\b", target):
        return False
    return "*" in allowed or own_or_listed


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
def test_imports_go_down_only(path: Path) -> None:
    room = room_of(path)
    ours = [name for name in imports_of(path) if name.startswith("whence.")]
    assert [name for name in ours if not is_allowed(room, name)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
def test_servers_and_drivers_stay_in_one_room(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imports_of(path)}
    strangers = {name for name, home in ONE_ROOM_ONLY.items() if name in tops and room_of(path) not in (home, "main")}
    assert strangers == set()


@pytest.mark.parametrize(
    "path", [path for path in FILES if room_of(path) in PURE_ROOMS], ids=lambda path: str(path.relative_to(SRC))
)
def test_the_middle_is_pure(path: Path) -> None:
    tops = {name.partition(".")[0] for name in imports_of(path)}
    assert tops & IMPURE_MODULES == set()
    tree = ast.parse(path.read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.Await)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1 - _docstring_lines(node)
            assert length <= 70, f"{node.name} has {length} lines"
            arguments = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args) if arg.arg not in ("self", "cls")]
            assert len(arguments) <= 6, f"{node.name} takes {len(arguments)} positional parameters"


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return (first.end_lineno or 0) - first.lineno + 1
    return 0


def test_cypher_lives_in_one_room() -> None:
    cypher = re.compile(r"\b(MATCH|MERGE|UNWIND)\s*\(")
    strangers = [path for path in FILES if room_of(path) != "store.bolt" and cypher.search(path.read_text())]
    assert strangers == []


def test_no_answer_claims_a_cause() -> None:
    """Only a person confirms a cause, so the words may not stand in any text that we print."""
    claims = [(path, text) for path in FILES for text in _texts(path) if "root cause" in text.lower()]
    docstrings = {ast.get_docstring(node, clean=False) for path in FILES for node in _documented(path)}
    assert [(path, text) for path, text in claims if text not in docstrings] == []


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _documented(path: Path) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_broad_excepts_stay_at_the_named_guards() -> None:
    """A bare ``except Exception`` hides faults; the receiver, the worker loop and the SDK boundary may have one."""
    guards = {"collector", "sdk"}
    strangers = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node) and room_of(path) not in guards:
                reraises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                if not reraises:
                    strangers.append(f"{path.relative_to(SRC)}:{node.lineno}")
    assert strangers == []


def _is_broad(node: ast.ExceptHandler) -> bool:
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
