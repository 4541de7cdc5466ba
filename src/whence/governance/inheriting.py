"""Labels that reach a thing because files say what it was made from, where nothing was observed of the making."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from whence.declare.declared import Declared


def inherit(labels: Mapping[str, frozenset[str]], declared: Declared) -> dict[str, frozenset[str]]:
    """Labels of things, with those that declared derivation and training bring; they end where declassified.

    Args:
        labels: Own labels by key.
        declared: Over these keys.
    """
    made_from: dict[str, set[str]] = defaultdict(set)
    for statement in declared.statements:
        if statement.edge.type.is_lasting:
            for dependent, dependency in declared.pairs_of(statement.edge):
                made_from[dependency].add(dependent)
    found: dict[str, set[str]] = defaultdict(set)
    open_ = [(key, label) for key, own in labels.items() for label in own]
    while open_:
        key, label = open_.pop()
        if label not in found[key] and (label in labels.get(key, ()) or key not in declared.ends_of(label)):
            found[key].add(label)
            open_ += [(dependent, label) for dependent in made_from[key]]
    return {key: frozenset(own) for key, own in found.items()}
