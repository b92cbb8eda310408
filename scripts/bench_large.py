"""Joins at the ends of what they are for: large ones under a limit of memory, small ones over large files, one entity
with most of the rows; see scripts/bench.

ROWS, ENTITIES: size of the largest join; LIMIT: its --memory-limit; RUNS of the small ones, of which the median counts.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from measuring import aside, measure, summary

FEASTR = sys.argv[1]
ROWS, ENTITIES = int(os.environ.get("ROWS", "100000000")), int(os.environ.get("ENTITIES", "10000000"))
LIMIT, RUNS = os.environ.get("LIMIT", "4GiB"), int(os.environ.get("RUNS", "5"))
FEATURES = ["f0", "f1", "f2"]
DAY = 86_400
PART = 5_000_000

PLAIN = """
import duckdb
duckdb.execute("COPY (SELECT e.*, s.f0, s.f1, s.f2 FROM 'hot_rows.parquet' e ASOF LEFT JOIN 'data/hot.parquet' s "
               "ON e.id = s.id AND e.event_timestamp >= s.at) TO 'plain.parquet' (FORMAT parquet)")
"""


def write(path, rows, keys, seed, features=FEATURES):
    """A file of so many rows of random entities over thirty days, each known a day later at most."""
    import numpy
    import pyarrow
    import pyarrow.parquet
    numbers = numpy.random.default_rng(seed)
    writer = None
    for first in range(0, rows, PART):
        count = min(PART, rows - first)
        at = numpy.datetime64("2026-01-01", "s").astype("int64") + numbers.integers(0, 30 * DAY, count)
        moments = at.astype("datetime64[s]").astype("datetime64[us]")
        columns = {"id": numbers.integers(0, keys, count)}
        if features:
            written = (at + numbers.integers(0, DAY, count)).astype("datetime64[s]").astype("datetime64[us]")
            columns |= {"at": moments, "created": written} | {name: numbers.random(count) for name in features}
        else:
            columns["event_timestamp"] = moments
        table = pyarrow.table(columns)
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=1_000_000)
    writer.close()


def data(folder):
    write(folder / "data/large.parquet", ROWS, ENTITIES, 1)
    write(folder / "large_rows.parquet", ENTITIES, ENTITIES, 2, [])
    write(folder / "tenth_rows.parquet", ENTITIES // 10, ENTITIES, 3, [])
    # A million rows of one entity, and as many questions about it.
    write(folder / "data/hot.parquet", 1_000_000, 1, 4)
    write(folder / "hot_rows.parquet", 1_000_000, 1, 5, [])
    # About 100 MB.
    write(folder / "data/small.parquet", 2_500_000, 100_000, 6)
    write(folder / "ten_rows.parquet", 10, 100_000, 7, [])


def repo(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nregistry: {registry_type: sql, path: 'sqlite:///data/registry.db'}\n"
        "online_store: null\noffline_store: {type: duckdb}\nentity_key_serialization_version: 3\n")
    schema = ", ".join(f"{{name: {name}, dtype: Float64}}" for name in FEATURES)
    views = "".join(
        f"  - {{name: {view}, entities: [thing], ttl: 7d, schema: [{schema}], source: {{type: file, path: "
        f"data/{view}.parquet, timestamp_field: at, created_timestamp_column: created}}}}\n"
        for view in ("large", "hot", "small"))
    (folder / "definitions.yaml").write_text(
        f"entities: [{{name: thing, join_keys: [id], value_type: INT64}}]\nfeature_views:\n{views}")


def retrieval(view, entities, *more):
    features = [f"{view}:{name}" for name in FEATURES]
    return [FEASTR, "get-historical", "--entities", f"{entities}.parquet", "--features", *features, "-o", "ours.parquet",
            "-q", *more]


def main():
    with tempfile.TemporaryDirectory(dir=os.environ.get("PLACE")) as place:
        folder = pathlib.Path(place) / "join"
        repo(folder)
        aside(data, folder)
        subprocess.run([FEASTR, "apply", "-q"], cwd=folder, check=True)
        for name in ("small", "large"):
            size = (folder / f"data/{name}.parquet").stat().st_size / 1e6
            print(f"data/{name}.parquet: {size:.0f} MB")
        say = lambda what, found: print(f"{what}: {found[0]:.2f} s, {found[1]:.0f} MiB", flush=True)
        ten = summary([measure(retrieval("small", "ten_rows"), folder) for _ in range(RUNS + 1)][1:])
        say("10 rows over the small file", ten)
        created = "--filter-by-created-timestamp"
        hot = {"feastr": retrieval("hot", "hot_rows"), "as written by then": retrieval("hot", "hot_rows", created),
               "plain query": [sys.executable, "-c", PLAIN]}
        results = {name: [] for name in hot}
        for _ in range(RUNS):
            for name, command in hot.items():
                results[name].append(measure(command, folder))
        for name, found in results.items():
            say(f"1,000,000 rows × 1,000,000 rows of one entity, {name}", summary(found))
        for limit in ("512MiB", LIMIT):
            say(f"{ENTITIES // 10:,} rows × {ROWS:,} rows within {limit}",
                measure(retrieval("large", "tenth_rows", "--memory-limit", limit), folder))
            say(f"{ENTITIES:,} rows × {ROWS:,} rows within {limit}",
                measure(retrieval("large", "large_rows", "--memory-limit", limit), folder))


main()
