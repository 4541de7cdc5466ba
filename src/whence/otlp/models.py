"""Models and prompts, in the words of each instrumentation that names them.

The most exact statement wins: our own references, then the model that answered, then the model that was asked for
(often an alias). A hosted model is ``genai://{provider}#{model}``; one that only a hint names is ``ml://#{name}``.
"""

from __future__ import annotations

import json

from whence.model import names
from whence.otlp.attributes import Stated
from whence.otlp.references import Warnings, key_of, stated_keys

_PROVIDERS = {
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai",
    "xai": "x_ai",
}
_PROVIDER_KEYS = ("gen_ai.provider.name", "llm.provider", "mlflow.llm.provider", "decision.provider", "llm.system")
_FRAMEWORKS = frozenset({"langchain", "langgraph", "llamaindex", "llama_index", "haystack", "crewai"})
"""What stands between an application and a provider, and is named in a provider's place."""
_MAX_LINKED_PROMPTS = names.MAX_REFS_PER_SPAN


def models_of(stated: Stated, warnings: Warnings) -> tuple[str, ...]:
    """Keys of the models that a span used."""
    keys = stated_keys(stated.many(names.MODELS), warnings)
    if keys:
        return keys
    logged = stated.text("mlflow.modelId")
    if logged:
        return _one(key_of("mlflow://", f"logged-models/{logged}"))
    return _hosted(stated) or _hinted(stated)


def _hosted(stated: Stated) -> tuple[str, ...]:
    model = stated.first(
        "gen_ai.response.model",
        "gen_ai.request.model",
        "llm.response.model_name",
        "llm.model_name",
        "llm.request.model_name",
        "embedding.model_name",
        "reranker.model_name",
        "decision.response.model_name",
        "decision.model_name",
        "decision.request.model_name",
        "mlflow.llm.model",
    )
    if not model:
        return ()
    fingerprint = stated.text("openai.response.system_fingerprint")
    return _one(key_of(provider_namespace(stated), model, "fingerprint" if fingerprint else "", fingerprint))


def _hinted(stated: Stated) -> tuple[str, ...]:
    name, version = stated.text("ml.model.name"), stated.text("ml.model.version")
    return _one(key_of("ml://", name, "version" if version else "", version)) if name else ()


def provider_namespace(stated: Stated) -> str:
    """Namespace of what a GenAI provider hosts."""
    names_stated = (stated.text(key).lower() for key in _PROVIDER_KEYS)
    provider = next((name for name in names_stated if name and name not in _FRAMEWORKS), "")
    return f"genai://{_PROVIDERS.get(provider, provider)}"


def knowledge_of(stated: Stated) -> tuple[str, ...]:
    """Keys of the data that a GenAI provider looked things up in."""
    base = stated.text("aws.bedrock.knowledge_base.id")
    if base:
        return _one(key_of("genai://aws.bedrock", f"knowledge-bases/{base}"))
    source = stated.text("gen_ai.data_source.id")
    return _one(key_of(provider_namespace(stated), f"data-sources/{source}")) if source else ()


def prompts_of(stated: Stated, warnings: Warnings) -> tuple[str, ...]:
    """Keys of the prompts that a span used; their text is never read."""
    keys = stated_keys(stated.many(names.PROMPTS), warnings)
    if keys:
        return keys
    key, version = stated.text("traceloop.prompt.key"), stated.text("traceloop.prompt.version")
    if key:
        return _one(key_of("prompt://traceloop", key, "version" if version else "", version))
    linked = _linked_prompts(stated.text("mlflow.linkedPrompts"))
    if linked:
        return linked
    prompt, version = stated.text("prompt.id"), stated.text("llm.prompt_template.version")
    if prompt:
        vendor = stated.text("prompt.vendor").lower()
        return _one(key_of(f"prompt://{vendor}", prompt, "version" if version else "", version))
    name = stated.text("gen_ai.prompt.name")
    return _one(key_of("prompt://", name)) if name else ()


def _linked_prompts(text: str) -> tuple[str, ...]:
    """MLflow's JSON list of names and versions, which may itself be quoted once more."""
    if not text:
        return ()
    try:
        linked = json.loads(text)
        linked = json.loads(linked) if isinstance(linked, str) else linked
    except ValueError:
        return ()
    if not isinstance(linked, list):
        return ()
    pairs = [(item.get("name"), item.get("version")) for item in linked if isinstance(item, dict)]
    named = [(str(name), str(version or "")) for name, version in pairs if name][:_MAX_LINKED_PROMPTS]
    keys = (key_of("prompt://mlflow", name, "version" if version else "", version) for name, version in named)
    return tuple(dict.fromkeys(filter(None, keys)))


def _one(key: str) -> tuple[str, ...]:
    return (key,) if key else ()
