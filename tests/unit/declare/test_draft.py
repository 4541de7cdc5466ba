"""Missing dependencies are written into the file that describes the dependent, and nothing else of it changes."""

from __future__ import annotations

import difflib

import pytest

from whence.declare.draft import Missing, draft
from whence.declare.formats import read_files
from whence.model.kinds import RelationType
from whence.testing.graphs import key

SHOP, RANK, CLICKS = key("storefront"), key("ranking"), "postgres://db:5432#shop.public.clicks"
CALL, READ = Missing(SHOP, RelationType.CALLS, RANK), Missing(SHOP, RelationType.READS, CLICKS)

OWN = """\
# who we are
whence: 1
things:
  - name: storefront   # ours
    calls:
      - payment        # money
      # more to come

    owner: 'team-shop'
  - {name: other, calls: [a]}
"""
BACKSTAGE = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Storefront
spec:
  type: service
  owner: team-shop  # they
  dependsOn: ["component:payment"]
"""


def added(before: str, after: str) -> list[str]:
    """Lines that came; fails if any went."""
    changes = [one for one in difflib.ndiff(before.splitlines(), after.splitlines()) if one[0] in "+-"]
    assert not [one for one in changes if one.startswith("-")], changes
    return [one[2:] for one in changes]


def edges(path: str, text: str) -> set[tuple[str, str, str]]:
    (found,) = read_files({path: text})
    assert not found.problem
    return {(one.dependent, one.type.value, one.dependency) for one in found.statements.edges}


def test_own_file_gets_an_item_and_a_key_and_keeps_every_other_line() -> None:
    (after,) = draft({"whence.yaml": OWN}, [CALL, READ]).values()
    assert added(OWN, after) == [f"    reads: [{CLICKS}]", f"      - {RANK}"]
    assert {("storefront", "CALLS", RANK), ("storefront", "READS", CLICKS)} <= edges("whence.yaml", after)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        ("{name: storefront}", f"{{name: storefront, calls: [{RANK}]}}"),
        ("{name: storefront, calls: [a]}", f"{{name: storefront, calls: [a, {RANK}]}}"),
        ("{name: storefront, calls: []}", f"{{name: storefront, calls: [{RANK}]}}"),
        ("{name: storefront, calls: [a, {name: b}] }", f"{{name: storefront, calls: [a, {{name: b}}, {RANK}] }}"),
    ],
)
def test_flow_style_stays_flow_style(thing: str, expected: str) -> None:
    before = f"whence: 1\nthings:\n  - {thing}\n"
    assert draft({"whence.yaml": before}, [CALL]) == {"whence.yaml": f"whence: 1\nthings:\n  - {expected}\n"}


def test_empty_key_is_filled() -> None:
    before = "whence: 1\nthings:\n  - name: storefront\n    calls:\n    owner: me\n"
    (after,) = draft({"whence.yaml": before}, [CALL]).values()
    assert edges("whence.yaml", after) == {("storefront", "CALLS", RANK)}


def test_backstage_gets_components_and_resources() -> None:
    (after,) = draft({"catalog-info.yaml": BACKSTAGE}, [CALL, READ]).values()
    wanted = '  dependsOn: ["component:payment", component:ranking, resource:shop.public.clicks]'
    assert wanted in after.splitlines()
    assert after.replace(", component:ranking, resource:shop.public.clicks", "") == BACKSTAGE


def test_dependent_that_no_file_describes_goes_into_a_file_of_ours() -> None:
    compose = "services: {storefront: {image: x}}\n"
    made = draft({"compose.yaml": compose}, [CALL, READ])
    assert made.keys() == {"whence.yaml"}
    assert edges("whence.yaml", made["whence.yaml"]) == {(SHOP, "CALLS", RANK), (SHOP, "READS", CLICKS)}
    appended = draft({"whence.yaml": OWN.replace("storefront", "else")}, [CALL])["whence.yaml"]
    assert appended.startswith(OWN.replace("storefront", "else") + "---\nwhence: 1\n")


def test_nothing_missing_changes_nothing() -> None:
    assert draft({"whence.yaml": OWN}, []) == {}
