"""``run``: one run of a batch job is one trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace


@contextmanager
def run(job: str) -> Iterator[None]:
    """Root span of one run of a batch job, as context manager or decorator of a plain function.

    The span is a root even where another span is current: a scheduler that starts a run is not its caller. An
    exception marks the run as failed and passes on.

    Args:
        job: Name of the job, the same for every run (``"train-ranker"``).
    """
    nobody = trace.set_span_in_context(trace.INVALID_SPAN)
    with trace.get_tracer("whence").start_as_current_span(job, context=nobody):
        yield
