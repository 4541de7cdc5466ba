"""Spans of language-model clients, with the attributes that each instrumentation publishes, today's and older."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class LlmSpan(NamedTuple):
    """A span as one instrumentation emits it, and what it says."""

    attributes: Mapping[str, object]
    models: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


_SECRET = "what the user said"
_TALK = {"input.value": _SECRET, "output.value": _SECRET, "llm.input_messages.0.message.content": _SECRET}
_PROMPT_AND_ANSWER = {"gen_ai.prompt.0.content": _SECRET, "gen_ai.completion.0.content": _SECRET}

SPANS: Mapping[str, LlmSpan] = {
    "OpenInference, OpenAI": LlmSpan(
        {
            **_TALK,
            "openinference.span.kind": "LLM",
            "llm.system": "openai",
            "llm.provider": "azure",
            "llm.model_name": "gpt-4o-2024-08-06",
            "llm.request.model_name": "gpt-4o",
            "llm.response.model_name": "gpt-4o-2024-08-06",
            "llm.token_count.total": 11,
        },
        models=("genai://azure.ai.openai#gpt-4o-2024-08-06",),
    ),
    "OpenInference, OpenAI, before providers": LlmSpan(
        {**_TALK, "openinference.span.kind": "LLM", "llm.system": "openai", "llm.model_name": "gpt-4"},
        models=("genai://openai#gpt-4",),
    ),
    "OpenInference, LangChain": LlmSpan(
        {
            **_TALK,
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "llm.model_name": "claude-sonnet",
            "llm.prompt_template.template": _SECRET,
            "llm.prompt_template.version": "7",
            "prompt.id": "greeting",
            "prompt.vendor": "Phoenix",
        },
        models=("genai://anthropic#claude-sonnet",),
        prompts=("prompt://phoenix#greeting@version:7",),
    ),
    "OpenInference, a template that no id names": LlmSpan(
        {"openinference.span.kind": "CHAIN", "llm.prompt_template.version": "7"},
    ),
    "OpenInference, embedding": LlmSpan(
        {"openinference.span.kind": "EMBEDDING", "llm.system": "openai", "embedding.model_name": "ada-002"},
        models=("genai://openai#ada-002",),
    ),
    "OpenInference, decision": LlmSpan(
        {"decision.provider": "acme", "decision.request.model_name": "risk", "decision.response.model_name": "risk-3"},
        models=("genai://acme#risk-3",),
    ),
    "Traceloop, OpenAI": LlmSpan(
        {
            **_PROMPT_AND_ANSWER,
            "llm.request.type": "chat",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.openai.system_fingerprint": "fp_44",
            "traceloop.prompt.key": "greet",
            "traceloop.prompt.version": 2,
            "traceloop.prompt.version_hash": "9d59",
            "traceloop.entity.name": "answer",
        },
        models=("genai://openai#gpt-4o-2024-08-06@fingerprint:fp_44",),
        prompts=("prompt://traceloop#greet@version:2",),
    ),
    "Traceloop, OpenAI, before gen_ai": LlmSpan(
        {
            "llm.vendor": "OpenAI",
            "llm.request.model": "gpt-3.5-turbo",
            "llm.response.model": "gpt-3.5-turbo-0613",
            "llm.prompts.0.content": _SECRET,
        },
        models=("genai://openai#gpt-3.5-turbo-0613",),
    ),
    "Traceloop, LangChain": LlmSpan(
        {
            **_PROMPT_AND_ANSWER,
            "gen_ai.system": "Langchain",
            "gen_ai.request.model": "gpt-4o",
            "traceloop.workflow.name": "answer",
        },
        models=("genai://#gpt-4o",),
    ),
    "Traceloop, Milvus": LlmSpan(
        {"db.system": "milvus", "db.operation": "search", "db.milvus.search.collection_name": "docs"},
        inputs=("milvus://#docs",),
    ),
    "Traceloop, Qdrant": LlmSpan(
        {"db.system": "Qdrant", "db.operation": "upsert", "qdrant.upsert.collection_name": "docs"},
        outputs=("qdrant://#docs",),
    ),
    "OpenTelemetry": LlmSpan(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "openai.response.system_fingerprint": "fp_44",
            "gen_ai.prompt.name": "greet",
        },
        models=("genai://openai#gpt-4o-2024-08-06@fingerprint:fp_44",),
        prompts=("prompt://#greet",),
    ),
}
