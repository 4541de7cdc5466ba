"""Datasets that spans of databases, message brokers and object stores touch: which, and read or written.

References are those that lineage tools give the same things (``postgres://db:5432#shop.public.orders``), so that both
worlds meet in one node. The text of a query is never looked at; a span that names no table stands for its database.
"""

from __future__ import annotations

from typing import NamedTuple

from whence.model.spans import SpanKind
from whence.otlp.attributes import Stated
from whence.otlp.peers import server_of
from whence.otlp.references import WHOLE, key_of, scheme_of

_SCHEMES = {
    "aws.redshift": "redshift",
    "aws.dynamodb": "dynamodb",
    "gcp.spanner": "spanner",
    "microsoft.sql_server": "mssql",
    "oracle.db": "oracle",
    "postgresql": "postgres",
    "aws_sqs": "sqs",
    "aws.sqs": "sqs",
    "aws.sns": "sns",
    "gcp_pubsub": "pubsub",
}
# fmt: off
_WRITING_VERBS = (
    "alter", "batchwrite", "bulkwrite", "copy", "create", "decr", "del", "drop", "expire", "findandmodify", "flush",
    "hdel", "hincr", "hmset", "hset", "incr", "index", "insert", "lpop", "lpush", "merge", "mset", "put", "rename",
    "replace", "rpop", "rpush", "sadd", "set", "srem", "truncate", "update", "upsert", "write", "xadd", "zadd", "zrem",
)
_READING_VERBS = (
    "aggregate", "call", "count", "find", "get", "hget", "mget", "query", "read", "scan", "search", "select", "show",
)
# fmt: on
"""How the operations of databases of all kinds begin."""
_SQL_WORDS = frozenset({"call", "create", "delete", "drop", "insert", "merge", "replace", "select", "update", "upsert"})
"""What a query summary puts between the names of tables."""
_MAX_SUMMARY_TARGETS = 4
_PUBLISHING = frozenset({"send", "publish", "create"})
_CONSUMING = frozenset({"receive", "process", "settle", "deliver", "poll"})
_WRITING_OBJECT_METHODS = ("put", "delete", "copy", "complete", "create", "upload", "restore")


class Touched(NamedTuple):
    """Keys of datasets by what a span did with them."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()


NOTHING = Touched()


def is_database_verb(word: str) -> bool:
    """Whether a word is an operation of a database."""
    return word.lower().startswith((*_WRITING_VERBS, *_READING_VERBS))


def touched_by(kind: int, stated: Stated) -> Touched:
    """What a span touched. One span speaks of one system: a database, a broker, or an object store."""
    if stated.text("db.system.name"):
        return _database(stated)
    if stated.text("messaging.system"):
        return _broker(kind, stated)
    if stated.text("aws.s3.bucket"):
        return _object_store(stated)
    return NOTHING


def _database(stated: Stated) -> Touched:
    system = stated.text("db.system.name").lower()
    server = server_of(stated.text("server.address"), stated.text("server.port"))
    namespace = f"{_SCHEMES.get(system) or scheme_of(system)}://{server}"
    verb, collections = _verb_and_collections(stated)
    levels = [level for level in stated.text("db.namespace").split("|") if level]
    keys = tuple(filter(None, (key_of(namespace, _table(levels, collection)) for collection in collections)))
    return Touched(outputs=keys) if verb.startswith(_WRITING_VERBS) else Touched(inputs=keys)


def _verb_and_collections(stated: Stated) -> tuple[str, list[str]]:
    verb = stated.text("db.operation.name").partition(" ")[0].lower()
    collection = stated.text("db.collection.name")
    if collection:
        return verb, [collection]
    words = stated.text("db.query.summary").split()
    verb = verb or (words[0].lower() if words else "")
    targets = [word for word in words[1:] if word.lower() not in _SQL_WORDS]
    return verb, targets[:_MAX_SUMMARY_TARGETS] or [""]


def _table(levels: list[str], collection: str) -> str:
    """``database.schema.table``; a collection may come qualified, and then repeats or replaces the schema."""
    if not collection:
        return ".".join(levels) or WHOLE
    parts = collection.split(".")
    for shared in range(min(len(levels), len(parts) - 1), 0, -1):
        if levels[-shared:] == parts[:shared]:
            return ".".join([*levels, *parts[shared:]])
    return ".".join([*(levels if len(parts) == 1 else levels[:1]), *parts])


def _broker(kind: int, stated: Stated) -> Touched:
    topic = stated.first("messaging.destination.template", "messaging.destination.name")
    if not topic or stated.text("messaging.destination.temporary") == "true":
        return NOTHING
    system = stated.text("messaging.system").lower()
    server = server_of(stated.text("server.address"), stated.text("server.port"))
    key = key_of(f"{_SCHEMES.get(system) or scheme_of(system)}://{server}", topic)
    verb = stated.text("messaging.operation.type").lower()
    if not key:
        return NOTHING
    if kind == SpanKind.CONSUMER or verb in _CONSUMING:
        return Touched(consumes=(key,))
    if kind == SpanKind.PRODUCER or verb in _PUBLISHING:
        return Touched(outputs=(key,))
    return NOTHING


def _object_store(stated: Stated) -> Touched:
    key = key_of(f"s3://{stated.text('aws.s3.bucket')}", _dataset_of_object(stated.text("aws.s3.key")))
    method = stated.text("rpc.method").rpartition("/")[2].lower()
    if not key:
        return NOTHING
    return Touched(outputs=(key,)) if method.startswith(_WRITING_OBJECT_METHODS) else Touched(inputs=(key,))


def _dataset_of_object(path: str) -> str:
    """The table that an object belongs to: everything before partitions, part files and hidden folders."""
    kept: list[str] = []
    for part in path.strip("/").split("/"):
        if "=" in part or part.startswith(("part-", "_", ".")):
            break
        kept.append(part)
    return "/".join(kept) or WHOLE
