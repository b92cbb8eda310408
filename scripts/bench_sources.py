"""Times reading of files: joins, folders of many files and a large CSV file, which DuckDB reads beside it with
declared types; see scripts/bench.

ENTITIES, ROWS: size of the join; CSV_MB: of the CSV file; RUNS: of each command, of which the median counts;
BEFORE: another feastr to compare with.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from measuring import aside, measure, summary

FEASTR, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
BEFORE = os.environ.get("BEFORE")
ENTITIES, ROWS = int(os.environ.get("ENTITIES", "1000000")), int(os.environ.get("ROWS", "10000000"))
CSV_MB, RUNS = int(os.environ.get("CSV_MB", "1000")), int(os.environ.get("RUNS", "3"))
FEATURES = [f"f{index}" for index in range(4)]


def rows(count, keys, seed):
    """Rows of so many entities over thirty days."""
    import numpy
    import pyarrow
    numbers = numpy.random.default_rng(seed)
    start = numpy.datetime64("2026-01-01", "us").astype("int64")
    at = start + numbers.integers(0, 30 * 86_400_000_000, count)
    columns = {"id": numbers.integers(0, keys, count), "at": at.astype("datetime64[us]")}
    columns |= {name: numbers.random(count) for name in FEATURES}
    return pyarrow.table(columns)


def join_data(folder):
    import pyarrow.parquet
    pyarrow.parquet.write_table(rows(ROWS, ENTITIES, 1), folder / "data/rows.parquet", row_group_size=500_000)
    entities = rows(ENTITIES, ENTITIES, 2).select(["id", "at"]).rename_columns(["id", "event_timestamp"])
    pyarrow.parquet.write_table(entities, folder / "entities.parquet")


def many_files(folder, files):
    import pyarrow.parquet
    (folder / "data/rows").mkdir()
    for index in range(files):
        pyarrow.parquet.write_table(rows(100, 1000, index), folder / f"data/rows/{index:05}.parquet")
    entities = rows(1000, 1000, 0).select(["id", "at"]).rename_columns(["id", "event_timestamp"])
    pyarrow.parquet.write_table(entities, folder / "entities.parquet")


def csv_data(folder):
    import pyarrow.csv
    piece = rows(500_000, 100_000, 1)
    path = folder / "data/rows.csv"
    with open(path, "wb") as out:
        pyarrow.csv.write_csv(piece, out)
        while out.tell() < CSV_MB * 1_000_000:
            pyarrow.csv.write_csv(piece, out, pyarrow.csv.WriteOptions(include_header=False))
    (folder / "entities.csv").write_text("id,event_timestamp\n1,2026-02-01T00:00:00Z\n")


def repo(folder, path, more=""):
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text((ROOT / "examples/feature_repo/feature_store.yaml").read_text())
    schema = ", ".join(f"{{name: {name}, dtype: Float64}}" for name in FEATURES)
    (folder / "definitions.yaml").write_text(
        "entities: [{name: thing, join_keys: [id], value_type: INT64}]\n"
        f"feature_views:\n  - name: v\n    entities: [thing]\n    ttl: 0\n    schema: [{schema}]\n"
        f"    source: {{name: rows, type: file, path: {path}, timestamp_field: at{more}}}\n")


def apply(folder):
    subprocess.run([FEASTR, "-q", "apply"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def compare(what, arguments, folder, reference=None):
    """One line: feastr, what it was before, and something else to compare with."""
    programs = [FEASTR] + ([BEFORE] if BEFORE else [])
    results = {program: [] for program in programs}
    for _ in range(RUNS):
        for program in programs:
            results[program].append(measure([program, *arguments], folder))
    ours = summary(results[FEASTR])
    before = ratio = ""
    if BEFORE:
        theirs = summary(results[BEFORE])
        before, ratio = f"{theirs[0]:.2f} s, {theirs[1]:.0f} MiB", f"{theirs[0] / ours[0]:.2f}×"
    other = f"{reference:.2f} s: {reference / ours[0] * 100:.0f} %" if reference else ""
    print(f"| {what} | {ours[0]:.2f} s, {ours[1]:.0f} MiB | {before} | {ratio} | {other} |", flush=True)


def duckdb_reads(path):
    """Median seconds in which DuckDB reads the CSV file with declared types."""
    import duckdb
    types = {"id": "BIGINT", "at": "TIMESTAMP"} | {name: "DOUBLE" for name in FEATURES}
    largest = ", ".join(f'max("{name}")' for name in types)
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        duckdb.connect().execute(f"SELECT {largest} FROM read_csv('{path}', header = true, columns = {types})").fetchall()
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[len(seconds) // 2]


def main():
    print("| | feastr | before | ratio | DuckDB, typed |\n|---|---|---|---|---|", flush=True)
    features = [argument for name in FEATURES for argument in ("--features", f"v:{name}")]
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        folder = place / "join"
        repo(folder, "data/rows.parquet")
        aside(join_data, folder)
        apply(folder)
        join = ["get-historical", "--entities", "entities.parquet", *features, "-o", "out.parquet"]
        compare(f"`get-historical` of {ENTITIES:,} rows over {ROWS:,}", join, folder)
        for files in (500, 2000):
            folder = place / f"files{files}"
            repo(folder, "data/rows")
            aside(many_files, folder, files)
            apply(folder)
            compare(f"no-op `plan`, a source of {files:,} files", ["plan"], folder)
            compare(f"`get-historical` over {files:,} files", join, folder)
        folder = place / "csv"
        repo(folder, "data/rows.csv", ", file_format: csv")
        aside(csv_data, folder)
        apply(folder)
        join[2] = "entities.csv"
        compare(f"`get-historical` of a row over {CSV_MB:,} MB of CSV", join, folder, duckdb_reads(folder / "data/rows.csv"))


main()
