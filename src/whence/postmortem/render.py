"""A draft as Markdown, by our template or the team's own, and as one HTML file with its pictures in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateError

from whence import wording
from whence.errors import ConfigError
from whence.postmortem.draft import DraftJson, Sources
from whence.ui.render import HERE as PAGES
from whence.ui.views.answers import pictures

HERE = Path(__file__).parent
MARKDOWN, HTML = "postmortem.md", "postmortem.html"


def markdown(draft: DraftJson, own_template: Path | None = None) -> str:
    """The draft as Markdown.

    Args:
        draft: Its parts.
        own_template: A Jinja template that is used in place of ours; it gets the parts of the draft by their names.

    Raises:
        ConfigError: The team's own template is missing or does not work.
    """
    environment = _environment(autoescape=False)
    if own_template is None:
        return environment.get_template(MARKDOWN).render(draft)
    try:
        return environment.from_string(own_template.read_text()).render(draft)
    except (OSError, TemplateError) as error:
        raise ConfigError(f"the template of postmortems {own_template} does not work: {error}") from None


def html(draft: DraftJson, sources: Sources) -> str:
    """The draft as one HTML file that loads nothing."""
    shown = pictures(dict(sources.answer), _plain(sources.exhibits), [dict(one) for one in sources.said])
    style = (PAGES / "static" / "style.css").read_text()
    values = {**draft, **shown, "moments": draft["timeline"], "timeline_picture": shown["timeline"], "style": style}
    return _environment(autoescape=True).get_template(HTML).render(values)


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(HERE / "templates"), FileSystemLoader(PAGES / "templates")]),
        autoescape=autoescape,  # noqa: S701  Markdown is no HTML; what shows it escapes
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "short": wording.short,
        "stamp": wording.stamp,
        "percent": wording.percent,
        "number": wording.number,
        "cell": _cell,
    }
    return environment


def _cell(text: object) -> str:
    """Text that stays within one cell of a Markdown table, whoever wrote it."""
    return " ".join(str(text).replace("|", "\\|").replace("<", "&lt;").split())


def _plain(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return dict(record) if record is not None else None
