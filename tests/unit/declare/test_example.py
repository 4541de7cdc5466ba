"""The declarations beside the example shop can be read, and name the two things that they leave out nowhere."""

from __future__ import annotations

from pathlib import Path

from whence.declare.formats import read_files

FILE = Path(__file__).parents[3] / "examples/shop/whence.yaml"


def test_declarations_of_the_example_are_read_whole() -> None:
    (found,) = read_files({"whence.yaml": FILE.read_text()})
    assert (found.format, found.problem) == ("whence", "")
    pairs = {(one.dependent, one.dependency) for one in found.statements.edges}
    assert ("ranking", "features") in pairs
    assert not pairs & {("storefront", "features"), ("payment", "provider")}
    assert all(one.owner for one in found.statements.things)
