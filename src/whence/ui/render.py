"""Templates to HTML. Everything that is put into a page is escaped; scripts come from our own files alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from whence import wording
from whence.ui.charts.layers import places

HERE = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept, Cookie",
    "Cache-Control": "no-store",
}


class Pages:
    """The templates, compiled on first use."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "short": wording.short,
            "stamp": wording.stamp,
            "percent": wording.percent,
            "distance": _distance,
            "beside": wording.beside,
            "number": wording.number,
            "clock": wording.clock,
            "amount": wording.amount,
            "bars": wording.bars,
            "places": places,
        }

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """One page; a value that the template needs and does not get is an error."""
        html = self._templates.get_template(template).render(values)
        return HTMLResponse(html, status_code=status, headers=_HEADERS)


def _distance(text: str) -> str:
    return wording.distance(text, datetime.now(UTC))
