"""An application of a hosted language model. The lines that end in ``# +`` are all that whence adds.

The model needs no line: instrumented clients state it on their spans (``gen_ai.*``, OpenInference, Traceloop). What
they can't know is which index was searched, and whether the answer was of any use.
"""

from opentelemetry import trace

import whence  # +

whence.configure(service_name="assistant")  # +
tracer = trace.get_tracer("assistant")


def ask_model(question: str, passages: list[str]) -> str:
    """Stands for an instrumented client."""
    with tracer.start_as_current_span("chat") as span:
        span.set_attribute("gen_ai.provider.name", "openai")
        span.set_attribute("gen_ai.response.model", "gpt-4o-2024-08-06")
        return passages[0] if question in passages[0] else ""


def answer(question: str) -> str:
    """What the passages say, or nothing."""
    with tracer.start_as_current_span("answer"):
        whence.reads("milvus://search:19530#docs.passages@time:2026-11-23T00:00:00Z")  # +
        text = ask_model(question, ["refund: within 30 days"])
        whence.outcome(bad=not text, reason="no answer")  # +
        return text


if __name__ == "__main__":
    print(answer("refund"), answer("warranty"))
