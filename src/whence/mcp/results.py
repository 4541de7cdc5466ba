"""What a tool gives: the API's numbers, a short text with the same numbers, and what must not be claimed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel, Field

from whence.mcp.bounds import bounded, shortened
from whence.wording import percent, short

SHOWN = 3


class Result(BaseModel):
    """Structured content of every tool."""

    data: dict[str, Any] = Field(description="As the HTTP API gives it; times are RFC 3339 in UTC.")
    open_questions: list[str] = Field(default_factory=list, description="What could not be checked.")
    do_not_claim: str | None = Field(None, description="What this does not show, where evidence is thin.")
    truncated: bool = Field(False, description="Whether there is more than is told.")
    cursor: str | None = Field(None, description="For the next page.")


def told(text: str, result: Result) -> CallToolResult:
    """Text for reading, and the same as data. Both are bounded, and ``truncated`` says where that left something out.

    A page that was cut itself gives no cursor: following it would skip what was cut.
    """
    caution_line = f"\nDo not claim: {result.do_not_claim}" if result.do_not_claim else ""
    shown, data = shortened(text), bounded(result.data)
    if data != result.data:
        result = result.model_copy(update={"data": data, "truncated": True, "cursor": None})
    elif shown != text:
        result = result.model_copy(update={"truncated": True})
    return CallToolResult(
        content=[TextContent(type="text", text=shown + caution_line)],
        structured_content=result.model_dump(mode="json"),
    )


def answer_result(answer: dict[str, Any], link: str) -> CallToolResult:
    """An answer in short; ``get_evidence`` has the rest."""
    suspects = [{**one, "evidence": one["evidence"][:SHOWN]} for one in answer["suspects"][:SHOWN]]
    data = {**answer, "suspects": suspects, "ruled_out": len(answer["ruled_out"]), "link": link}
    result = Result(
        data=data,
        open_questions=answer["completeness"]["gaps"],
        do_not_claim=caution(answer),
        truncated=answer["truncated"] or len(answer["suspects"]) > SHOWN,
    )
    return told("\n".join(_answer_lines(answer, link)), result)


def caution(answer: dict[str, Any]) -> str | None:
    """What an answer does not allow to say."""
    match answer["verdict"]:
        case "none":
            return "that any recorded change caused this: none explains it"
        case "insufficient":
            return "any cause: the data does not suffice"
        case "tie":
            return "one of the first suspects over the other: they can't be told apart with today's telemetry"
    return "that it is the cause before a person confirmed it: it is a suspect, with a probability"


def _answer_lines(answer: dict[str, Any], link: str) -> Iterator[str]:
    yield f"{answer['headline']} (verdict: {answer['verdict']}, investigation {answer['id']}, {link})"
    yield f"began {answer['onset']['at']}"
    for suspect in answer["suspects"][:SHOWN]:
        change = suspect["change"]
        yield (
            f"{suspect['rank']}. {percent(suspect['probability'])} {suspect['band']}: {change['kind']} "
            f"{short(change['subject'])} {change['from']} -> {change['to']} (change_id {change['id']})"
        )
        for one in suspect["evidence"][:SHOWN]:
            yield f"   {one['direction']}: {one['sentence']}"
    yield f"{percent(answer['none']['probability'])} no recorded change explains this"
