"""Times get-historical beside a plain ASOF query of DuckDB over the same files and Feast's DuckDB store; see scripts/bench.

ENTITIES, ROWS: size of the join; FEATURES of a row; RUNS of each command, of which the median counts; FEAST (no: without
Feast); BEFORE: another feastr to compare with; LIMIT: --memory-limit. The plain query looks at event times only: creation
times, the ttl and the order of the entity rows are what feastr does besides.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from measuring import aside, measure, summary

FEASTR, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
ENTITIES, ROWS = int(os.environ.get("ENTITIES", "1000000")), int(os.environ.get("ROWS", "10000000"))
FEATURES, RUNS = int(os.environ.get("FEATURES", "10")), int(os.environ.get("RUNS", "3"))
NAMES = [f"f{index}" for index in range(FEATURES)]
VIEWS = ["one", "two", "three"]
DAY = 86_400

# A plain query in the DuckDB of this Python, as a person would write it.
PLAIN = """
import duckdb, sys
views, names = sys.argv[1].split(","), sys.argv[2].split(",")
columns = ", ".join(f"{view}.{name} AS {view}__{name}" for view in views for name in names)
joins = " ".join(f"ASOF LEFT JOIN 'data/{view}.parquet' {view} ON e.id = {view}.id AND e.event_timestamp >= {view}.at"
                 for view in views)
duckdb.execute(f"COPY (SELECT e.*, {columns} FROM 'entities.parquet' e {joins}) TO 'plain.parquet' (FORMAT parquet)")
"""

FEAST = """
import sys
import pyarrow.parquet
from feast import FeatureStore
views, names = sys.argv[1].split(","), sys.argv[2].split(",")
entities = pyarrow.parquet.read_table("entities.parquet").to_pandas()
job = FeatureStore(".").get_historical_features(
    entities, [f"{view}:{name}" for view in views for name in names], full_feature_names=True)
pyarrow.parquet.write_table(job.to_arrow(), "feast.parquet")
"""


def rows(count, keys, seed, features):
    """Rows of so many entities over thirty days, many of them at the same second; some were written a day later."""
    import numpy
    import pyarrow
    numbers = numpy.random.default_rng(seed)
    at = numpy.datetime64("2026-01-01", "s").astype("int64") + numbers.integers(0, 30 * DAY, count)
    columns = {"id": numbers.integers(0, keys, count), "at": at.astype("datetime64[s]").astype("datetime64[us]")}
    if features:
        written = at + numbers.integers(0, DAY, count)
        columns["created"] = written.astype("datetime64[s]").astype("datetime64[us]")
        columns |= {name: numbers.random(count) for name in NAMES}
    return pyarrow.table(columns)


def data(folder):
    import pyarrow.parquet
    for seed, view in enumerate(VIEWS):
        table = rows(ROWS, ENTITIES, seed, features=True)
        pyarrow.parquet.write_table(table, folder / f"data/{view}.parquet", row_group_size=500_000)
    entities = rows(ENTITIES, ENTITIES, 99, features=False).rename_columns(["id", "event_timestamp"])
    pyarrow.parquet.write_table(entities, folder / "entities.parquet")
    pyarrow.parquet.write_table(entities.slice(0, 10), folder / "ten.parquet")


def repo(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nregistry: {registry_type: sql, path: 'sqlite:///data/registry.db'}\n"
        "online_store: null\noffline_store: {type: duckdb}\nentity_key_serialization_version: 3\n")
    schema = ", ".join(f"{{name: {name}, dtype: Float64}}" for name in NAMES)
    views = "".join(
        f"  - name: {view}\n    entities: [thing]\n    ttl: 7d\n    schema: [{schema}]\n    source: {{type: file, path: "
        f"data/{view}.parquet, timestamp_field: at, created_timestamp_column: created}}\n" for view in VIEWS)
    (folder / "definitions.yaml").write_text(
        f"entities: [{{name: thing, join_keys: [id], value_type: INT64}}]\nfeature_views:\n{views}")


def retrieval(program, views, entities="entities.parquet", *more):
    features = [f"{view}:{name}" for view in views for name in NAMES]
    return [program, "get-historical", "--entities", entities, "--features", *features, "--full-feature-names",
            "-o", "ours.parquet", "--memory-limit", os.environ.get("LIMIT", "50%"), "-q", *more]


def compare(what, programs, folder):
    """One run of each after the other, so that all of them meet the same machine."""
    results = {name: [] for name in programs}
    for _ in range(RUNS):
        for name, command in programs.items():
            results[name].append(measure(command, folder))
    ours = summary(results["feastr"])
    print(f"| {what} | {ours[0]:.2f} s, {ours[1]:.0f} MiB |", end="")
    for name in ("plain", "feast", "before"):
        if name in results:
            theirs = summary(results[name])
            print(f" {theirs[0]:.2f} s, {theirs[1]:.0f} MiB: {theirs[0] / ours[0]:.2f}× |", end="")
        else:
            print(" |", end="")
    print(flush=True)


def main():
    before = os.environ.get("BEFORE")
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "join"
        repo(folder)
        aside(data, folder)
        subprocess.run([FEASTR, "apply", "-q"], cwd=folder, check=True)
        print("| | feastr | plain ASOF query of DuckDB | Feast's DuckDB store | before |\n|---|---|---|---|---|", flush=True)
        for views in (VIEWS[:1], VIEWS):
            programs = {"feastr": retrieval(FEASTR, views)}
            names = [",".join(views), ",".join(NAMES)]
            programs["plain"] = [sys.executable, "-c", PLAIN, *names]
            if os.environ.get("FEAST") != "no":
                programs["feast"] = [sys.executable, "-c", FEAST, *names]
            if before:
                programs["before"] = retrieval(before, views)
            many = "a view" if len(views) == 1 else f"{len(views)} views"
            compare(f"{ENTITIES:,} rows × {ROWS:,} rows of {many} with {FEATURES} features", programs, folder)
        one = VIEWS[:1]
        created = "--filter-by-created-timestamp"
        compare("the same of a view, as it had been written by then",
                {"feastr": retrieval(FEASTR, one, "entities.parquet", created)}, folder)
        compare("10 rows over them", {"feastr": retrieval(FEASTR, one, "ten.parquet")}, folder)


main()
