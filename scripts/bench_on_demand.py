"""Times on-demand features beside Python Feast, which runs the same view; see scripts/bench.

ROWS: entity rows of the export; RUNS of each command, of which the median counts; FEAST (no: without Feast). The online
figures of feastr are of an evaluator that is held (`cargo bench --bench on_demand`), those of Feast of
`transform_arrow` of a view that is the same in pandas, as people have it today, and of whole calls of `get_online_features`
over SQLite, which run the view that feastr wrote.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import aside, measure, summary

FEASTR, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
ROWS, RUNS = int(os.environ.get("ROWS", "1000000")), int(os.environ.get("RUNS", "3"))
OUTPUTS = 10
NAMES = [f"f{index}" for index in range(OUTPUTS)]
# As many stored columns as there are computed ones: what they add is what any columns add.
OTHERS = [f"g{index}" for index in range(OUTPUTS)]


def data(folder):
    import numpy
    import pyarrow.parquet
    numbers = numpy.random.default_rng(7)
    keys = numpy.arange(ROWS)
    at = numpy.full(ROWS, numpy.datetime64("2026-01-01", "us"))
    columns = {"id": keys, "at": at} | {name: numbers.random(ROWS) for name in NAMES + OTHERS}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "data/stats.parquet")
    later = at + numpy.timedelta64(1, "h")
    entities = pyarrow.table({"id": numbers.permutation(keys), "event_timestamp": later, "tip": numbers.random(ROWS)})
    pyarrow.parquet.write_table(entities, folder / "entities.parquet")


def repo(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nregistry: {registry_type: sql, path: 'sqlite:///data/registry.db'}\n"
        "online_store: {type: sqlite, path: data/online.db}\noffline_store: {type: duckdb}\n"
        "entity_key_serialization_version: 3\n")
    schema = ", ".join(f"{{name: {name}, dtype: Float64}}" for name in NAMES + OTHERS)
    outputs = ", ".join(f"{{name: o{index}, dtype: Float64, sql: {name} * 2 + tip}}" for index, name in enumerate(NAMES))
    (folder / "definitions.yaml").write_text(
        "entities: [{name: thing, join_keys: [id], value_type: INT64}]\n"
        "data_sources: [{name: request, type: request, schema: [{name: tip, dtype: Float64}]}]\nfeature_views:\n"
        f"  - {{name: stats, entities: [thing], ttl: 0, schema: [{schema}], source: {{type: file, path: "
        "data/stats.parquet, timestamp_field: at}}\non_demand_feature_views:\n"
        f"  - {{name: computed, sources: [stats, request], schema: [{outputs}]}}\n"
        f"feature_services:\n  - {{name: plain, features: [stats: [{', '.join(NAMES)}]]}}\n  - {{name: wide, features: [stats]}}\n"
        f"  - {{name: all, features: [stats: [{', '.join(NAMES)}], computed]}}\n")


FEAST_EXPORT = """
import pyarrow.parquet
from feast import FeatureStore
store = FeatureStore(".")
entities = pyarrow.parquet.read_table("entities.parquet").to_pandas()
job = store.get_historical_features(entities, store.get_feature_service("all"))
pyarrow.parquet.write_table(job.to_arrow(), "feast.parquet")
"""

# A file, because Feast reads the text of the function.
FEAST_ONLINE = """
import statistics
import time

import pandas
import pyarrow
from feast import FeatureStore, Field, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64

OUTPUTS = 10
store = FeatureStore(".")
service = store.get_feature_service("all")
request = RequestSource(name="request", schema=[Field(name="tip", dtype=Float64)])
outputs = [Field(name=f"o{index}", dtype=Float64) for index in range(OUTPUTS)]


@on_demand_feature_view(sources=[store.get_feature_view("stats"), request], schema=outputs, mode="pandas")
def in_pandas(inputs: pandas.DataFrame) -> pandas.DataFrame:
    computed = pandas.DataFrame()
    for index in range(10):
        computed[f"o{index}"] = inputs[f"f{index}"] * 2 + inputs["tip"]
    return computed


def median(what):
    took = []
    for _ in range(100):
        began = time.perf_counter()
        what()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


for rows in (1, 100):
    columns = {"tip": [0.5] * rows} | {f"f{index}": [float(row) for row in range(rows)] for index in range(OUTPUTS)}
    table = pyarrow.table(columns)
    entities = [{"id": row, "tip": 0.5} for row in range(rows)]
    print(f"{rows} rows: transform_arrow {median(lambda: in_pandas.transform_arrow(table)):.2f} ms, get_online_features "
          f"{median(lambda: store.get_online_features(service, entities)):.2f} ms", flush=True)
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        repo(folder)
        aside(data, folder)
        subprocess.run([FEASTR, "apply", "-q"], cwd=folder, check=True)
        export = lambda service: [FEASTR, "get-historical", "--entities", "entities.parquet", "--feature-service", service,
                                  "-o", "out.parquet", "-q"]
        # In turn, so that neither has the better moment.
        results = {"plain": [], "wide": [], "all": []}
        for _ in range(RUNS + 1):
            for service, found in results.items():
                found.append(measure(export(service), folder))
        plain, wide, computed = (summary(found[1:]) for found in results.values())
        print(f"export of {ROWS} rows without computed features: {plain[0]:.2f} s, {plain[1]:.0f} MiB")
        print(f"with {OUTPUTS} more stored ones: {wide[0]:.2f} s, {wide[1]:.0f} MiB, {wide[0] / plain[0]:.2f} of it")
        print(f"with {OUTPUTS} computed ones: {computed[0]:.2f} s, {computed[1]:.0f} MiB, {computed[0] / plain[0]:.2f} of it", flush=True)
        if os.environ.get("FEAST") != "no":
            feast = measure([sys.executable, "-c", FEAST_EXPORT], folder)
            print(f"Feast: {feast[0]:.2f} s, {feast[1]:.0f} MiB, {feast[0] / computed[0]:.1f} times feastr", flush=True)
        subprocess.run([FEASTR, "materialize", "2025-12-01", "2026-02-01", "-q"], cwd=folder, check=True)
        began = []
        for _ in range(RUNS):
            start = time.perf_counter()
            subprocess.run([FEASTR, "get-online", "--feature-service", "all", "--entity", "id=1", "--request", "tip=1", "-q"],
                           cwd=folder, check=True, stdout=subprocess.DEVNULL)
            began.append(time.perf_counter() - start)
        print(f"get-online, whole command: {statistics.median(began) * 1000:.0f} ms", flush=True)
        if os.environ.get("FEAST") != "no":
            print("Feast:", flush=True)
            (folder / "feast_online.py").write_text(FEAST_ONLINE)
            subprocess.run([sys.executable, "-W", "ignore", "feast_online.py"], cwd=folder, check=True,
                           stderr=subprocess.DEVNULL)


main()
