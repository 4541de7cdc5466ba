"""References that attributes state, as canonical keys; what can't be used is counted, not raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from whence.errors import InvalidReference
from whence.model.names import MAX_REF_CHARS_ON_SPAN, MAX_REFS_PER_SPAN
from whence.model.refs import MAX_REF_CHARS, Ref, is_mutable_version, make_ref, parse_ref

Warnings = Counter[str]

INVALID_REFERENCE = "invalid_reference"
TOO_MANY_REFERENCES = "too_many_references"
MUTABLE_VERSION = "mutable_version"

WHOLE = "."
"""Name of all that a namespace holds, where nothing more exact is known."""


def stated_keys(texts: Iterable[str], warnings: Warnings) -> tuple[str, ...]:
    """Canonical keys of references that an application wrote down, in order and without repeats."""
    keys: dict[str, None] = {}
    for number, text in enumerate(texts):
        if number >= MAX_REFS_PER_SPAN:
            warnings[TOO_MANY_REFERENCES] += 1
            break
        key = _stated_key(text, warnings)
        if key:
            keys[key] = None
    return tuple(keys)


def _stated_key(text: str, warnings: Warnings) -> str:
    try:
        if len(text) > MAX_REF_CHARS_ON_SPAN:
            raise InvalidReference(text, MAX_REF_CHARS_ON_SPAN, f"longer than {MAX_REF_CHARS_ON_SPAN} characters")
        ref = parse_ref(text)
    except InvalidReference:
        warnings[INVALID_REFERENCE] += 1
        return ""
    if ref.is_alias or (ref.version is not None and is_mutable_version(ref.version)):
        warnings[MUTABLE_VERSION] += 1
        ref = ref.base
    return str(ref)


def key_of(namespace: str, name: str, kind: str = "", version: str = "") -> str:
    """Key made from parts that attributes state one by one; empty when it would be too long. Mutable versions go."""
    ref: Ref = make_ref(namespace, name or WHOLE)
    if kind and not is_mutable_version(version):
        ref = ref.at(kind, version)
    key = str(ref)
    return key if len(key) <= MAX_REF_CHARS else ""


def scheme_of(system: str) -> str:
    """A system's name as the scheme of a namespace."""
    return system.strip().lower().replace("_", "-")
