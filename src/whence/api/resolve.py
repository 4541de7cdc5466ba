"""What a caller wrote (a reference or a bare name) to the key of an entity that is known."""

from __future__ import annotations

from whence.errors import AmbiguousName, EntityNotFound
from whence.model.delta import Entity
from whence.model.kinds import VERSION_KINDS
from whence.model.refs import parse_ref
from whence.store.protocol import MAX_PAGE, GraphReader, SearchQuery

NEAREST = 5


async def resolve(reader: GraphReader, field: str, text: str) -> Entity:
    """The entity, or the version, that a reference or a unique bare name stands for.

    Args:
        reader: The store.
        field: Name of the field that held the text, for errors.
        text: As the caller wrote it.

    Raises:
        InvalidReference: It holds ``#`` but does not parse.
        EntityNotFound: Nothing is known by that name; carries names that look like it.
        AmbiguousName: Several entities bear the bare name.
    """
    entity = await find(reader, field, text)
    if entity is None:
        raise EntityNotFound(text, await reader.nearest(text, NEAREST))
    return entity


async def find(reader: GraphReader, field: str, text: str) -> Entity | None:
    """As ``resolve``, but None where nothing is known by that name."""
    if "#" in text:
        return await reader.entity(str(parse_ref(text)))
    namesakes = await reader.named(text)
    if len(namesakes) > 1:
        raise AmbiguousName(field, text, tuple(entity.key for entity in namesakes))
    return namesakes[0] if namesakes else None


async def with_versions(reader: GraphReader, root: Entity) -> tuple[str, ...]:
    """Key of an entity and of its latest versions, since some dependents name only the version that they use."""
    kind = VERSION_KINDS.get(root.kind)
    if kind is None or root.is_version:
        return (root.key,)
    found = await reader.search(SearchQuery(kinds=frozenset({kind}), base=root.key, limit=MAX_PAGE))
    return (root.key, *(version.key for version in found.items))
