"""What OpenInference, Traceloop and OpenTelemetry say of models, prompts and data comes down to the same references."""

from __future__ import annotations

import pytest

from tests.unit.otlp.llm_spans import SPANS, LlmSpan
from tests.unit.otlp.wire import facts_of

INTERNAL, CLIENT = 1, 3


@pytest.mark.parametrize("kind", [INTERNAL, CLIENT])
@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
def test_span_names_its_model_prompt_and_data_whatever_its_kind(span: LlmSpan, kind: int) -> None:
    facts = facts_of(span.attributes, kind=kind)
    assert (facts.models, facts.prompts, facts.inputs, facts.outputs) == span[1:]


def test_nothing_that_was_said_is_kept() -> None:
    for span in SPANS.values():
        assert "user said" not in repr(facts_of(span.attributes))
