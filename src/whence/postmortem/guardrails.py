"""Which check at the origin would have fired, and how much earlier than people noticed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from whence.wording import short, span

Record = Mapping[str, Any]

_CANARY = (
    "A canary gate that compares new with old in the same minutes: {new_bad:.0f} of {new_requests:.0f} requests that "
    "met {what} went bad, {old_bad:.0f} of {old_requests:.0f} that met the old version."
)


def guardrail(trigger: Record, answer: Record, detected_at: str | None) -> str:
    """One missing check, with the time that it would have saved where that is known."""
    return _check(trigger, answer) + _earlier(trigger["change"]["effective_at"], detected_at)


def _check(trigger: Record, answer: Record) -> str:
    change = trigger["change"]
    what = f"{short(change['subject'])} {change['to'] or ''}".strip()
    data = {one["code"]: one["data"] for one in trigger["evidence"] if one["direction"] == "for"}
    odd = data.get("data_profile", {}).get("odd")
    if odd:
        worst = odd[0]
        return f"An assertion on {worst['what']} of {what}: it went from {worst['before']:.4g} to {worst['now']:.4g}."
    if "overdue" in data:
        ratio = data["overdue"]["ratio"]
        return f"A freshness check on {short(change['subject'])}: {ratio:.1f} times its usual interval had passed."
    if "old_requests" in data.get("same_time_contrast", {}):
        return _CANARY.format(what=what, **data["same_time_contrast"])
    symptom = answer["symptom"]
    return f"A check on the {symptom['signal'] or 'behaviour'} of {what} before all traffic meets it."


def _earlier(effective_at: str, detected_at: str | None) -> str:
    if detected_at is None:
        return ""
    seconds = (datetime.fromisoformat(detected_at) - datetime.fromisoformat(effective_at)).total_seconds()
    return f" It could have fired up to {span(seconds)} before anybody noticed." if seconds > 0 else ""
