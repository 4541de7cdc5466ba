"""Draws names, ids and times anew, so that nothing which was learned from the published ones can help.

A name is a keyed hash of the old one, so equal names stay equal within an incident, differ between incidents, and sort
in no telling order. Times move by one whole number of seconds, ids by exclusive or.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from tests.bench.replay.incidents import Candidate, Incident, LogRow, SpanRow, Telemetry
from whence.model.times import NS_PER_SECOND

_EARLIEST_S = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
_SPREAD_S = 360 * 86_400
_CONSONANTS = "bdfgklmnprstvz"
_VOWELS = "aeiou"
_SYLLABLES = 6


def redraw(incident: Incident, telemetry: Telemetry, seed: int) -> tuple[Incident, Telemetry, dict[str, str]]:
    """The same incident under other names, ids and times, and the published id of each redrawn change."""
    rng = random.Random(f"{seed}/{incident.case_id}")
    name = _namer(rng.randbytes(16))
    shift_ns = (_EARLIEST_S + rng.randrange(_SPREAD_S)) * NS_PER_SECOND - incident.detected_ns
    shift_ns -= shift_ns % NS_PER_SECOND
    mask = int.from_bytes(rng.randbytes(16))
    candidates = tuple(_candidate(candidate, name, shift_ns) for candidate in incident.candidates)
    published = {new.change_id: old.change_id for new, old in zip(candidates, incident.candidates, strict=True)}
    truth = incident.truth
    moved = replace(
        incident,
        entry=name(incident.entry),
        detected_ns=incident.detected_ns + shift_ns,
        candidates=candidates,
        lineage=tuple(
            edge._replace(source=_node(edge.source, name), target=_node(edge.target, name)) for edge in incident.lineage
        ),
        truth=replace(truth, change_id=name(truth.change_id) if truth.change_id else None, service=name(truth.service)),
    )
    spans = [_span(span, name, shift_ns, mask) for span in telemetry.spans]
    logs = [_log(log, name, shift_ns, mask) for log in telemetry.logs]
    return moved, Telemetry(spans, logs), published


def _namer(key: bytes) -> Callable[[str], str]:
    @cache
    def name(text: str) -> str:
        digest = hashlib.blake2b(text.encode(), key=key, digest_size=2 * _SYLLABLES).digest()
        return "".join(
            _CONSONANTS[first % len(_CONSONANTS)] + _VOWELS[second % len(_VOWELS)]
            for first, second in zip(digest[::2], digest[1::2], strict=True)
        )

    return name


def _candidate(candidate: Candidate, name: Callable[[str], str], shift_ns: int) -> Candidate:
    return replace(
        candidate,
        change_id=name(candidate.change_id),
        node=_node(candidate.node, name),
        at_ns=candidate.at_ns + shift_ns,
    )


def _node(node: str, name: Callable[[str], str]) -> str:
    """The kind before the colon stays; a service has none."""
    kind, colon, rest = node.rpartition(":")
    return f"{kind}{colon}{name(rest)}"


def _span(span: SpanRow, name: Callable[[str], str], shift_ns: int, mask: int) -> SpanRow:
    return span._replace(
        trace_id=_masked(span.trace_id, mask),
        span_id=_masked(span.span_id, mask),
        parent_id=_masked(span.parent_id, mask),
        service=name(span.service),
        instance=name(span.instance),
        operation=name(span.operation),
        start_ns=span.start_ns + shift_ns,
    )


def _log(log: LogRow, name: Callable[[str], str], shift_ns: int, mask: int) -> LogRow:
    return log._replace(
        at_ns=log.at_ns + shift_ns,
        service=name(log.service),
        instance=name(log.instance),
        trace_id=_masked(log.trace_id, mask),
        span_id=_masked(log.span_id, mask),
    )


def _masked(raw: bytes, mask: int) -> bytes:
    bits = 8 * len(raw)
    return (int.from_bytes(raw) ^ (mask & ((1 << bits) - 1))).to_bytes(len(raw))
