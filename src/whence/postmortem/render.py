"""A draft as Markdown, by our template or the team's own, and as one HTML file with its pictures in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from whence import wording
from whence.errors import ConfigError
from whence.postmortem.draft import DraftJson, Sources
from whence.ui.charts.layers import places
from whence.ui.render import HERE as PAGES
from whence.ui.views.answers import pictures

HERE = Path(__file__).parent
MARKDOWN, HTML = "postmortem.md", "postmortem.html"
_FAILS = (OSError, TemplateError, ArithmeticError, LookupError, TypeError, ValueError)
"""What a template that others wrote may raise."""


def markdown(draft: DraftJson, own_template: Path | None = None) -> str:
    """The draft as Markdown.

    Args:
        draft: Its parts.
        own_template: A Jinja template that is used in place of ours; it gets the parts of the draft by their names,
            and is read anew each time.

    Raises:
        ConfigError: The team's own template is missing or does not work.
    """
    if own_template is None:
        return _environment(autoescape=False).get_template(MARKDOWN).render(draft)
    template = check_template(own_template)
    try:
        return template.render(draft)
    except _FAILS as error:
        raise _broken(own_template, error) from None


def check_template(own_template: Path) -> Template:
    """The team's own template, compiled. It runs in a sandbox: it reads the draft and nothing else of the process.

    It may include and extend ours, ``postmortem.md``.

    Raises:
        ConfigError: It is missing or can't be compiled.
    """
    try:
        return _environment(autoescape=False, kind=ImmutableSandboxedEnvironment).from_string(own_template.read_text())
    except _FAILS as error:
        raise _broken(own_template, error) from None


def html(draft: DraftJson, sources: Sources) -> str:
    """The draft as one HTML file that loads nothing."""
    shown = pictures(dict(sources.answer), _plain(sources.exhibits), [dict(one) for one in sources.said])
    style = (PAGES / "static" / "style.css").read_text()
    values = {**draft, **shown, "moments": draft["timeline"], "timeline_picture": shown["timeline"], "style": style}
    return _environment(autoescape=True).get_template(HTML).render(values)


def _broken(own_template: Path, error: Exception) -> ConfigError:
    line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
    return ConfigError(
        f"WHENCE_POSTMORTEM_TEMPLATE: {own_template}{line}: {error}; "
        "it gets the fields of a draft in JSON by their names (whence postmortem <id> --format json)"
    )


def _environment(*, autoescape: bool, kind: type[Environment] = Environment) -> Environment:
    environment = kind(
        loader=ChoiceLoader([FileSystemLoader(HERE / "templates"), FileSystemLoader(PAGES / "templates")]),
        autoescape=autoescape,  # Markdown is no HTML; what shows it escapes
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
        "places": places,
        "cell": _cell,
    }
    return environment


def _cell(text: object) -> str:
    """Text that stays within one cell of a Markdown table, whoever wrote it."""
    return " ".join(str(text).replace("|", "\\|").replace("<", "&lt;").split())


def _plain(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return dict(record) if record is not None else None
