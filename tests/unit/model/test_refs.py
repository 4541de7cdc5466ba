"""The reference grammar: vectors, canonical forms, positions of errors, and the way there and back."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from whence.errors import InvalidReference
from whence.model.refs import (
    MAX_REF_CHARS,
    Ref,
    canonical_namespace,
    is_mutable_version,
    make_ref,
    parse_ref,
    service_ref,
)

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
GIT = "da39a3ee5e6b4b0d3255bfef95601890afd80709"

VECTORS = (
    ("s3://lake#warehouse/risk/features@iceberg:3055729675574597004", "s3://lake", "warehouse/risk/features"),
    ("s3://lake#delta/features@delta:12", "s3://lake", "delta/features"),
    (f"lakefs://repo#path/x.parquet@lakefs:{GIT}", "lakefs://repo", "path/x.parquet"),
    ("git+https://github.com/acme/data#data/train@md5:0cc1.dir", "git+https://github.com/acme/data", "data/train"),
    (f"git+https://github.com/acme/data#path@sha256:{SHA256}", "git+https://github.com/acme/data", "path"),
    (f"https://huggingface.co/datasets#acme/reviews@git:{GIT}", "https://huggingface.co/datasets", "acme/reviews"),
    (f"https://huggingface.co#acme/fraud@git:{GIT}", "https://huggingface.co", "acme/fraud"),
    (f"file#/data/train.parquet@sha256:{SHA256}", "file", "/data/train.parquet"),
    (
        "postgres://db:5432#risk.public.customers@time:2026-11-23T00:00:00Z",
        "postgres://db:5432",
        "risk.public.customers",
    ),
    ("bigquery#acme.risk.features@time:2026-11-23T00:00:00Z", "bigquery", "acme.risk.features"),
    ("kafka://broker:9092#payments@offset:0=42,1=17", "kafka://broker:9092", "payments"),
    ("mlflow+https://mlflow.acme.dev#fraud@version:7", "mlflow+https://mlflow.acme.dev", "fraud"),
    ("mlflow+https://mlflow.acme.dev#logged-models/m-1@run:r1", "mlflow+https://mlflow.acme.dev", "logged-models/m-1"),
    ("wandb://api.wandb.ai#entity/project/fraud@version:v3", "wandb://api.wandb.ai", "entity/project/fraud"),
    (
        "arn:aws:sagemaker:eu-west-1:111122223333#model-package/fraud@version:3",
        "arn:aws:sagemaker:eu-west-1:111122223333",
        "model-package/fraud",
    ),
    (
        "https://aiplatform.googleapis.com#projects/p/locations/l/models/m@version:2",
        "https://aiplatform.googleapis.com",
        "projects/p/locations/l/models/m",
    ),
    ("genai://openai#gpt-4o-2024-08-06@fingerprint:fp_1", "genai://openai", "gpt-4o-2024-08-06"),
    (f"git+https://github.com/acme/scoring#.@git:{GIT}", "git+https://github.com/acme/scoring", "."),
    (f"oci://ghcr.io/acme#scoring@sha256:{SHA256}", "oci://ghcr.io/acme", "scoring"),
    ("abfss://box@account.dfs.core.windows.net#a/b@etag:0x8D", "abfss://box@account.dfs.core.windows.net", "a/b"),
    ("otel://shop#ranker@version:v41", "otel://shop", "ranker"),
    ("otel://#ranker@version:v41", "otel://", "ranker"),
)


@pytest.mark.parametrize(("text", "namespace", "name"), VECTORS)
def test_ref_vector_parses_and_prints_back(text: str, namespace: str, name: str) -> None:
    ref = parse_ref(text)
    kind, _, version = text.rpartition("@")[2].partition(":")
    assert ref == Ref(namespace, name, kind, version)
    assert str(ref) == text
    assert str(ref.base) == text.rpartition("@")[0]


@pytest.mark.parametrize(
    ("given_", "canonical"),
    [
        ("postgresql://DB.acme.dev", "postgres://db.acme.dev:5432"),
        ("postgres://user:secret@db:5433/shop?sslmode=off", "postgres://db:5433/shop"),
        ("POSTGRES://db?x=a/b", "postgres://db:5432"),
        ("mysql://db", "mysql://db:3306"),
        ("kafka://b1:9092,b2:9092", "kafka://b1:9092,b2:9092"),
        ("kafka://broker", "kafka://broker:9092"),
        ("mssql://db", "mssql://db:1433"),
        ("s3a://Lake/", "s3://Lake"),
        ("S3N://Lake", "s3://Lake"),
        ("gs://Bucket", "gs://Bucket"),
        ("lakefs://Repo", "lakefs://Repo"),
        ("https://Host/Path/", "https://host/Path"),
        ("https://user:secret@host/p", "https://host/p"),
        ("abfss://Box@Account.dfs", "abfss://box@account.dfs"),
        ("otel://My@Shop?", "otel://My@Shop?"),
        ("bigquery", "bigquery"),
        ("file", "file"),
        ("/", "/"),
    ],
)
def test_namespace_spelling_comes_to_its_canonical_form(given_: str, canonical: str) -> None:
    assert canonical_namespace(given_) == canonical
    assert canonical_namespace(canonical) == canonical


@pytest.mark.parametrize(
    ("namespace", "name", "expected"),
    [
        ("s3://lake", "/a/b", "a/b"),
        ("s3://lake", "a/b", "a/b"),
        ("file", "/a/b", "/a/b"),
        ("hdfs://nn:8020", "/a/b", "/a/b"),
        ("otel://shop", "/a", "/a"),
        ("bigquery", "/a", "/a"),
    ],
)
def test_leading_slash_is_cut_from_object_names_only(namespace: str, name: str, expected: str) -> None:
    assert make_ref(namespace, name).name == expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("no-hash", 0),
        ("#name", 0),
        ("ns#", 3),
        ("ns#@version:1", 3),
        ("ns#a#b", 4),
        ("ns#a@version:1@version:2", 14),
        ("ns#a@Version:1", 5),
        ("ns#a@1:1", 5),
        ("ns#a@version", 12),
        ("ns#a@version:", 12),
        ("ns#a b", 4),
        ("ns#a\n", 4),
        ("ns#caf\u00e9", 6),
        ("n\x00s#a", 1),
        ("ns#" + "a" * MAX_REF_CHARS, MAX_REF_CHARS),
    ],
)
def test_malformed_ref_is_refused_with_the_position(text: str, position: int) -> None:
    with pytest.raises(InvalidReference) as caught:
        parse_ref(text)
    assert caught.value.position == position
    assert caught.value.text == text


def test_ref_of_plain_text_escapes_only_what_it_must() -> None:
    assert str(make_ref("ns", "café @ 100% #1")) == "ns#caf%C3%A9%20%40%20100%25%20%231"
    assert str(Ref("abfss://a@b", "x", "version", "v@1")) == "abfss://a@b#x@version:v%401"


def test_service_is_named_by_namespace_and_name() -> None:
    assert str(service_ref("shop", "ranker")) == "otel://shop#ranker"
    assert str(service_ref("", "ranker")) == "otel://#ranker"
    assert service_ref("shop", "ranker").at("version", "v41") == parse_ref("otel://shop#ranker@version:v41")


def test_mutable_names_are_no_versions() -> None:
    assert all(is_mutable_version(name) for name in ("main", "HEAD", "Latest", " master ", ""))
    assert not is_mutable_version("v41")
    assert parse_ref("ns#a@alias:champion").is_alias
    assert not parse_ref("ns#a@version:1").is_alias


texts = st.text(max_size=40)
namespaces = st.one_of(
    texts,
    st.builds(
        "{}://{}{}".format,
        st.sampled_from(("otel", "s3", "S3A", "postgresql", "kafka", "https", "file", "abfss", "git+https")),
        st.text("aB9.:@?/,", max_size=12),
        texts,
    ),
)
versions = st.none() | st.tuples(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), st.text(min_size=1, max_size=40))


@given(namespaces, st.text(min_size=1, max_size=40), versions)
def test_ref_prints_as_ascii_and_parses_back_to_itself(
    namespace: str, name: str, version: tuple[str, str] | None
) -> None:
    ref = make_ref(namespace, name)
    if version is not None:
        ref = ref.at(*version)
    text = str(ref)
    assume(ref.namespace and len(text) <= MAX_REF_CHARS)
    assert parse_ref(text) == ref
    assert all("!" <= char <= "~" for char in text)
    assert text.count("#") == 1
    assert text.partition("#")[2].count("@") == (version is not None)


@given(namespaces)
def test_canonical_namespace_is_its_own_canonical_form(namespace: str) -> None:
    canonical = canonical_namespace(namespace)
    assert canonical_namespace(canonical) == canonical


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_parse_of_any_ascii_gives_a_stable_ref_or_says_where_it_broke(text: str) -> None:
    position = position_of_error(text)
    if position is None:
        assert parse_ref(str(parse_ref(text))) == parse_ref(text)
    else:
        assert 0 <= position <= len(text)


def position_of_error(text: str) -> int | None:
    try:
        parse_ref(text)
    except InvalidReference as error:
        return error.position
    return None
