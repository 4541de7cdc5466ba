"""What every store decides alike, as functions of plain values, so that no two stores can drift apart."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Sequence
from string import ascii_lowercase, ascii_uppercase

from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from whence.errors import InvalidQuery, InvalidReference
from whence.model.delta import Entity
from whence.model.kinds import EntityKind
from whence.model.refs import parse_ref
from whence.model.times import NS_PER_SECOND

MAX_NAMESAKES = 20
"""Entities that ``named`` gives at most."""
MAX_LOOKALIKES = 2_000
"""Keys that ``nearest`` compares at most; a comparison takes about half a microsecond."""

_LIKENESS = 0.6
_STARTED = re.compile(r"-(\d{1,10})\Z")
_TO_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def writer_known_ns(writer: str) -> int:
    """When we first learned of anything that a writer counted.

    A collector ends the names of its writers in ``-`` and the Unix second at which they began; any other writer has
    been known forever (0).
    """
    match = _STARTED.search(writer)
    return int(match[1]) * NS_PER_SECOND if match else 0


def placeholder(key: str, seen_ns: int) -> Entity:
    """Entity that stands for a key which a relation or a row named, but no delta described yet."""
    try:
        base = str(parse_ref(key).base)
    except InvalidReference:
        base = key
    return Entity(key, EntityKind.EXTERNAL, base, seen_ns, seen_ns)


def bare_name(key: str) -> str:
    """Name inside a key: what follows ``#``, without a version. A text without ``#`` is its own name."""
    return key.rpartition("#")[2].partition("@")[0]


def subject_names(subjects: Iterable[str]) -> frozenset[str]:
    """Everything by which a change may name one of ``subjects``: its key, or the bare name."""
    return frozenset(name for key in subjects for name in (key, bare_name(key)))


def ascii_lower(text: str) -> str:
    """Lower case of A to Z alone, as databases do it without a locale."""
    return text.lower() if text.isascii() else text.translate(_TO_LOWER)


def search_words(text: str) -> tuple[str, ...]:
    """Words of a search, in ASCII lower case; a key matches if its own lower case holds every one."""
    return tuple(ascii_lower(text).split())


def nearest_keys(name: str, keys: Iterable[str], limit: int) -> tuple[str, ...]:
    """Keys that look like ``name``, best first (ties by key), judged by bare name and by the whole key."""
    known = list(keys)
    whole = _likenesses(name, known)
    bare = _likenesses(bare_name(name), [bare_name(key) for key in known])
    scored = sorted((-max(pair), key) for *pair, key in zip(whole, bare, known, strict=True))
    return tuple(key for unlikeness, key in scored[:limit] if unlikeness)


def encode_cursor(number: int, text: str) -> str:
    """Opaque text for the sort key of the last item on a page."""
    return base64.urlsafe_b64encode(json.dumps([number, text]).encode()).decode()


def decode_cursor(cursor: str) -> tuple[int, str]:
    """The sort key back.

    Raises:
        InvalidQuery: No store gave out this text.
    """
    try:
        match json.loads(base64.urlsafe_b64decode(cursor.encode())):
            case [int(number), str(text)] if abs(number) < 2**63:
                return number, text
    except ValueError:
        pass
    raise InvalidQuery("cursor", "not one that a list of this store gave out")


def _likenesses(text: str, others: Sequence[str]) -> list[float]:
    """How alike texts are, from 0 to 1 (twice the longest common subsequence by both lengths); 0 for too little."""
    found = cdist([ascii_lower(text)], [ascii_lower(one) for one in others], scorer=Indel.normalized_similarity)
    return [float(score) if score >= _LIKENESS else 0.0 for score in found[0]] if others else []
