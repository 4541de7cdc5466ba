"""How tokens are written, what they grant, and how a file of them is followed."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from whence import accepted
from whence.accepted import Tokens
from whence.tokens import Grant, Scope, granted, hash_of, parse_token, written

TODAY = date(2026, 9, 21)


def scopes(texts: list[str], presented: str, today: date = TODAY) -> frozenset[Scope] | None:
    grant = granted([parse_token(text) for text in texts], presented, today)
    return grant.scopes if grant else None


def test_secret_alone_grants_everything() -> None:
    assert scopes(["abc"], "abc") == frozenset(Scope)


def test_scoped_secret_grants_its_scopes_only() -> None:
    assert scopes(["read+write:abc"], "abc") == frozenset({Scope.READ, Scope.WRITE})


def test_secret_named_twice_grants_both_sets_of_scopes() -> None:
    assert scopes(["read:abc", "ingest:abc"], "abc") == frozenset({Scope.READ, Scope.INGEST})


@pytest.mark.parametrize("presented", ["", "ab", "abcd", "ABC", "é", "\udc80", hash_of("abc").hex()])
def test_other_secret_grants_nothing(presented: str) -> None:
    assert scopes(["abc"], presented) is None


def test_secret_named_for_two_tenants_opens_the_first_alone() -> None:
    found = granted([parse_token("zoo/a@read:abc"), parse_token("farm/a@ingest:abc")], "abc", TODAY)
    assert found == Grant("zoo/a", frozenset({Scope.READ}))
    assert found.tenant == "zoo"


@pytest.mark.parametrize("tenant", ["", "..", ".", "A", "1", "a/b", "a.b", "a_b", "a" * 49])
def test_tenant_that_is_no_name_of_a_folder_and_a_database_is_refused(tenant: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        parse_token(f"{tenant}/ci@read:abc")


def test_tenant_knows_its_own_tokens_only() -> None:
    tokens = [parse_token(text) for text in ("zoo/a@abc", "farm/a@def", "ghi")]
    assert [bool(Tokens(tokens, tenant=one).granted("abc")) for one in ("zoo", "farm", "", None)] == [
        True,
        False,
        False,
        True,
    ]


def test_hash_stands_for_its_secret() -> None:
    line = written("ci", [Scope.INGEST], "abc", date(2027, 1, 1))
    assert "abc" not in line
    assert granted([parse_token(line)], "abc", TODAY) == Grant("ci", frozenset({Scope.INGEST}))
    assert scopes([f"sha256:{hash_of('abc').hex()}"], "abc") == frozenset(Scope)


def test_hash_itself_is_no_secret() -> None:
    line = written("ci", [Scope.INGEST], "abc")
    assert scopes([line], line) is None
    assert scopes([line], f"sha256:{hash_of('abc').hex()}") is None


@pytest.mark.parametrize(("today", "is_granted"), [(date(2026, 12, 31), True), (date(2027, 1, 1), False)])
def test_token_ends_on_its_day(today: date, is_granted: bool) -> None:
    assert (scopes(["read:abc;until=2027-01-01"], "abc", today) is not None) is is_granted


def test_secret_stays_out_of_the_text_form() -> None:
    assert "abc" not in repr(parse_token("read:abc"))


@pytest.mark.parametrize(
    "text",
    ["", "read:", "all:abc", "read+:abc", ":abc", "read:sha256:beef", "sha256:", "read:abc;until=soon", "a b@read:abc"],
)
def test_malformed_token_is_refused_without_its_secret(text: str) -> None:
    with pytest.raises(ValueError, match="token") as refusal:
        parse_token(text)
    assert "abc" not in str(refusal.value)


def test_file_of_tokens_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepted, "LOOK_AGAIN_S", 0.0)
    file = tmp_path / "tokens"
    file.write_text(f"# ours\n\n{written('old', [Scope.READ], 'one')}\n")
    tokens = Tokens((), file)
    assert tokens.granted("one") == Grant("old", frozenset({Scope.READ}))
    replaced(file, f"{written('new', [Scope.READ], 'two')}\n")
    assert tokens.granted("one") is None
    assert tokens.granted("two") == Grant("new", frozenset({Scope.READ}))


def test_file_that_breaks_while_it_is_edited_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepted, "LOOK_AGAIN_S", 0.0)
    file = tmp_path / "tokens"
    file.write_text(written("old", [Scope.READ], "one"))
    tokens = Tokens((), file)
    replaced(file, "nonsense:x\n")
    assert tokens.granted("one") is not None
    file.unlink()
    assert tokens.granted("one") is not None


def test_empty_file_lets_nobody_in(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.touch()
    assert Tokens((), file)
    assert Tokens((), file).granted("") is None
    assert not Tokens()


def replaced(file: Path, text: str) -> None:
    """As an editor does it, at a later time."""
    later = file.stat().st_mtime_ns + 1_000_000_000
    file.write_text(text)
    os.utime(file, ns=(later, later))
