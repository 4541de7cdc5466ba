from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from whence import errors
from whence.api.errors import TABLE, problem


def tree(root: type[errors.WhenceError] = errors.WhenceError) -> Iterator[type[errors.WhenceError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


def test_table_holds_every_class_of_the_tree() -> None:
    assert set(TABLE) == set(tree())


def test_retryable_errors_have_a_status_that_clients_retry() -> None:
    assert {row.status for error, row in TABLE.items() if error.retryable} <= {429, 503}


def body(error: errors.WhenceError, *, in_query: bool = False) -> dict[str, object]:
    found: dict[str, object] = json.loads(bytes(problem(error, instance="/x", in_query=in_query).body))
    return found


def test_problem_has_the_members_of_rfc_9457() -> None:
    assert body(errors.NotFound("no such thing")) == {
        "type": "/problems/not-found",
        "title": "Not found",
        "status": 404,
        "detail": "no such thing",
        "instance": "/x",
    }


def test_unknown_entity_carries_the_nearest_names() -> None:
    found = body(errors.EntityNotFound("rankr", ("otel://shop#ranker",)))
    assert (found["name"], found["nearest"]) == ("rankr", ["otel://shop#ranker"])


def test_bad_reference_carries_grammar_and_position() -> None:
    found = body(errors.InvalidReference("a b", 1, "white space"))
    assert (found["reference"], found["position"]) == ("a b", 1)
    assert "namespace" in str(found["grammar"])


@pytest.mark.parametrize(
    ("in_query", "place"), [(False, {"pointer": "/symptom/entity"}), (True, {"parameter": "symptom.entity"})]
)
def test_bad_field_is_named_where_it_stood(in_query: bool, place: dict[str, str]) -> None:
    found = body(errors.InvalidQuery("symptom.entity", "unknown"), in_query=in_query)
    assert found["errors"] == [{**place, "detail": "unknown"}]


def test_retryable_error_says_when_to_come_back() -> None:
    assert problem(errors.Overloaded("full", 4), instance="/x").headers["retry-after"] == "4"
    assert problem(errors.StoreUnavailable("gone"), instance="/x").headers["retry-after"] == "2"
    assert "retry-after" not in problem(errors.QueryTimeout("slow"), instance="/x").headers
