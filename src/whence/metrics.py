"""Counters and gauges as values, and their Prometheus text form (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of a metric, with the labels that tell it from its siblings."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """A named family of samples. By custom a counter's name ends in ``_total`` and every name holds its unit."""

    name: str
    kind: str
    """``counter`` or ``gauge``."""
    help: str
    samples: tuple[Sample, ...]


class IngestStatus(Protocol):
    """What the API shows of the receivers that run beside it."""

    def is_ready(self) -> bool:
        """Whether all receivers serve and accept."""

    def metrics(self) -> Sequence[Metric]:
        """Counters and gauges as of now. Cheap: it is called at every scrape."""


def counter(name: str, help_text: str, *samples: Sample) -> Metric:
    """A number that only grows."""
    return Metric(name, "counter", help_text, samples)


def gauge(name: str, help_text: str, *samples: Sample) -> Metric:
    """A number that comes and goes."""
    return Metric(name, "gauge", help_text, samples)


def render(metrics: Iterable[Metric]) -> str:
    """The text that Prometheus scrapes, in the given order."""
    return "".join(line + "\n" for metric in metrics for line in _lines(metric))


def _lines(metric: Metric) -> Iterable[str]:
    yield f"# HELP {metric.name} {_escape(metric.help, quote=False)}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for sample in metric.samples:
        labels = ",".join(f'{name}="{_escape(value, quote=True)}"' for name, value in sample.labels.items())
        yield f"{metric.name}{{{labels}}} {sample.value:.17g}" if labels else f"{metric.name} {sample.value:.17g}"


def _escape(text: str, *, quote: bool) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text
