"""Which attributes are read at all, and the older names that they still go by.

This is the allow-list: a value under any other key never leaves the decoder. Instrumentation emits old names for years
after a rename, so both are read; when a span carries both, the new name wins.
"""

from __future__ import annotations

from whence.model import names

SPAN_RENAMES = {
    "aws.bucket": "aws.s3.bucket",
    "db.cassandra.table": "db.collection.name",
    "db.cosmosdb.container": "db.collection.name",
    "db.elasticsearch.cluster.name": "db.namespace",
    "db.milvus.delete.collection_name": "db.collection.name",
    "db.milvus.get.collection_name": "db.collection.name",
    "db.milvus.insert.collection_name": "db.collection.name",
    "db.milvus.query.collection_name": "db.collection.name",
    "db.milvus.search.collection_name": "db.collection.name",
    "db.milvus.upsert.collection_name": "db.collection.name",
    "db.mongodb.collection": "db.collection.name",
    "db.name": "db.namespace",
    "db.operation": "db.operation.name",
    "db.redis.database_index": "db.namespace",
    "db.sql.table": "db.collection.name",
    "db.system": "db.system.name",
    "gen_ai.openai.response.system_fingerprint": "openai.response.system_fingerprint",
    "gen_ai.openai.system_fingerprint": "openai.response.system_fingerprint",
    "gen_ai.system": "gen_ai.provider.name",
    "http.host": "server.address",
    "http.method": "http.request.method",
    "http.url": "url.full",
    "llm.request.model": "gen_ai.request.model",
    "llm.response.model": "gen_ai.response.model",
    "llm.vendor": "gen_ai.provider.name",
    "messaging.destination": "messaging.destination.name",
    "messaging.destination.anonymous": "messaging.destination.temporary",
    "messaging.operation": "messaging.operation.type",
    "messaging.temp_destination": "messaging.destination.temporary",
    "net.peer.name": "server.address",
    "net.peer.port": "server.port",
    "qdrant.search.collection_name": "db.collection.name",
    "qdrant.search_batch.collection_name": "db.collection.name",
    "qdrant.upload_collection.collection_name": "db.collection.name",
    "qdrant.upsert.collection_name": "db.collection.name",
    "tls.client.server_name": "server.address",
}
"""Old span attribute to the one that replaced it, where the meaning is the same."""

SPAN_KEYS = frozenset(
    {
        names.INPUTS,
        names.OUTPUTS,
        names.MODELS,
        names.PROMPTS,
        names.OUTCOME_BAD,
        "aws.bedrock.knowledge_base.id",
        "aws.s3.bucket",
        "aws.s3.key",
        "db.collection.name",
        "db.namespace",
        "db.operation.name",
        "db.query.summary",
        "db.system.name",
        "decision.model_name",
        "decision.provider",
        "decision.request.model_name",
        "decision.response.model_name",
        "embedding.model_name",
        "gen_ai.data_source.id",
        "gen_ai.prompt.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "http.request.method",
        "http.route",
        "llm.model_name",
        "llm.prompt_template.version",
        "llm.provider",
        "llm.request.model_name",
        "llm.response.model_name",
        "llm.system",
        "messaging.destination.name",
        "messaging.destination.template",
        "messaging.destination.temporary",
        "messaging.operation.type",
        "messaging.system",
        "ml.model.name",
        "ml.model.version",
        "mlflow.linkedPrompts",
        "mlflow.llm.model",
        "mlflow.llm.provider",
        "mlflow.modelId",
        "openai.response.system_fingerprint",
        "peer.service",
        "prompt.id",
        "prompt.vendor",
        "reranker.model_name",
        "rpc.method",
        "rpc.service",
        "server.address",
        "server.port",
        "service.peer.name",
        "service.peer.namespace",
        "traceloop.prompt.key",
        "traceloop.prompt.version",
        "url.full",
        "url.template",
    }
)

FLAG_RENAMES = {
    "feature_flag.provider_name": "feature_flag.provider.name",
    "feature_flag.variant": "feature_flag.result.variant",
}
FLAG_KEYS = frozenset(
    {"feature_flag.key", "feature_flag.provider.name", "feature_flag.result.variant", "feature_flag.set.id"}
)
"""Attributes of a flag evaluation, on a span event or a log record."""

RESOURCE_RENAMES = {
    names.ENVIRONMENT_OLD: names.ENVIRONMENT,
    "vcs.repository.change.id": "vcs.change.id",
    "vcs.repository.ref.name": "vcs.ref.head.name",
    "vcs.repository.ref.revision": names.REVISION,
}
KEPT_RESOURCE_KEYS = frozenset(
    {
        names.SERVICE_VERSION,
        names.REVISION,
        names.REPOSITORY,
        names.IMAGE_DIGESTS,
        names.CONTRACT_VERSION_NAME,
        "cicd.pipeline.name",
        "cicd.pipeline.run.id",
        "cicd.pipeline.run.url.full",
        "container.image.name",
        "container.image.tags",
        "deployment.id",
        "deployment.name",
        "faas.version",
        "k8s.cluster.name",
        "k8s.cronjob.name",
        "k8s.daemonset.name",
        "k8s.deployment.name",
        "k8s.namespace.name",
        "k8s.statefulset.name",
        "service.criticality",
        "telemetry.distro.name",
        "telemetry.distro.version",
        "telemetry.sdk.language",
        "telemetry.sdk.name",
        "telemetry.sdk.version",
        "vcs.change.id",
        "vcs.owner.name",
        "vcs.ref.head.name",
        "vcs.repository.name",
    }
)
"""Resource attributes that stay on the version node."""

RESOURCE_KEYS = KEPT_RESOURCE_KEYS | {
    names.SERVICE_NAME,
    names.SERVICE_NAMESPACE,
    names.MODELS,
    names.INPUTS,
    names.ENVIRONMENT,
    "container.image.id",
    "faas.name",
    "k8s.job.name",
    "oci.manifest.digest",
}
