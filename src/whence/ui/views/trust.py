"""How far to trust this server: its past answers, its feeds, what it lost, and who may do what."""

from __future__ import annotations

import re

from starlette.requests import Request

from whence.ui.api_client import ApiClient
from whence.ui.charts.reliability import reliability
from whence.ui.shown import Shown

_SAMPLE = re.compile(r"(whence_\w+?)(?:\{(.*)\})? (\S+)\Z")
_LOSSES = ("rejected", "refused", "failures", "late", "rejections", "dropped")


async def trust(api: ApiClient, request: Request) -> Shown:
    """Calibration, feeds, coverage, and every counter that tells of a loss."""
    found = (await api.get("/api/v1/trust")).data()
    metrics = (await api.get("/metrics")).content.decode()
    data = {"trust": found, "losses": losses(metrics), "rows": rows(metrics)}
    return Shown("trust.html", data, {"diagram": reliability(found["calibration"])})


def losses(metrics: str) -> list[dict[str, str]]:
    """Samples of counters whose name tells of a loss."""
    return [
        {"what": name.removeprefix("whence_"), "labels": labels, "value": value}
        for name, labels, value in _samples(metrics)
        if any(word in name for word in _LOSSES)
    ]


def rows(metrics: str) -> list[dict[str, str]]:
    """What the store holds."""
    return [
        {"what": labels.partition('"')[2].rstrip('"'), "value": value}
        for name, labels, value in _samples(metrics)
        if name == "whence_store_rows"
    ]


def _samples(text: str) -> list[tuple[str, str, str]]:
    found = (_SAMPLE.match(line) for line in text.splitlines() if not line.startswith("#"))
    return [(one[1], one[2] or "", f"{float(one[3]):.0f}") for one in found if one is not None]
