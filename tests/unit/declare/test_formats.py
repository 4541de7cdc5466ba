"""Files of each format, as people write them, to statements with file and line."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from whence.declare.formats import may_state, read_files
from whence.declare.statements import ColumnOrigin, Edge, ProductKpi, Statements, Thing
from whence.model.kinds import EntityKind, Layer, RelationType


def read(path: str, text: str, **others: str) -> Statements:
    texts = {path: dedent(text), **others}
    return next(one for one in read_files(texts) if one.path == path).statements


def arrows(statements: Statements) -> set[tuple[str, str, str, int]]:
    return {(one.dependent, one.type.value, one.dependency, one.line) for one in statements.edges}


def test_own_format_states_everything_with_its_line() -> None:
    found = read(
        "whence.yaml",
        """\
        whence: 1
        things:
          - name: storefront
            owner: team-shop
            purposes: [recommendation]
            calls: [ranking, otel://pay#payment]
            reads:
              - {name: clicks, versions: [1.10], environment: production}
            may_call: [api.stripe.com]
          - {name: ranker, kind: model, trained_on: [clicks], labels: [tier1]}
        declassify:
          - {subject: ranker, label: behaviour, by: dpo, reason: sums only}
        suppress:
          - {dependent: storefront, dependency: legacy, owner: team-shop, reason: goes, expires: 2026-12-31}
        """,
    )
    assert arrows(found) == {
        ("storefront", "CALLS", "ranking", 6),
        ("storefront", "CALLS", "otel://pay#payment", 6),
        ("storefront", "READS", "clicks", 8),
        ("storefront", "CALLS", "api.stripe.com", 9),
        ("ranker", "TRAINED_ON", "clicks", 10),
    }
    reads = next(one for one in found.edges if one.type is RelationType.READS)
    assert (reads.versions, reads.environment) == (("1.10",), "production")
    assert [one.dependency for one in found.edges if one.layer is Layer.ALLOWED] == ["api.stripe.com"]
    storefront, ranker = found.things
    assert (storefront.owner, storefront.purposes, storefront.line) == ("team-shop", ("recommendation",), 3)
    assert (ranker.kind, ranker.labels) == (EntityKind.MODEL, ("tier1",))
    assert (found.declassifications[0].by, found.suppressions[0].expires) == ("dpo", "2026-12-31")


def test_own_format_registers_products_and_says_which_columns_are_used_and_made() -> None:
    found = read(
        "whence.yaml",
        """\
        whence: 1
        things:
          - {name: ranking, reads: [{name: clicks, columns: [user_id]}]}
          - {name: features, kind: dataset, columns: {rate: [clicks.item_id, "s3://lake#a/b.total"]}}
        products:
          - name: recommendations
            things: [storefront]
            kpis: [{name: conversion, unit: share, target: 0.04, driven_by: [latency]}]
        """,
    )
    (product,) = found.products
    assert (product.name, product.things, product.line) == ("recommendations", ("storefront",), 6)
    assert product.kpis == (ProductKpi("conversion", ("latency",), "share", "0.04"),)
    assert found.edges[0].columns == ("user_id",)
    assert found.things[1].columns == (
        ColumnOrigin("rate", "clicks", "item_id"),
        ColumnOrigin("rate", "s3://lake#a/b", "total"),
    )


def test_column_that_names_no_dataset_is_a_mistake() -> None:
    readings = read_files({"whence.yaml": "whence: 1\nthings: [{name: f, kind: dataset, columns: {rate: [x]}}]"})
    assert "dataset.column" in readings[0].problem


def test_backstage_joins_by_annotation_and_apis_by_who_provides_them() -> None:
    found = read(
        "catalog-info.yaml",
        """\
        apiVersion: backstage.io/v1alpha1
        kind: Component
        metadata:
          name: Storefront
          annotations: {whence/ref: "otel://shop#storefront"}
          tags: [web]
        spec:
          type: service
          lifecycle: production
          owner: group:default/team-shop
          dependsOn:
            - component:default/ranking
            - resource:clicks
          consumesApis: [payments]
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Component
        metadata: {name: payment}
        spec: {type: service, owner: team-pay, providesApis: [payments]}
        ---
        apiVersion: backstage.io/v1alpha1
        kind: Group
        metadata: {name: team-shop}
        spec: {type: team}
        """,
    )
    assert arrows(found) == {
        ("otel://shop#storefront", "CALLS", "component:ranking", 12),
        ("otel://shop#storefront", "READS", "resource:clicks", 13),
        ("otel://shop#storefront", "CALLS", "api:payments", 14),
    }
    assert [(one.name, one.owner, one.lifecycle) for one in found.things] == [
        ("otel://shop#storefront", "team-shop", "production"),
        ("payment", "team-pay", ""),
    ]
    assert ("api:payments", "payment") in found.aliases


def test_compose_takes_depends_on_links_and_hosts_in_the_environment() -> None:
    found = read(
        "docker-compose.prod.yml",
        """\
        services:
          web:
            depends_on:
              cache: {condition: service_started}
            links: ["mail:smtp"]
            environment:
              DATABASE_URL: postgres://user:pass@db:5432/shop
              BROKERS: kafka:9092,zoo:9092
              UNRELATED: https://example.com/db
          worker:
            depends_on: [db]
            environment: ["WEB=http://web/"]
          db: {image: postgres}
          postgres: {image: postgres}
          cache: {image: redis}
          kafka: {image: kafka}
          mail: {image: mail}
        """,
    )
    assert arrows(found) == {
        ("web", "CALLS", "cache", 4),
        ("web", "CALLS", "mail", 5),
        ("web", "CALLS", "db", 7),
        ("web", "CALLS", "kafka", 8),
        ("worker", "CALLS", "db", 11),
        ("worker", "CALLS", "web", 12),
    }


MANIFEST = {
    "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "adapter_type": "postgres"},
    "nodes": {
        "model.shop.orders": {
            "resource_type": "model",
            "database": "shop",
            "schema": "public",
            "name": "orders",
            "alias": "orders",
            "tags": ["pii"],
            "meta": {"owner": "team-data"},
        },
        "test.shop.unique": {"resource_type": "test", "database": "shop", "schema": "t", "name": "unique"},
    },
    "sources": {
        "source.shop.raw.orders": {
            "resource_type": "source",
            "database": "shop",
            "schema": "raw",
            "name": "orders",
            "identifier": "orders_v2",
        }
    },
    "parent_map": {"model.shop.orders": ["source.shop.raw.orders"], "test.shop.unique": ["model.shop.orders"]},
    "exposures": {
        "exposure.shop.board": {
            "name": "board",
            "type": "dashboard",
            "owner": {"name": "Ann", "email": "ann@acme.dev"},
            "depends_on": {"nodes": ["model.shop.orders"]},
        }
    },
}


def test_dbt_manifest_states_derivations_and_exposures() -> None:
    text = json.dumps(MANIFEST, indent=1)
    found = read("target/manifest.json", text)
    assert {(one.dependent, one.type.value, one.dependency) for one in found.edges} == {
        ("shop.public.orders", "DERIVED_FROM", "shop.raw.orders_v2"),
        ("board", "READS", "shop.public.orders"),
    }
    reads = next(one for one in found.edges if one.type is RelationType.READS)
    assert '"exposure.shop.board"' in text.splitlines()[reads.line - 1]
    orders = next(one for one in found.things if one.name == "shop.public.orders")
    assert (orders.owner, orders.labels) == ("team-data", ("pii",))


def test_odcs_names_the_table_on_its_server_with_owner_and_labels() -> None:
    found = read(
        "orders.odcs.yaml",
        """\
        apiVersion: v3.1.0
        kind: DataContract
        id: 53581432
        status: active
        tags: [finance]
        servers:
          - {server: prod, type: postgresql, host: DB.acme.dev, port: 5432, database: shop, schema: public}
        schema:
          - name: orders
            physicalName: orders_v2
            properties:
              - {name: birthday, classification: restricted, tags: [demographics]}
              - {name: total, classification: public}
        team:
          - {username: bob, role: Data Engineer}
          - {username: ann, role: Owner}
        """,
    )
    (table,) = found.things
    assert table == Thing(
        "postgres://db.acme.dev:5432#shop.public.orders_v2",
        EntityKind.DATASET,
        "orders.odcs.yaml",
        9,
        owner="ann",
        labels=("demographics", "finance", "restricted"),
        lifecycle="active",
    )


def test_openlineage_job_event_declares_its_explicit_lineage_alone() -> None:
    event = {
        "eventTime": "2026-11-23T12:00:00Z",
        "producer": "p",
        "schemaURL": "s",
        "job": {
            "namespace": "airflow",
            "name": "daily",
            "facets": {
                "lineage": {
                    "entries": [
                        {
                            "type": "DATASET",
                            "namespace": "s3://lake",
                            "name": "out",
                            "inputs": [{"type": "DATASET", "namespace": "s3://lake", "name": "in"}],
                        },
                        {"type": "JOB", "inputs": [{"type": "DATASET", "namespace": "s3://lake", "name": "in"}]},
                    ]
                }
            },
        },
        "inputs": [{"namespace": "s3://lake", "name": "other"}],
    }
    found = read("daily.openlineage.json", json.dumps(event))
    assert {(one.dependent, one.type.value, one.dependency) for one in found.edges} == {
        ("s3://lake#out", "DERIVED_FROM", "s3://lake#in"),
        ("airflow#daily", "READS", "s3://lake#in"),
    }


def test_ml_bom_states_training_use_and_how_sensitive_data_is() -> None:
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": {"type": "application", "bom-ref": "app", "name": "credit"}},
        "components": [
            {
                "type": "machine-learning-model",
                "bom-ref": "model",
                "name": "scorer",
                "modelCard": {
                    "modelParameters": {"datasets": [{"ref": "people"}, {"type": "dataset", "name": "rates"}]}
                },
            },
            {
                "type": "data",
                "bom-ref": "people",
                "name": "demographics",
                "data": [
                    {
                        "type": "dataset",
                        "classification": "restricted",
                        "sensitiveData": ["birthday"],
                        "governance": {"owners": [{"organization": {"name": "team-data"}}]},
                    }
                ],
            },
            {"type": "library", "bom-ref": "numpy", "name": "numpy"},
        ],
        "dependencies": [{"ref": "app", "dependsOn": ["model", "numpy"]}],
    }
    text = json.dumps(bom, indent=1)
    found = read("bom.json", text)
    assert {(one.dependent, one.type.value, one.dependency) for one in found.edges} == {
        ("credit", "USES_MODEL", "scorer"),
        ("scorer", "TRAINED_ON", "demographics"),
        ("scorer", "TRAINED_ON", "rates"),
    }
    assert '"bom-ref": "app"' in text.splitlines()[found.edges[0].line - 1]
    people = next(one for one in found.things if one.name == "demographics")
    assert (people.owner, people.labels, people.kind) == ("team-data", ("birthday", "restricted"), EntityKind.DATASET)


def test_croissant_states_origin_and_permitted_use() -> None:
    description = {
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": "reviews",
        "creator": {"@type": "Organization", "name": "acme"},
        "usageInfo": "http://purl.obolibrary.org/obo/DUO_0000042",
        "prov:wasDerivedFrom": [{"@id": "https://acme.dev/data/raw-reviews"}],
    }
    found = read("croissant.json", json.dumps(description))
    assert [(one.dependent, one.type.value, one.dependency) for one in found.edges] == [
        ("reviews", "DERIVED_FROM", "raw-reviews")
    ]
    assert (found.things[0].owner, found.things[0].labels) == ("acme", ("usage:DUO_0000042",))


def test_network_rules_allow_and_do_not_declare() -> None:
    found = read(
        "policies.yaml",
        """\
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: web}
        spec:
          podSelector: {matchLabels: {app: web}}
          egress:
            - to:
                - podSelector: {matchLabels: {app: db}}
                - namespaceSelector: {}
        ---
        apiVersion: networking.istio.io/v1
        kind: Sidecar
        metadata: {name: web}
        spec:
          workloadSelector: {labels: {app: web}}
          egress:
            - hosts: ["./*", "pay/payment.pay.svc.cluster.local", "*/api.stripe.com"]
        """,
    )
    assert {(one.dependent, one.dependency, one.layer) for one in found.edges} == {
        ("web", "db", Layer.ALLOWED),
        ("web", "payment", Layer.ALLOWED),
        ("web", "api.stripe.com", Layer.ALLOWED),
    }


def test_codeowners_fills_in_the_owner_that_a_file_does_not_name() -> None:
    owned = "whence: 1\nthings: [{name: a}, {name: b, owner: team-b}]\n"
    rules = "* @acme/everyone\n/services/ @acme/team-a @someone\n*.md\n"
    found = read("services/a/whence.yaml", owned, CODEOWNERS=rules)
    assert {one.name: one.owner for one in found.things} == {"a": "team-a", "b": "team-b"}
    assert read("whence.yaml", owned, CODEOWNERS=rules).things[0].owner == "everyone"


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("a.yaml", "a: [", "not YAML"),
        ("manifest.json", "{", "not JSON"),
        ("whence.yaml", "whence: 1\nthings: [{kind: service}]", "'name' is required"),
        ("whence.yaml", "whence: 1\nthings:\n - {name: a, calls: [{environment: x}]}", "line 3"),
        ("whence.yaml", "whence: 1\nthings: [{name: 'a#'}]", "empty name"),
    ],
)
def test_file_that_can_not_be_read_says_why_and_spoils_no_other(path: str, text: str, problem: str) -> None:
    good = "whence: 1\nthings: [{name: a, calls: [b]}]\n"
    readings = {one.path: one for one in read_files({path: text, "good.yaml": good})}
    assert problem in readings[path].problem
    assert readings["good.yaml"].statements.edges == (Edge("a", RelationType.CALLS, "b", "good.yaml", 2),)


def test_yaml_of_something_else_states_nothing() -> None:
    (found,) = read_files({"values.yaml": "replicas: 3\nimage: {tag: !Ref x}\n"})
    assert (found.format, found.statements, found.problem) == ("", Statements(), "")


def test_merge_keys_that_multiply_do_no_harm() -> None:
    lines = ["a0: &a0 {" + ", ".join(f"k{i}: 1" for i in range(10)) + "}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}" for i in range(1, 9)]
    (found,) = read_files({"bomb.yaml": "\n".join(lines)})
    assert (found.statements, found.problem) == (Statements(), "")


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("whence.yaml", True),
        ("a/b/catalog-info.yml", True),
        ("target/manifest.json", True),
        ("node_modules/x/whence.yaml", False),
        (".venv/x.yaml", False),
        (".github/CODEOWNERS", True),
        ("package.json", False),
        ("jobs/daily.openlineage.json", True),
    ],
)
def test_paths_worth_reading(path: str, wanted: bool) -> None:
    assert may_state(path) is wanted


def test_card_says_what_a_model_was_made_from_and_its_lines_are_the_file_s() -> None:
    text = """\
        ---
        license: apache-2.0
        library_name: sklearn
        datasets:
          - shop/clicks
          - s3://lake#orders
        base_model: shop/base-ranker
        tags: [ranking]
        ---
        # Ranker
        """
    found = read("models/ranker/README.md", text)
    assert arrows(found) == {
        ("ranker", "TRAINED_ON", "shop/clicks", 5),
        ("ranker", "TRAINED_ON", "s3://lake#orders", 6),
        ("ranker", "DERIVED_FROM", "shop/base-ranker", 7),
    }
    (ranker,) = found.things
    assert (ranker.kind, ranker.labels) == (EntityKind.MODEL, ("license:apache-2.0", "ranking"))


def test_dataset_card_names_itself_and_what_it_extends() -> None:
    text = """\
        ---
        pretty_name: Clicks
        size_categories: [1M<n<10M]
        source_datasets: [original, shop/events]
        ---
        """
    found = read("README.md", text)
    assert arrows(found) == {("Clicks", "DERIVED_FROM", "shop/events", 4)}
    assert found.things[0].kind is EntityKind.DATASET


@pytest.mark.parametrize("text", ["# Shop\n", "---\ntitle: Docs\n---\n# Shop\n", "---\nnever: closed\n", ""])
def test_readme_that_is_no_card_states_nothing(text: str) -> None:
    (reading,) = read_files({"README.md": text})
    assert (reading.format, reading.problem, reading.statements) == ("", "", Statements())


@pytest.mark.parametrize("path", ["shop.mlflow.json", "search"])
def test_registry_of_mlflow_tells_models_with_owner_and_tags(path: str) -> None:
    tags = [{"key": "owner", "value": "team-ranking"}, {"key": "pii", "value": "none"}]
    models = [{"name": "ranker", "description": "Ranks.", "tags": tags}, {"name": "scorer", "user_id": "ada"}, {}]
    ranker, scorer = read(path, json.dumps({"registered_models": models})).things
    assert (ranker.owner, ranker.labels, ranker.description) == ("team-ranking", ("pii=none",), "Ranks.")
    assert (scorer.name, scorer.kind, scorer.owner) == ("scorer", EntityKind.MODEL, "ada")


MLMODEL = """\
flavors:
  sklearn: {pickled_model: model.pkl}
model_uuid: 0f1e
signature:
  inputs: '[{"type": "double", "name": "spend", "required": true}, {"type": "long", "name": "visits"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""


def test_mlmodel_tells_the_signature_of_the_model_in_its_folder() -> None:
    (model,) = read("models/ranker/artifacts/model/MLmodel", MLMODEL).things
    assert (model.name, model.kind, model.line) == ("ranker", EntityKind.MODEL, 4)
    assert model.signature == "spend: double, visits: long -> int64"
    assert may_state("models/ranker/MLmodel")


def test_mlmodel_without_signature_or_folder_says_less() -> None:
    assert read("ranker/MLmodel", "flavors: {}").things[0].signature == ""
    assert read("MLmodel", MLMODEL) == Statements()
    broken = "flavors: {}\nsignature: {inputs: '[', outputs: null}"
    assert read("ranker/MLmodel", broken).things[0].signature == ""
