"""Every statement that reads, with the plan it relies on.

How this works: a statement begins at an index and ends at a bound. Optional restrictions are parameters that may be
null, so that one text, and with it one plan in the server's cache, serves all questions of a kind; planning a new text
takes the server up to seconds. Only what Cypher can't take as a parameter is rendered into the text: the relationship
types, all of them, from the closed enum, and the bound on hops, from a checked integer.

What may be many rows comes back as lists inside few records, because the driver spends 0.1 ms on each record.

A composite index serves a statement only if all its properties are restricted: hence ``IS NOT NULL`` here and there.
What follows a page is "not the last one or before it" instead of "less, or equal and after": of an OR the planner makes
two searches that it then has to sort. And a far end that is filtered by key has no label, or it would be searched too.
Where two indexes would do, the better one is named: left to itself the planner goes by what it sampled, and when.
"""

from __future__ import annotations

from whence.errors import InvalidQuery
from whence.model.kinds import RelationType
from whence.store.bolt.cypher import properties
from whence.store.bolt.schema import CHANGES, ENTITIES, ENTITY_FIELDS, EXAMPLE, PROFILES, RELATION_KEY, RELATION_TIMES
from whence.store.protocol import MAX_HOPS

FOREVER = 2**63 - 1
"""Argument for a time that is not restricted: no instant is later."""

_ENTITY = properties("n", (*ENTITIES.key, *ENTITY_FIELDS))
_CHANGE = properties("c", (*CHANGES.key, *CHANGES.fields))
_PROFILE = properties("p", (*PROFILES.key, *PROFILES.fields))
_RELATION = properties("r", (*RELATION_KEY, *RELATION_TIMES))

_TYPES = "|".join(sorted(RelationType))
_LASTING = ", ".join(f"'{one.value}'" for one in RelationType if one.is_lasting)
_COUNTED_IN_ENVIRONMENT = f"($environment IS NULL OR r.environment = $environment OR type(r) IN [{_LASTING}])"
_OF_ENVIRONMENT = f"($environment IS NULL OR r.environment IN [$environment, ''] OR type(r) IN [{_LASTING}])"
_ADMITTED = (
    "r.first_seen_ns < $to_ns AND r.active_until_ns >= $from_ns AND r.known_ns <= $known_ns AND r.layer IN $layers "
    f"AND ($types IS NULL OR type(r) IN $types) AND {_OF_ENVIRONMENT}"
)


def nearest_nodes(max_hops: int, *, downstream: bool) -> str:
    """The ``$limit`` nodes nearest to each of ``$roots`` with all their relations, within ``max_hops`` hops.

    Plan: NodeUniqueIndexSeek, VarLengthExpand(Pruning,BFS,All), Limit. Because it is pruned, every node is expanded
    once; because it is breadth first, a limit cuts off the farthest nodes. Both hang on this exact shape, a lower bound
    of 0 and nothing but distinct end nodes returned: any use of the path itself makes the server enumerate all paths.
    """
    walk = _walk(max_hops, downstream=downstream)
    return f"{walk} WITH DISTINCT n LIMIT $limit RETURN n }} WITH DISTINCT n {_with_relations(downstream=downstream)}"


def keys_within(max_hops: int, *, downstream: bool) -> str:
    """Keys beyond ``$settled`` within some hops of the roots, in order, at most ``$limit``.

    Plan: as above, then Top. Without the subquery the planner may begin at the far ends, which have the order of keys.
    """
    return (
        f"{_walk(max_hops, downstream=downstream)} RETURN DISTINCT n }} "
        "WITH DISTINCT n.key AS key WHERE NOT key IN $settled "
        "WITH key ORDER BY key LIMIT $limit RETURN collect(key)"
    )


def nodes_by_key(*, downstream: bool) -> str:
    """The nodes of ``$keys`` with all their relations. Plan: NodeUniqueIndexSeek."""
    return f"UNWIND $keys AS key MATCH (n:Entity {{key: key}}) WITH n {_with_relations(downstream=downstream)}"


def _walk(max_hops: int, *, downstream: bool) -> str:
    """The beginning of a subquery that walks from each of ``$roots`` to ``n``."""
    if not 0 <= max_hops <= MAX_HOPS:
        raise InvalidQuery("max_hops", f"must be from 0 to {MAX_HOPS}")
    arrow = _arrow(f"steps:{_TYPES}*0..{max_hops}", downstream=downstream)
    return (
        "UNWIND $roots AS key MATCH (root:Entity {key: key}) "
        f"CALL (root) {{ MATCH (root){arrow}(n) WHERE all(r IN steps WHERE {_ADMITTED})"
    )


def _with_relations(*, downstream: bool) -> str:
    arrow = _arrow(f"r:{_TYPES}", downstream=downstream)
    return (
        f"RETURN collect([[{_ENTITY}], "
        f"COLLECT {{ MATCH (n){arrow}(far) WHERE {_ADMITTED} RETURN [type(r), far.key, {_RELATION}] }}])"
    )


def _arrow(inner: str, *, downstream: bool) -> str:
    return f"<-[{inner}]-" if downstream else f"-[{inner}]->"


_IN_WINDOW = "b.start_s >= $from_s AND b.start_s < $to_s AND b.share IS NOT NULL AND b.known_ns <= $known_ns"
_IN_ENVIRONMENT = "($environment IS NULL OR b.environment = $environment)"

DEPENDENCIES = f"""
MATCH (n:Entity)-[r:{_TYPES}]->(far) WHERE n.key > '' AND {_ADMITTED}
WITH n.base AS src, type(r) AS type, far.base AS dst, r.environment AS environment, r.layer AS layer,
  min(r.first_seen_ns) AS first, max(r.last_seen_ns) AS last
RETURN collect([src, type, dst, environment, layer, first, last])
"""
"""Plan: NodeIndexSeekByRange on (key), that is all entities, then Expand(All): a report over everything needs it."""

EDGE_ROWS = f"""
UNWIND $nodes AS key
MATCH (src:Entity {{key: key}})-[r:{_TYPES}]->(dst)
WHERE dst.key IN $nodes AND {_COUNTED_IN_ENVIRONMENT}
MATCH (b:EdgeBucket {{owner: r.id}}) WHERE {_IN_WINDOW}
WITH src, r, dst, collect([
  b.start_s, b.calls, b.errors, b.origin_errors, CASE WHEN $latency THEN b.latency ELSE $no_latency END, b.gap]) AS rows
RETURN collect([src.key, type(r), dst.key, r.environment, r.layer, rows])
"""
"""Plan: NodeUniqueIndexSeek, Expand(All), then one NodeUniqueIndexSeek on (owner, start_s, share) for each relation."""

EXAMPLES = f"""
UNWIND $nodes AS key
MATCH (src:Entity {{key: key}})-[r:{_TYPES}]->(dst) WHERE dst.key IN $nodes AND r.{EXAMPLE} IS NOT NULL
RETURN collect([src.key, type(r), dst.key, r.environment, r.layer, r.{EXAMPLE}])
"""
"""Plan: NodeUniqueIndexSeek, Expand(All)."""

OPERATION_ROWS = f"""
UNWIND $owners AS owner
MATCH (b:OperationBucket {{owner: owner}}) WHERE {_IN_WINDOW} AND {_IN_ENVIRONMENT}
WITH owner, b.operation AS operation,
  collect([b.start_s, b.calls, b.errors, b.origin_errors, b.error_logs, b.poor, b.self_time]) AS rows
RETURN collect([owner, operation, rows])
"""
"""Plan: one NodeUniqueIndexSeek on (owner, start_s, share) for each node."""

EXPOSURE_ROWS = f"""
MATCH (b:ExposureBucket {{owner: $owner}}) WHERE {_IN_WINDOW} AND {_IN_ENVIRONMENT}
  AND ($operation IS NULL OR b.operation = $operation) AND ($nodes IS NULL OR b.node IN $nodes)
WITH b.operation AS operation, b.node AS node,
  collect([b.start_s, b.requests, b.requests_sq, b.errors, b.poor, b.latency]) AS rows
RETURN collect([operation, node, rows])
"""
"""Plan: NodeUniqueIndexSeek on (owner, start_s, share)."""

_CHANGE_FILTERS = """
  AND c.known_ns <= $known_ns AND ($environment IS NULL OR c.environment IN [$environment, ''])
  AND c.effective_ns <= $number AND NOT (c.effective_ns = $number AND c.id <= $text)
"""
_CHANGE_PAGE = f"WITH c ORDER BY c.effective_ns DESC, c.id LIMIT $limit RETURN collect([{_CHANGE}])"

CHANGES_OF_ALL = f"""
MATCH (c:Change) WHERE c.effective_ns >= $from_ns AND c.effective_ns < $to_ns {_CHANGE_FILTERS} {_CHANGE_PAGE}
"""
"""Plan: NodeIndexSeekByRange on (effective_ns), in its order."""

CHANGES_OF_SUBJECTS = f"""
UNWIND $subjects AS subject
MATCH (c:Change) USING INDEX c:Change(subject, effective_ns)
WHERE c.subject = subject AND c.effective_ns >= $from_ns AND c.effective_ns < $to_ns {_CHANGE_FILTERS}
{_CHANGE_PAGE}
"""
"""Plan: one NodeIndexSeek on (subject, effective_ns) for each subject, then Top."""

CHANGE = f"MATCH (c:Change {{id: $id}}) RETURN {_CHANGE}"

VERSIONS = f"""
UNWIND $bases AS key
MATCH (n:Entity {{key: key}})-[r:{RelationType.HAS_VERSION.value}]->(version)
WHERE r.known_ns <= $known_ns AND ($environment IS NULL OR r.environment IN [$environment, ''])
RETURN collect([n.key, type(r), version.key, {_RELATION}])
"""
"""Plan: NodeUniqueIndexSeek, Expand(All)."""

PROFILES_BEFORE = f"""
UNWIND $datasets AS dataset
CALL (dataset) {{
  MATCH (p:Profile {{dataset: dataset}}) WHERE p.at_ns < $before_ns
  RETURN p ORDER BY p.at_ns DESC, p.version LIMIT $limit
}}
RETURN {_PROFILE}
"""
"""Plan: one NodeIndexSeek on (dataset, at_ns) for each dataset, in its order."""

ENTITY = f"MATCH (n:Entity {{key: $key}}) RETURN {_ENTITY}"
ENTITIES_BY_KEY = f"UNWIND $keys AS key MATCH (n:Entity {{key: key}}) RETURN collect([{_ENTITY}])"

NAMED = f"""
MATCH (n:Entity) USING TEXT INDEX n:Entity(folded)
WHERE n.folded ENDS WITH $folded AND n.base = n.key AND (n.key = $name OR n.key ENDS WITH $suffix)
RETURN {_ENTITY} ORDER BY n.key LIMIT $limit
"""
"""Plan: NodeIndexEndsWithScan on the text index."""

LOOKALIKES = """
MATCH (n:Entity) WHERE n.key > '' AND n.base = n.key
WITH n.key AS key ORDER BY abs(size(split(key, '#')[-1]) - $length), key LIMIT $limit
RETURN collect(key)
"""
"""Plan: NodeIndexSeekByRange on (key), that is all entities, then Top. For the text of an error, after everything."""

_SEARCH_FILTERS = """
  AND all(word IN $words WHERE n.folded CONTAINS word)
  AND ($kinds IS NULL OR n.kind IN $kinds) AND ($owner IS NULL OR n.owner = $owner)
"""
_SEARCH_PAGE = f"RETURN {_ENTITY} ORDER BY n.key LIMIT $limit"

SEARCH_ALL = f"""
MATCH (n:Entity) WHERE n.key > $text AND ($versions OR n.base = n.key) {_SEARCH_FILTERS} {_SEARCH_PAGE}
"""
"""Plan: NodeIndexSeekByRange on (key), in its order."""

SEARCH_WORDS = f"""
MATCH (n:Entity) USING TEXT INDEX n:Entity(folded)
WHERE n.folded CONTAINS $word AND n.key > $text AND ($versions OR n.base = n.key) {_SEARCH_FILTERS}
{_SEARCH_PAGE}
"""
"""Plan: NodeIndexContainsScan on the text index for the longest word, then Top."""

SEARCH_VERSIONS = f"""
MATCH (n:Entity) USING INDEX n:Entity(base) WHERE n.base = $base AND n.key <> n.base
  AND n.first_seen_ns <= $number AND NOT (n.first_seen_ns = $number AND n.key <= $text)
  {_SEARCH_FILTERS}
RETURN {_ENTITY} ORDER BY n.first_seen_ns DESC, n.key LIMIT $limit
"""
"""Plan: NodeIndexSeek on (base), then Top."""

SAVE_DOCUMENT = "MERGE (d:Document {kind: $kind, id: $id}) SET d.created_ns = $created_ns, d.body = $body"
DELETE_DOCUMENT = "MATCH (d:Document {kind: $kind, id: $id}) DELETE d"
DOCUMENT = "MATCH (d:Document {kind: $kind, id: $id}) RETURN d.kind, d.id, d.created_ns, d.body"
DOCUMENTS = """
MATCH (d:Document {kind: $kind}) WHERE d.created_ns <= $number AND NOT (d.created_ns = $number AND d.id <= $text)
RETURN d.kind, d.id, d.created_ns, d.body ORDER BY d.created_ns DESC, d.id LIMIT $limit
"""
"""Plan: NodeIndexSeek on (kind, created_ns), in its order."""

COUNTS = """
RETURN COUNT { (:Entity) }, COUNT { ()-->() }, COUNT { (:EdgeBucket) }, COUNT { (:OperationBucket) },
  COUNT { (:ExposureBucket) }, COUNT { (:Change) }, COUNT { (:Profile) }, COUNT { (:Document) }
"""
"""Plan: the count store, which knows these numbers."""
