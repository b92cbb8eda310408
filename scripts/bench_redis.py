"""Times materialization into Redis: the raw commands of the same bytes, feastr, and Feast; see scripts/bench.

Variables: ROWS (1000000), LARGE (0: rows of one more run of feastr, for its memory), RUNS (3 of the raw commands and
of feastr), FEAST_ROWS (ROWS; 0: without Feast).
"""

import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import redis_server
from measuring import FEAST, aside, measure

FEASTR = sys.argv[1]
ROWS, LARGE = int(os.environ.get("ROWS", "1000000")), int(os.environ.get("LARGE", "0"))
RUNS, FEAST_ROWS = int(os.environ.get("RUNS", "3")), int(os.environ.get("FEAST_ROWS", str(ROWS)))
PROJECT, VIEW, FEATURES = "bench", "large", [f"f{index}" for index in range(10)]
AT = 1767225600  # 2026-01-01, in Unix seconds
DATES = ["2025-12-31T00:00:00", "2026-01-02T00:00:00"]


def rows_of(count):
    """The columns of a source in which every row is another entity's."""
    import numpy
    numbers = numpy.random.default_rng(1)
    columns = {"id": numpy.arange(count), "at": numpy.full(count, numpy.datetime64(AT, "s").astype("datetime64[us]"))}
    # None is zero: a zero has no bytes.
    return columns | {name: 1 + numbers.random(count, dtype=numpy.float32) for name in FEATURES}


def make_source(path, count):
    import pyarrow
    import pyarrow.parquet
    pyarrow.parquet.write_table(pyarrow.table(rows_of(count)), path, row_group_size=100_000)


def make_repo(folder, count, port, more="", source="rows"):
    (folder / "data").mkdir(parents=True)
    aside(make_source, folder / "data/rows.parquet", count)
    (folder / "feature_store.yaml").write_text(
        f"project: {PROJECT}\nprovider: local\nentity_key_serialization_version: 3\noffline_store: {{type: duckdb}}\n"
        "registry: {registry_type: sql, path: sqlite:///data/registry.db}\n"
        f"online_store: {{type: redis, connection_string: 'localhost:{port}'{more}}}\n")
    schema = ", ".join(f"{{name: {name}, dtype: Float32}}" for name in FEATURES)
    (folder / "large.yaml").write_text(
        "entities: [{name: thing, join_keys: [id], value_type: INT64}]\n"
        "data_sources:\n  - {name: rows, type: file, path: data/rows.parquet, timestamp_field: at}\n"
        "  - {name: pushed, type: push, batch_source: rows}\n"
        f"feature_views:\n  - name: {VIEW}\n    entities: [thing]\n    schema: [{schema}]\n    source: {source}\n")
    subprocess.run([FEASTR, "-q", "apply"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def argument(data):
    return b"$%d\r\n%s\r\n" % (len(data), data)


def raw_commands(count, path):
    """Writes one HSET per row, of the bytes that Feast would store. All have the same length."""
    import mmh3
    import numpy
    from google.protobuf.timestamp_pb2 import Timestamp
    moment = Timestamp(seconds=AT).SerializeToString()
    parts = [("fixed", b"*24\r\n$4\r\nHSET\r\n")]
    key = struct.pack("<III", 1, 2, 2) + b"id" + struct.pack("<II", 4, 8)
    parts += [("fixed", b"$%d\r\n" % (len(key) + 8 + len(PROJECT)) + key), ("id", "<i8"),
              ("fixed", PROJECT.encode() + b"\r\n")]
    for name in FEATURES:
        field = struct.pack("<I", mmh3.hash(f"{VIEW}:{name}", signed=False))
        parts += [("fixed", argument(field) + b"$5\r\n\x35"), (name, "<f4"), ("fixed", b"\r\n")]
    parts.append(("fixed", argument(b"_ts:" + VIEW.encode()) + argument(moment)))
    layout = [(f"part{index}" if kind == "fixed" else kind, f"S{len(what)}" if kind == "fixed" else what)
              for index, (kind, what) in enumerate(parts)]
    records, columns = numpy.zeros(count, dtype=layout), rows_of(count)
    for index, (kind, what) in enumerate(parts):
        records[f"part{index}" if kind == "fixed" else kind] = what if kind == "fixed" else columns[kind]
    records.tofile(path)


def contents(client):
    """How many keys there are, and some of them whole."""
    some = [struct.pack("<III", 1, 2, 2) + b"id" + struct.pack("<IIq", 4, 8, number) + PROJECT.encode()
            for number in range(0, ROWS, ROWS // 100)]
    return client.dbsize(), [client.hgetall(key) for key in some]


def timed(command, **options):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.perf_counter() - began


def row(what, count, seconds, peak=None, raw=None):
    share = f"{raw / ROWS / (seconds / count):.0%}" if raw else ""
    memory = f"{peak:.0f} MiB" if peak else ""
    print(f"| {what} | {seconds:.2f} s | {count / seconds:,.0f} | {share} | {memory} |", flush=True)


def main():
    with tempfile.TemporaryDirectory() as place, redis_server.running() as (client, port):
        place = pathlib.Path(place)
        make_repo(place / "repo", ROWS, port)
        aside(raw_commands, ROWS, place / "commands")
        raw, first, again, expected = [], [], [], None
        for _ in range(RUNS):
            client.flushall()
            with open(place / "commands", "rb") as commands:
                raw.append(timed(["redis-cli", "-p", str(port), "--pipe"], stdin=commands))
            expected = contents(client)
            client.flushall()
            first.append(measure([FEASTR, "materialize", *DATES], place / "repo"))
            if contents(client) != expected:
                sys.exit("feastr stored other bytes than the raw commands")
            again.append(measure([FEASTR, "materialize", *DATES], place / "repo"))
        raw = statistics.median(raw)
        ours = statistics.median(seconds for seconds, _ in first)
        print("| | time | rows/s | of raw | peak memory |\n|---|---|---|---|---|", flush=True)
        row(f"raw pipelined `HSET`, {ROWS:,} rows × 10 floats", ROWS, raw)
        row("feastr `materialize`", ROWS, ours, max(peak for _, peak in first), raw)
        row("the same interval again", ROWS, statistics.median(seconds for seconds, _ in again), max(p for _, p in again), raw)
        client.flushall()
        make_repo(place / "unchecked", ROWS, port, ", skip_dedup: true")
        seconds, peak = measure([FEASTR, "materialize", *DATES], place / "unchecked")
        row("feastr `materialize` with `skip_dedup: true`", ROWS, seconds, peak, raw)
        incremental = [FEASTR, "materialize-incremental", DATES[1]]
        measure(incremental, place / "repo")
        nothing = measure(incremental, place / "repo")
        print(f"| `materialize-incremental` with nothing new | {nothing[0]:.2f} s | | | {nothing[1]:.0f} MiB |", flush=True)
        if LARGE:
            client.flushall()
            make_repo(place / "large", LARGE, port)
            seconds, peak = measure([FEASTR, "materialize", *DATES], place / "large")
            row(f"feastr `materialize`, {LARGE:,} rows", LARGE, seconds, peak, raw)
        if FEAST_ROWS:
            client.flushall()
            make_repo(place / "feast", FEAST_ROWS, port)
            seconds, peak = measure([*FEAST, "materialize", *DATES], place / "feast")
            row(f"Feast 0.67 `materialize`, {FEAST_ROWS:,} rows", FEAST_ROWS, seconds, peak, raw)
            print(f"\nfeastr writes {(ROWS / ours) / (FEAST_ROWS / seconds):.0f} times as many rows a second as Feast")


if __name__ == "__main__":
    main()
