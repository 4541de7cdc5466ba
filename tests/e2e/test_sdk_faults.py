"""The SDK as a guest: faults in every instrumentor at once change nothing."""

from pathlib import Path

import pytest

from tests.e2e.bad_servers import CLOSED, outcome_with

LIBRARIES = """
import joblib, pickle, sqlite3
import deltalake, duckdb, pandas, polars, pyarrow, pyarrow.parquet, safetensors.numpy, sqlalchemy
import gcsfs, huggingface_hub, lakefs, onnxruntime, psycopg, pyiceberg.table, s3fs
frame = pandas.DataFrame({"a": [1, 2]})
frame.to_csv("a.csv"), frame.to_parquet("a.parquet")
print(pandas.read_csv("a.csv").a.sum(), polars.read_csv("a.csv")["a"].sum())
print(pyarrow.parquet.read_table("a.parquet").num_rows)
print(duckdb.read_csv("a.csv").fetchall(), duckdb.sql("select 1").fetchall())
deltalake.write_deltalake("table", pyarrow.table({"a": [1]}))
print(deltalake.DeltaTable("table").version())
joblib.dump({"a": 1}, "a.joblib"), safetensors.numpy.save_file({}, "a.safetensors")
with open("a.pickle", "wb") as file:
    pickle.dump({"a": 1}, file)
with open("a.pickle", "rb") as file:
    print(joblib.load("a.joblib"), pickle.load(file), safetensors.numpy.load_file("a.safetensors"))
with sqlalchemy.create_engine("sqlite:///a.db").begin() as database:
    database.execute(sqlalchemy.text("create table a (b int)"))
    print(database.execute(sqlalchemy.text("select count(*) from a")).scalar())
"""
BROKEN = {
    "as it begins": "instrument.import_module = broken",
    "at every call": "patches.guarded = lambda _look: guarded(broken)",
}
BEGIN = """
import atexit, logging, sys
logging.basicConfig(stream=sys.stderr)
import whence
from whence.sdk import instrument
from whence.sdk.guard import guarded, losses
from whence.sdk.instrument import patches
def broken(*_args, **_kwargs):
    raise RuntimeError("ours")
whence.configure()
atexit.register(lambda: print("lost", sum(losses().values()), file=sys.stderr))
"""


@pytest.mark.slow
def test_faults_in_every_instrumentor_change_nothing_and_each_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    expected = outcome_with(tmp_path / "plain", CLOSED, LIBRARIES)
    assert expected[1] == 0, expected[2]
    for when, breaking in BROKEN.items():
        (tmp_path / when).mkdir()
        code = BEGIN.replace("whence.configure()", f"{breaking}\nwhence.configure()") + LIBRARIES
        printed, exit_code, logged = outcome_with(tmp_path / when, CLOSED, code)
        assert (printed, exit_code) == expected[:2], when
        assert int(logged.rpartition("lost ")[2]) >= 10, logged
        assert logged.count(": ours\n") == 1, logged
