"""Attribute names of the contract: ours, and the standard ones that code outside ``otlp`` needs."""

from __future__ import annotations

SERVICE_NAME = "service.name"
SERVICE_NAMESPACE = "service.namespace"
SERVICE_VERSION = "service.version"
SERVICE_INSTANCE_ID = "service.instance.id"
ENVIRONMENT = "deployment.environment.name"
ENVIRONMENT_OLD = "deployment.environment"
REVISION = "vcs.ref.head.revision"
REPOSITORY = "vcs.repository.url.full"
IMAGE_DIGESTS = "container.image.repo_digests"

CONTRACT_VERSION_NAME = "whence.contract.version"
CONTRACT_VERSION = "0.1"
INPUTS = "whence.inputs"
OUTPUTS = "whence.outputs"
MODELS = "whence.models"
PROMPTS = "whence.prompts"
SHORT_ID = "whence.id"
OUTCOME_BAD = "whence.outcome.bad"
OUTCOME_REASON = "whence.outcome.reason"

MAX_REFS_PER_SPAN = 16
MAX_REF_CHARS_ON_SPAN = 256
