"""A change as people and pipelines report it."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from whence.errors import InvalidQuery
from whence.intake.fields import instant_ns
from whence.model.change import Change
from whence.model.environments import environment_name
from whence.model.kinds import RECORDABLE_KINDS, ChangeKind
from whence.model.refs import MAX_REF_CHARS, Ref, parse_ref


def _recordable(kind: ChangeKind) -> ChangeKind:
    if kind not in RECORDABLE_KINDS:
        raise ValueError(f"{kind.value!r} can't be recorded; expected one of {', '.join(sorted(RECORDABLE_KINDS))}")
    return kind


def _empty_is_absent(value: object) -> object:
    return None if value == "" else value


_EmptyIsAbsent = BeforeValidator(_empty_is_absent)
Text = Annotated[Annotated[str, Field(max_length=256)] | None, _EmptyIsAbsent]
LongText = Annotated[Annotated[str, Field(max_length=4096)] | None, _EmptyIsAbsent]
Link = Annotated[Annotated[str, Field(max_length=2048, pattern=r"^https?://")] | None, _EmptyIsAbsent]
RecordableKind = Annotated[ChangeKind, AfterValidator(_recordable)]


class ChangeReport(BaseModel):
    """One reported change. Fields that we don't know are ignored, so that senders may be ahead of us."""

    model_config = ConfigDict(frozen=True)

    id: Text = Field(None, description="Idempotency key; made from the content when absent.")
    kind: RecordableKind = Field(description="What was changed.")
    subject: str = Field(min_length=1, max_length=MAX_REF_CHARS, description="A reference, or a name that is unique.")
    from_version: Text = Field(None, validation_alias=AliasChoices("from", "from_version"), description="Before.")
    to_version: Text = Field(None, validation_alias=AliasChoices("to", "to_version"), description="After.")
    environment: Text = Field(None, description="Where; absent means everywhere.")
    effective_at: Text = Field(None, description="When it took effect, RFC 3339 or relative; now when absent.")
    finished_at: Text = Field(None, description="When the roll-out was complete.")
    actor: Text = Field(None, description="Who or what did it.")
    url: Link = Field(None, description="Where to read more.")
    summary: LongText = Field(None, description="One sentence.")


def subject_ref(report: ChangeReport) -> Ref | None:
    """The subject as a reference, or None where it is a bare name.

    Raises:
        InvalidReference: It holds ``#`` but does not parse.
    """
    return parse_ref(report.subject) if "#" in report.subject else None


def change_from_report(report: ChangeReport, subject: str, *, now_ns: int, source: str = "api") -> Change:
    """The change that a report tells of.

    Args:
        report: As it came in.
        subject: Key of the entity, or the bare name where it names nothing known yet.
        now_ns: When the report came in.
        source: Who brought it (``api``, the name of a webhook).

    Raises:
        InvalidQuery: A time does not parse, or the end is before the start.
    """
    effective = instant_ns("effective_at", report.effective_at, now_ns=now_ns) if report.effective_at else now_ns
    finished = instant_ns("finished_at", report.finished_at, now_ns=now_ns) if report.finished_at else None
    if finished is not None and finished < effective:
        raise InvalidQuery("finished_at", "is before effective_at")
    ref = subject_ref(report)
    return Change(
        id=report.id or _content_id(report, subject, effective),
        kind=report.kind,
        subject=subject,
        effective_ns=effective,
        known_ns=now_ns,
        reported_ns=now_ns,
        from_version=report.from_version,
        to_version=report.to_version or (ref.version if ref else None),
        environment=environment_name(report.environment),
        finished_ns=finished,
        actor=report.actor,
        url=report.url,
        summary=report.summary,
        source=source,
    )


def _content_id(report: ChangeReport, subject: str, effective_ns: int) -> str:
    """Equal reports get equal ids, so that sending one twice records it once."""
    content = [report.kind, subject, report.from_version, report.to_version, report.environment, effective_ns]
    return "chg-" + hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
