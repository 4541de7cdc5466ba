"""Evaluations of feature flags, on a span event or a log record.

The reference of a variant is ``flag://{set or provider}#{key}@version:{variant}``.
"""

from __future__ import annotations

from whence.otlp.attributes import Stated
from whence.otlp.references import key_of

FLAG = "feature_flag"
"""Name under which the decoder adds the flags of a span's events to the span's own attributes."""

FLAG_EVENTS = frozenset({"feature_flag", "feature_flag.evaluation"})


def flag_key(stated: Stated) -> str:
    """Key of the variant that was served; of the flag alone where no variant is named, empty where no flag is."""
    key, variant = stated.text("feature_flag.key"), stated.text("feature_flag.result.variant")
    if not key:
        return ""
    owner = stated.first("feature_flag.set.id", "feature_flag.provider.name")
    return key_of(f"flag://{owner}", key, "version" if variant else "", variant)
