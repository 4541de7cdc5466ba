from __future__ import annotations

import pytest

from whence.tokens import Scope, granted, parse_token


def test_secret_alone_grants_everything() -> None:
    assert granted([parse_token("abc")], "abc") == frozenset(Scope)


def test_scoped_secret_grants_its_scopes_only() -> None:
    assert granted([parse_token("read+feedback:abc")], "abc") == frozenset({Scope.READ, Scope.FEEDBACK})


def test_secret_named_twice_grants_both_sets_of_scopes() -> None:
    tokens = [parse_token("read:abc"), parse_token("ingest:abc")]
    assert granted(tokens, "abc") == frozenset({Scope.READ, Scope.INGEST})


@pytest.mark.parametrize("presented", ["", "ab", "abcd", "ABC", "é"])
def test_other_secret_grants_nothing(presented: str) -> None:
    assert granted([parse_token("abc")], presented) is None


@pytest.mark.parametrize("text", ["", "read:", "all:abc", "read+:abc", ":abc"])
def test_token_without_secret_or_with_unknown_scope_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="token"):
        parse_token(text)
