"""Environments: one spelling for each, and which facts bear on one.

Every way in uses this table, whoever sends: spans, changes, webhooks and questions. Facts that name no environment (a
lineage event, a sender that doesn't say) may be of any, so whoever asks for one sees them too.
"""

from __future__ import annotations

UNNAMED = ""
"""Environment of facts that name none."""
_SPELLINGS = {
    "production": ("prod", "prd", "live"),
    "staging": ("stage", "stg"),
    "test": ("testing", "tst"),
    "development": ("dev", "develop"),
}
_NAMES = {spelling: name for name, others in _SPELLINGS.items() for spelling in (name, *others)}


def environment_name(stated: str | None) -> str:
    """The name that an environment goes by here: that of OpenTelemetry for the usual ones, else as stated."""
    text = (stated or UNNAMED).strip()
    return _NAMES.get(text.lower(), text)


def bears_on(stated: str, asked: str | None) -> bool:
    """Whether a fact of one environment is to be seen when ``asked`` is asked for; None asks for all."""
    return asked is None or stated in (UNNAMED, asked)
