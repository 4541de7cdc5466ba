"""Snippets name the tool that an address belongs to, and are Python whatever the names are."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.api.snippets import snippet
from whence.model.kinds import EntityKind
from whence.model.refs import Ref, make_ref

MODEL, DATASET = EntityKind.MODEL, EntityKind.DATASET


@pytest.mark.parametrize(
    ("key", "kind", "step"),
    [
        ("mlflow+https://m#ranker@version:7", MODEL, 'model = mlflow.pyfunc.load_model("models:/ranker/7")'),
        ("https://huggingface.co#a/b@git:9f8e", MODEL, 'model = AutoModel.from_pretrained("a/b", revision="9f8e")'),
        ("genai://openai#gpt-4o", MODEL, 'reply = client.responses.create(model="gpt-4o", input=...)'),
        ("file#/models/fraud.onnx@sha256:1", MODEL, 'session = onnxruntime.InferenceSession("/models/fraud.onnx")'),
        ("file#shop/ranker@version:v1", MODEL, "..."),
        ("postgres://db:5432#shop.public.clicks", DATASET, 'rows = connection.execute("SELECT * FROM public.clicks")'),
        ("kafka://broker:9092#payments", DATASET, 'consumer.subscribe(["payments"])'),
        ("s3://lake#delta/features@delta:12", DATASET, 'table = DeltaTable("s3://lake/delta/features", version=12)'),
        ("s3://lake#a/b.parquet", DATASET, 'frame = pandas.read_parquet("s3://lake/a/b.parquet")'),
        ("jobs#x", DATASET, "..."),
    ],
)
def test_address_tells_the_tool(key: str, kind: EntityKind, step: str) -> None:
    verb = "uses_model" if kind is MODEL else "reads"
    assert snippet(key, kind) == f'with whence.{verb}("{key}"):\n    {step}'


def test_columns_that_consumers_use_are_the_ones_to_read() -> None:
    assert "SELECT item_id, user_id FROM public.clicks" in snippet(
        "postgres://db:5432#shop.public.clicks", DATASET, ("item_id", "user_id")
    )
    assert snippet("s3://lake#a.parquet", DATASET, ("x",)).endswith("(\"s3://lake/a.parquet\", columns=['x'])")


NAMES = st.text(st.characters(min_codepoint=33, codec="utf-8"), min_size=1, max_size=20)


@given(
    st.sampled_from(["postgres://db", "s3://lake", "mlflow+https://m", "kafka://b", "https://huggingface.co", "file"]),
    NAMES,
    st.sampled_from(["", ".csv", ".joblib"]),
    st.sampled_from([MODEL, DATASET]),
)
def test_snippet_is_python_whatever_the_name_is(namespace: str, name: str, ending: str, kind: EntityKind) -> None:
    ref: Ref = make_ref(namespace, name + ending)
    ast.parse(snippet(str(ref.at("version", "1")), kind))
