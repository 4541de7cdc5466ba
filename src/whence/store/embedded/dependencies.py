"""Who depends on whom in the whole graph, versions taken together.

SQLite folds the versions: handing every relation over to Python would take longer.
"""

from __future__ import annotations

import json

from whence.model.environments import UNNAMED
from whence.model.graph import Dependency
from whence.model.kinds import Layer, RelationType
from whence.store.embedded.reading import Reading
from whence.store.protocol import DependencyQuery

DEPENDENCIES = """
SELECT s.base, r.type, d.base, r.environment, r.layer, min(r.first), max(r.last)
FROM relation r CROSS JOIN entity s ON s.id = r.src CROSS JOIN entity d ON d.id = r.dst
WHERE r.first < :to AND r.until >= :from AND (:known IS NULL OR r.known <= :known)
  AND r.layer IN (SELECT value FROM json_each(:layers))
  AND (:types IS NULL OR r.type IN (SELECT value FROM json_each(:types)))
  AND (:environment IS NULL OR r.environment IN (:environment, :unnamed)
    OR r.type IN (SELECT value FROM json_each(:lasting)))
GROUP BY 1, 2, 3, 4, 5
"""


def dependencies(reading: Reading, query: DependencyQuery) -> list[Dependency]:
    """All that a query admits. Cost: a scan of all relations."""
    terms = reading.terms
    values = {
        "from": query.from_ns,
        "to": query.to_ns,
        "known": query.known_ns,
        "layers": json.dumps(terms.ids(query.layers)),
        "types": json.dumps(terms.ids(query.types)) if query.types else None,
        "environment": reading.environment_id(query.environment),
        "unnamed": terms.id(UNNAMED),
        "lasting": reading.lasting_types(),
    }
    rows = reading.rows(DEPENDENCIES, values)
    types = {one: RelationType(terms.text(one)) for one in {row[1] for row in rows}}
    layers = {one: Layer(terms.text(one)) for one in {row[4] for row in rows}}
    return [
        Dependency(src, types[type_], dst, terms.text(environment), layers[layer], first, last)
        for src, type_, dst, environment, layer, first, last in rows
    ]
