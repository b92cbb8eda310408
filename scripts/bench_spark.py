"""Times get-historical on a local Spark beside the best query written by hand, which PySpark asks of the same server; see
scripts/bench.

ENTITIES, ROWS: size of the join, with ten features; BACK: rows that are streamed back of a small source; RUNS of each, of
which the median counts; MEMORY of the server, of which THREADS work. The query by hand is the one of a person who knows the
data: few candidates, no order among rows that are equally new, entity rows that the server reads itself. PySpark takes its
result as an Arrow table and writes that into a file, as feastr does; beside it stands the time in which the server writes the
result itself. Times of PySpark begin when it is connected; those of feastr are whole commands.
"""

import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import aside, measure

FEASTR = sys.argv[1]
HOME = os.environ.get("FEASTR_SPARK_HOME") or sys.exit("FEASTR_SPARK_HOME names no folder of pyspark: see scripts/bench")
ENTITIES, ROWS = int(os.environ.get("ENTITIES", "100000")), int(os.environ.get("ROWS", "1000000"))
BACK, RUNS = int(os.environ.get("BACK", "1000000")), int(os.environ.get("RUNS", "3"))
MEMORY, THREADS = os.environ.get("MEMORY", "4g"), int(os.environ.get("THREADS", "2"))
KEYS = max(ROWS // 50, 1)
FEATURES = [f"f{index}" for index in range(10)]
DAY = 86_400
TTL = 7 * DAY * 1_000_000

# Asks the server once and prints seconds.
PYSPARK = """
import pathlib, sys, time
import pyarrow.parquet
from pyspark.sql import SparkSession
address, query, way, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
session = SparkSession.builder.remote(address).create()
session.conf.set("spark.sql.session.timeZone", "UTC")
began = time.perf_counter()
if way == "arrow":
    table = session.sql(query).toArrow()
    pyarrow.parquet.write_table(table, "theirs.parquet", compression="zstd")
elif way == "fetch":
    table = session.sql(query).toArrow()
    assert table.num_rows == count, table.num_rows
else:
    # The server has a folder of its own.
    session.sql(query).write.parquet(str(pathlib.Path("theirs").resolve()), mode="overwrite", compression="zstd")
print(time.perf_counter() - began)
session.stop()
"""


def rows(count, keys, seed, features):
    """Rows of so many keys over ninety days, by whole minutes: some are equally new, some exactly as old as the ttl."""
    import numpy
    import pyarrow
    numbers = numpy.random.default_rng(seed)
    at = numpy.datetime64("2026-01-01", "m").astype("int64") + numbers.integers(0, 90 * DAY // 60, count)
    at = pyarrow.array(at.astype("datetime64[m]").astype("datetime64[us]")).cast(pyarrow.timestamp("us", "UTC"))
    columns = {"id": numbers.integers(0, keys, count), "event_timestamp": at}
    for index, name in enumerate(features):
        match index % 10:
            case 0 | 1 | 2 | 3 | 4:
                columns[name] = numbers.random(count)
            case 8:
                columns[name] = pyarrow.array(numbers.integers(0, 1000, count)).cast(pyarrow.string())
            case 9:
                columns[name] = numbers.integers(0, 2, count).astype(bool)
            case _:
                columns[name] = numbers.integers(0, 1_000_000, count)
    return pyarrow.table(columns)


def data(folder):
    import pyarrow.parquet

    def write(name, table):
        pyarrow.parquet.write_table(table, folder / name, compression="zstd", row_group_size=1_000_000)

    write("data/events.parquet", rows(ROWS, KEYS, 1, FEATURES))
    write("data/small.parquet", rows(100_000, 100_000, 2, FEATURES[:2]))
    # One in eleven has no match.
    write("entities.parquet", rows(ENTITIES, KEYS * 11 // 10, 3, []))
    write("back.parquet", rows(BACK, 100_000, 4, []))


def repo(folder, address):
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nregistry: {registry_type: sql, path: 'sqlite:///registry.db'}\nonline_store: null\n"
        f"offline_store: {{type: spark, spark_conf: {{spark.remote: '{address}'}}, staging_location: '{folder}/staging'}}\nentity_key_serialization_version: 3\n")
    views = "".join(
        f"  - {{name: {name}, entities: [thing], ttl: {ttl}, source: {{type: file, path: data/{name}.parquet, timestamp_field: "
        "event_timestamp}}\n" for name, ttl in (("events", "7d"), ("small", "0")))
    (folder / "definitions.yaml").write_text(
        f"entities: [{{name: thing, join_keys: [id], value_type: INT64}}]\nfeature_views:\n{views}")


def by_hand(folder, entities, source, features, ttl):
    """The join that numbers candidates."""
    names = ", ".join(features)
    picked = ", ".join(f"s.{name}" for name in features)
    age = f"AND s.t >= e.t - {ttl}" if ttl else ""
    return (f"SELECT id, event_timestamp, {names} FROM (SELECT e.id, e.event_timestamp, {picked}, row_number() OVER (PARTITION "
            f"BY e.n ORDER BY s.t DESC NULLS LAST) AS place FROM (SELECT *, unix_micros(event_timestamp) AS t, "
            f"monotonically_increasing_id() AS n FROM parquet.`{folder}/{entities}`) e LEFT JOIN (SELECT *, "
            f"unix_micros(event_timestamp) AS t FROM parquet.`{folder}/data/{source}`) s ON e.id = s.id AND s.t <= e.t {age}) "
            "WHERE place = 1")


class Spark:
    """A server of Spark Connect, which ends with this value."""

    def __init__(self, folder):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        self.address = f"sc://127.0.0.1:{port}"
        settings = {"spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": port,
                    "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false",
                    "spark.sql.shuffle.partitions": 2 * THREADS, "spark.sql.warehouse.dir": f"{folder}/warehouse",
                    "spark.local.dir": f"{folder}/local", "spark.driver.maxResultSize": "4g"}
        command = [f"{HOME}/bin/spark-submit", "--master", f"local[{THREADS}]", "--driver-memory", MEMORY, "--class",
                   "org.apache.spark.sql.connect.service.SparkConnectServer"]
        for key, value in settings.items():
            command += ["--conf", f"{key}={value}"]
        self.process = subprocess.Popen([*command, "spark-internal"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**os.environ, "SPARK_HOME": HOME, "SPARK_LOCAL_IP": "127.0.0.1", "TZ": "UTC"})
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit("Spark does not start")
                time.sleep(0.1)

    def worked(self):
        """Seconds of processors until now."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.terminate()
        self.process.wait()


def asked_by_pyspark(spark, folder, query, way):
    command = [sys.executable, "-c", PYSPARK, spark.address, query, way, str(BACK)]
    asked = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
                           env={**os.environ, "PYTHONPATH": str(pathlib.Path(HOME).parent), "TZ": "UTC"})
    return float(asked.stdout)


def compare(spark, folder, what, ours, theirs):
    """One run of each after the other, so that all of them meet the same server; the first of each is not counted."""
    seconds, worked, peak = {}, {}, 0.0
    for run in range(RUNS + 1):
        for name in ("feastr", *theirs):
            before = spark.worked()
            if name == "feastr":
                took, own = measure(ours, folder)
                peak = max(peak, own)
            else:
                took = asked_by_pyspark(spark, folder, *theirs[name])
            if run:
                seconds.setdefault(name, []).append(took)
                worked.setdefault(name, []).append(spark.worked() - before)
    ours = statistics.median(seconds["feastr"])
    print(f"| {what} | {ours:.2f} s, {statistics.median(worked['feastr']):.1f} s, {peak:.0f} MiB |", end="")
    for name in ("arrow", "fetch", "files"):
        if name not in theirs:
            print(" |", end="")
            continue
        took = statistics.median(seconds[name])
        print(f" {took:.2f} s, {statistics.median(worked[name]):.1f} s: {ours / took:.2f}× |", end="")
    print(flush=True)


def same(folder):
    """Whether both results have the same rows, but for those that are equally new, among which the query chooses freely."""
    import pyarrow.parquet
    ours, theirs = (pyarrow.parquet.read_table(folder / name) for name in ("ours.parquet", "theirs.parquet"))
    order = [("id", "ascending"), ("event_timestamp", "ascending"), *((name, "ascending") for name in FEATURES)]
    ours, theirs = (table.select([name for name, _ in order]).sort_by(order).to_pylist() for table in (ours, theirs))
    if len(ours) != len(theirs):
        sys.exit(f"{len(ours)} rows are not {len(theirs)}")
    others = sum(mine != other for mine, other in zip(ours, theirs))
    print(f"\n{others:,} of {len(ours):,} rows differ", flush=True)


def retrieval(entities, view, features):
    return [FEASTR, "get-historical", "--entities", entities, "--features", *(f"{view}:{name}" for name in features), "-o",
            "ours.parquet", "-q"]


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "repo"
        spark = Spark(place)
        try:
            repo(folder, spark.address)
            aside(data, folder)
            subprocess.run([FEASTR, "apply", "-q"], cwd=folder, check=True)
            print("Seconds, and those of the server's processors; of feastr its memory; how much longer feastr takes.\n\n| | "
                  "feastr | PySpark, toArrow and a file | PySpark, toArrow | Spark writes files |\n|---|---|---|---|---|",
                  flush=True)
            query = by_hand(folder, "entities.parquet", "events.parquet", FEATURES, TTL)
            compare(spark, folder, f"{ENTITIES:,} rows × {ROWS:,} rows, 10 features",
                    retrieval("entities.parquet", "events", FEATURES), {"arrow": (query, "arrow"), "files": (query, "files")})
            written = retrieval("entities.parquet", "events", FEATURES)
            written[written.index("ours.parquet")] = f"{folder}/ours/"
            compare(spark, folder, "the same, written by Spark for feastr as well",
                    ["sh", "-c", 'rm -rf ours && exec "$@"', "sh", *written], {"files": (query, "files")})
            aside(same, folder)
            query = by_hand(folder, "back.parquet", "small.parquet", FEATURES[:2], None)
            compare(spark, folder, f"{BACK:,} rows back", retrieval("back.parquet", "small", FEATURES[:2]),
                    {"arrow": (query, "arrow"), "fetch": (query, "fetch")})
        finally:
            spark.end()


main()
