"""Settings of the service: flag, then environment (``WHENCE_...``), then the TOML file that ``WHENCE_CONFIG`` names."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from whence.accepted import Tokens
from whence.errors import ConfigError
from whence.tls import Tls
from whence.tokens import parse_token

ENV_PREFIX = "WHENCE_"
CONFIG_VARIABLE = "WHENCE_CONFIG"
STORE_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")

NOTIFY_KINDS = ("webhook", "slack", "slack-bot", "grafana")
LINK_FIELDS = ("entity", "namespace", "name", "environment", "trace_id", "from_ms", "to_ms", "from", "to")
KAFKA_CONTENTS = ("spans_proto", "spans_json", "logs_proto", "logs_json", "openlineage", "changes")

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Bytes = Annotated[int, Field(ge=1024)]


class Settings(BaseSettings):
    """Everything that an operator may set. The environment variable of ``x`` is ``WHENCE_X``."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address that all ports listen on; other than loopback needs tokens.")
    api_port: Port = Field(8484, description="Port of API and pages; 0 takes a free one.")
    otlp_http_port: Port = Field(4318, description="Port of OTLP over HTTP; 0 takes a free one.")
    otlp_grpc_port: Port = Field(4317, description="Port of OTLP over gRPC; 0 takes a free one.")
    tls_cert: Path | None = Field(None, description="Certificate chain of all ports, PEM; needs the key too.")
    tls_key: Path | None = Field(None, description="Key of the certificate, PEM.")
    tls_client_ca: Path | None = Field(
        None, description="Authorities, PEM: clients must show a certificate that one of them signed."
    )
    tokens: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Bearer tokens, comma separated, as `whence token` writes them (read, ingest, write, admin).",
    )
    tokens_file: Path | None = Field(
        None, description="More tokens, one in a line; read again within seconds when it changes."
    )
    token_bytes_per_second: int = Field(
        0, ge=0, description="What each token may send to the OTLP ports, ten seconds' worth at once; 0: no limit."
    )
    audit_log: Path | None = Field(
        None, description="File for one JSON line for each request that isn't a plain read: when, which token, what."
    )
    webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Secrets with which webhooks are signed, comma separated: 'source:secret' (github, gitlab, ...); "
        "a source may have several while they are rotated.",
    )
    alert_mappings: Path | None = Field(
        None, description="YAML file that says how alerts of other tools are read, `webhooks/alert?mapping=<name>`."
    )
    mlflow_registry: str = Field(
        "",
        pattern="^(https?://|$)",
        description="Address of the MLflow registry whose webhooks come in; empty: unknown.",
    )

    declaration_urls: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Where declarations are fetched from, comma separated: 'name=https://.../whence.yaml'."
    )
    declaration_seconds: Seconds = Field(300, description="How often they are fetched.")
    notify: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Who is told of answers to incidents, comma separated: 'webhook:https://...', 'slack:https://...', "
        "'slack-bot:https://<token>@slack.com/api#<channel id>', 'grafana:https://<token>@...'.",
    )
    public_url: str = Field(
        "", pattern="^(https?://|$)", description="Address of the pages in what is sent out; empty: host and API port."
    )
    links: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Links to other tools, comma separated: 'logs=https://.../{name}?from={from_ms}' "
        f"({', '.join(LINK_FIELDS)}).",
    )
    postmortem_template: str = Field(
        "", description="Jinja template that postmortems are written with in place of the built-in one."
    )

    data_dir: Path = Field(Path("whence-data"), description="Directory of the embedded store and the spool.")
    store: str = Field("", description="bolt:// or neo4j:// address; empty keeps everything in the data directory.")
    store_user: str = Field("neo4j", description="User at the store.")
    store_password: SecretStr = Field(SecretStr(""), description="Password at the store.")

    kafka_bootstrap: str = Field("", description="Kafka brokers to read from, 'host:port', comma separated.")
    kafka_topics: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description=f"Topics, comma separated: 'content:topic' ({', '.join(KAFKA_CONTENTS)})."
    )
    kafka_group: str = Field("whence", min_length=1, description="Consumer group; processes of one share the topics.")
    kafka_dead_letters: str = Field(
        "whence-dead-letters", min_length=1, description="Topic for records that nothing can be made of."
    )
    kafka_journal: str = Field(
        "whence-journal",
        min_length=1,
        description="Topic for what follows from records read and is not stored yet.",
    )
    kafka_commit_seconds: Seconds = Field(5, description="How often what was read is committed and stored.")
    kafka_client: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="Properties of librdkafka, comma separated: 'security.protocol=SASL_SSL'."
    )

    engine: Literal["auto", "native", "portable"] = Field(
        "auto", description="What reads and folds spans: compiled code, Python, or the former where it was built."
    )
    bucket_seconds: int = Field(15, ge=1, le=3600, description="Width of a time bucket of counts.")
    hours_after_days: int = Field(
        0, ge=0, le=3650, description="Age at which counts are kept by the hour (embedded store only); 0: never."
    )
    days_after_days: int = Field(
        0, ge=0, le=3650, description="Age at which counts are kept by the day (embedded store only); 0: never."
    )
    trace_idle_seconds: Seconds = Field(10, description="A trace is folded once it brought no span for so long.")
    trace_ttl_seconds: Seconds = Field(60, description="A trace is folded at this age even if spans still come.")
    flush_seconds: Seconds = Field(2, description="Counts are written to the store at least this often.")
    max_open_spans: int = Field(500_000, ge=1000, description="Spans of unfinished traces that are held in memory.")

    max_body_bytes: Bytes = Field(64 * 2**20, description="Largest request body, both as sent and decompressed.")
    spool_max_bytes: Bytes = Field(2 * 2**30, description="Largest size of what is acknowledged but not yet stored.")
    queue_max_bytes: Bytes = Field(256 * 2**20, description="Largest size of requests waiting to be decoded.")

    def accepted_tokens(self, tenant: str | None = None) -> Tokens:
        """The tokens with their scopes, of one tenant or of all; without any, everybody may do everything.

        Raises:
            ConfigError: The file of tokens can't be read, or a line of it is malformed.
        """
        fixed = [parse_token(token.get_secret_value()) for token in self.tokens]
        try:
            return Tokens(fixed, self.tokens_file, tenant)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{ENV_PREFIX}TOKENS_FILE: {error}") from None

    @property
    def compaction_ages(self) -> tuple[tuple[int, int], ...]:
        """Age from which counts are kept in wider buckets, and how wide, in seconds."""
        ages = ((self.hours_after_days, 3600), (self.days_after_days, 86_400))
        return tuple((days * 86_400, width_s) for days, width_s in ages if days)

    @property
    def parsed_webhook_secrets(self) -> Mapping[str, tuple[bytes, ...]]:
        """The secrets of each source of webhooks; each of them is right."""
        pairs = [pair.get_secret_value().partition(":") for pair in self.webhook_secrets]
        sources = dict.fromkeys(source for source, _, _ in pairs)
        return {one: tuple(secret.encode() for source, _, secret in pairs if source == one) for one in sources}

    @property
    def parsed_declaration_urls(self) -> Mapping[str, str]:
        """Address of each import that is fetched, by name."""
        pairs = (one.get_secret_value().partition("=") for one in self.declaration_urls)
        return {name: url for name, _, url in pairs}

    @property
    def parsed_notify(self) -> tuple[tuple[str, str], ...]:
        """Kind and address of everybody who is told of answers."""
        pairs = (one.get_secret_value().partition(":") for one in self.notify)
        return tuple((kind, url) for kind, _, url in pairs)

    @property
    def parsed_links(self) -> tuple[tuple[str, str], ...]:
        """Name and template of each link to other tools."""
        pairs = (one.partition("=") for one in self.links)
        return tuple((name, template) for name, _, template in pairs)

    @property
    def parsed_kafka_topics(self) -> Mapping[str, str]:
        """What each topic of Kafka contains."""
        pairs = (one.partition(":") for one in self.kafka_topics)
        return {topic: content for content, _, topic in pairs}

    @property
    def parsed_kafka_client(self) -> Mapping[str, str]:
        """Properties of the Kafka client."""
        pairs = (one.get_secret_value().partition("=") for one in self.kafka_client)
        return {name: value for name, _, value in pairs}

    @property
    def parsed_public_url(self) -> str:
        """Address of the pages, without a slash at the end."""
        scheme = "http" if self.tls is None else "https"
        return self.public_url.rstrip("/") or f"{scheme}://{self.host}:{self.api_port}"

    @property
    def tenants_dir(self) -> Path:
        """Where each tenant has a folder of its own."""
        return self.data_dir / "tenants"

    def of_tenant(self, name: str) -> Settings:
        """The same for one tenant; the nameless one has what there is where no tokens name any."""
        return self.model_copy(update={"data_dir": self.tenants_dir / name}) if name else self

    @property
    def tls(self) -> Tls | None:
        """What all ports are served with; None serves them in the clear."""
        return Tls(self.tls_cert, self.tls_key, self.tls_client_ca) if self.tls_cert and self.tls_key else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """First source wins. No ``.env`` file is read: a service must not depend on where it was started."""
        path = os.environ.get(CONFIG_VARIABLE)
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=path or None)

    @field_validator(
        "tokens",
        "webhook_secrets",
        "declaration_urls",
        "notify",
        "links",
        "kafka_topics",
        "kafka_client",
        mode="before",
    )
    @classmethod
    def _split_list(cls, value: object) -> object:
        return tuple(part for part in value.replace(",", " ").split() if part) if isinstance(value, str) else value

    @field_validator("tokens")
    @classmethod
    def _check_tokens(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for token in value:
            parse_token(token.get_secret_value())
        return value

    @field_validator("webhook_secrets")
    @classmethod
    def _check_webhook_secrets(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        pairs = [pair.get_secret_value().partition(":") for pair in value]
        if not all(source and secret for source, _, secret in pairs):
            raise ValueError("each must be a source and its secret, as in 'github:secret'")
        return value

    @field_validator("declaration_urls")
    @classmethod
    def _check_declaration_urls(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        pairs = [one.get_secret_value().partition("=") for one in value]
        if not all(name and url.startswith(("https://", "http://")) for name, _, url in pairs):
            raise ValueError("each must be a name and an address, as in 'shop=https://.../whence.yaml'")
        if len({name for name, _, _ in pairs}) < len(pairs):
            raise ValueError("a name may have one address only")
        return value

    @field_validator("notify")
    @classmethod
    def _check_notify(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for one in value:
            kind, _, url = one.get_secret_value().partition(":")
            if kind not in NOTIFY_KINDS or not url.startswith(("https://", "http://")):
                raise ValueError(f"each must be one of {', '.join(NOTIFY_KINDS)} and an address: 'slack:https://...'")
            parts = urlsplit(url)
            if kind == "slack-bot" and not (parts.username and parts.fragment):
                raise ValueError("token or channel is missing: 'slack-bot:https://<token>@slack.com/api#<channel id>'")
            if kind == "grafana" and not parts.username:
                raise ValueError("the token is missing: 'grafana:https://<token>@grafana.example.org'")
        return value

    @field_validator("links")
    @classmethod
    def _check_links(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            name, _, template = one.partition("=")
            host = urlsplit(template).netloc
            if not name or not template.startswith(("https://", "http://")) or not host or "{" in host:
                raise ValueError("each must be a name and an address: 'logs=https://logs.example.org/{name}'")
            unknown = sorted(set(re.findall(r"\{(.*?)\}", template)) - set(LINK_FIELDS))
            if unknown:
                raise ValueError(f"{name}: nothing is called {{{unknown[0]}}}; there are {', '.join(LINK_FIELDS)}")
        return value

    @field_validator("kafka_topics")
    @classmethod
    def _check_kafka_topics(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        pairs = [one.partition(":") for one in value]
        if not all(content in KAFKA_CONTENTS and topic for content, _, topic in pairs):
            raise ValueError(f"each must be one of {', '.join(KAFKA_CONTENTS)} and a topic: 'spans_proto:otlp_spans'")
        if len({topic for _, _, topic in pairs}) < len(pairs):
            raise ValueError("a topic may have one content only")
        return value

    @field_validator("kafka_client")
    @classmethod
    def _check_kafka_client(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(name and given for name, given, _ in (one.get_secret_value().partition("=") for one in value)):
            raise ValueError("each must be a property and its value, as in 'security.protocol=SSL'")
        return value

    @field_validator("store")
    @classmethod
    def _check_store(cls, value: str) -> str:
        if value and value.partition("://")[0] not in STORE_SCHEMES:
            raise ValueError(f"must be empty or start with one of {', '.join(f'{one}://' for one in STORE_SCHEMES)}")
        return value

    @model_validator(mode="after")
    def _check_together(self) -> Settings:
        if self.trace_ttl_seconds < self.trace_idle_seconds:
            raise ValueError("trace_ttl_seconds must not be below trace_idle_seconds")
        if missing := self._missing_for_tls():
            raise ValueError(f"TLS is set in part: set {' and '.join(missing)} too")
        if self.kafka_bootstrap and not self.kafka_topics:
            raise ValueError(f"kafka_bootstrap needs {ENV_PREFIX}KAFKA_TOPICS, as in spans_proto:otlp_spans")
        if not self.tokens and self.tokens_file is None and not _is_loopback(self.host):
            raise ValueError(
                f"listening on {self.host} lets others in, so tokens are required: "
                f"make one with `whence token` and set {ENV_PREFIX}TOKENS, or keep to 127.0.0.1"
            )
        return self

    def _missing_for_tls(self) -> list[str]:
        pair = {"TLS_CERT": self.tls_cert, "TLS_KEY": self.tls_key}
        is_wanted = any((*pair.values(), self.tls_client_ca))
        return [f"{ENV_PREFIX}{name}" for name, path in pair.items() if is_wanted and path is None]


def load_settings(**flags: object) -> Settings:
    """Read the settings; a flag that is None was not given.

    Raises:
        ConfigError: A value can't work, or the file is missing or unreadable; the message names each variable.
    """
    path = os.environ.get(CONFIG_VARIABLE)
    if path and not Path(path).expanduser().is_file():
        raise ConfigError(f"{CONFIG_VARIABLE}: there is no file {path}")
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks the values
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise ConfigError(f"{CONFIG_VARIABLE}: {path}: {error}") from None


def _explain(error: ValidationError) -> str:
    """One line for each problem, without the values: they may be secrets."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in problem["loc"])
        known = problem["type"] != "extra_forbidden"
        reason = problem["msg"].removeprefix("Value error, ") if known else "there is no such setting"
        lines.append(f"{ENV_PREFIX}{name.upper()}: {reason}" if name else reason)
    return "\n".join(lines)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
