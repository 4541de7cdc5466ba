"""Collects the facts of one event into a ``GraphDelta``."""

from __future__ import annotations

from collections.abc import Mapping

from whence.errors import InvalidQuery
from whence.intake.fields import MAX_VALUE_CHARS
from whence.model.change import Change
from whence.model.delta import (
    Attribute,
    Entity,
    GraphDelta,
    Relation,
    RelationKey,
    merge_entity,
    merge_profile,
    merge_relation,
)
from whence.model.kinds import FOREVER_NS, VERSION_KINDS, EntityKind, Layer, RelationType
from whence.model.profile import SnapshotProfile
from whence.model.refs import MAX_REF_CHARS, Ref


class DeltaBuilder:
    """Facts that were true at ``at_ns`` and became known at ``now_ns``, all in one layer, in no environment."""

    def __init__(self, *, at_ns: int, now_ns: int, layer: Layer) -> None:
        self.at_ns = at_ns
        self.now_ns = now_ns
        self._layer = layer
        self._entities: dict[str, Entity] = {}
        self._relations: dict[RelationKey, Relation] = {}
        self._changes: dict[str, Change] = {}
        self._profiles: dict[str, SnapshotProfile] = {}

    def entity(self, ref: Ref, kind: EntityKind, attributes: Mapping[str, str | None] | None = None) -> str:
        """Add an entity, or a version of one together with its entity; gives back its key.

        Args:
            ref: With or without a version.
            kind: Of the entity, not of the version.
            attributes: What is known of exactly this node; None values are left out.

        Raises:
            InvalidQuery: The reference would be longer than references may be.
        """
        key = _key(ref)
        if ref.kind is None:
            self._add(key, kind, key, attributes or {})
            return key
        base = _key(ref.base)
        self._add(base, kind, base, {})
        self._add(key, VERSION_KINDS[kind], base, attributes or {})
        self._relate(RelationKey(base, RelationType.HAS_VERSION, key), self.at_ns)
        return key

    def relate(self, src: str, kind: RelationType, dst: str) -> None:
        """Add a relation between two keys; one of a thing to itself says nothing and is left out."""
        if src != dst:
            lasts = kind.is_lasting or self._layer is Layer.DECLARED
            self._relate(RelationKey(src, kind, dst, "", self._layer), FOREVER_NS if lasts else self.at_ns)

    def change(self, change: Change) -> None:
        """Add a change."""
        self._changes[change.id] = change

    def profile(self, profile: SnapshotProfile) -> None:
        """Add the profile of a snapshot."""
        present = self._profiles.get(profile.version, profile)
        self._profiles[profile.version] = merge_profile(present, profile)

    def build(self) -> GraphDelta:
        """All that was added."""
        return GraphDelta(
            entities=self._entities, relations=self._relations, changes=self._changes, profiles=self._profiles
        )

    def _add(self, key: str, kind: EntityKind, base: str, attributes: Mapping[str, str | None]) -> None:
        known = tuple(
            Attribute(name, value[:MAX_VALUE_CHARS], self.at_ns) for name, value in sorted(attributes.items()) if value
        )
        entity = Entity(key, kind, base, self.at_ns, self.at_ns, known)
        present = self._entities.get(key)
        self._entities[key] = entity if present is None else merge_entity(present, entity)

    def _relate(self, key: RelationKey, active_until_ns: int) -> None:
        relation = Relation(key, self.at_ns, self.at_ns, active_until_ns, self.now_ns)
        present = self._relations.get(key)
        self._relations[key] = relation if present is None else merge_relation(present, relation)


def _key(ref: Ref) -> str:
    key = str(ref)
    if len(key) > MAX_REF_CHARS:
        raise InvalidQuery("name", f"{key[:80]}... would be a reference of more than {MAX_REF_CHARS} characters")
    return key
