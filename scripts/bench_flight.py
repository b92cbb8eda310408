"""Times answers of feastr serve-offline beside the same result in an Arrow file and Feast's offline server; see scripts/bench.

ENTITIES: rows of the answer, FEATURES of each; FEAST_ENTITIES: the same beside Feast's server; RUNS of each, of which the
median counts; FEAST (no: without Feast). The client is pyarrow's, in a process of its own, which counts rows and lets go of
them; servers are asked once before it counts.
"""

import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import FEAST, aside, measure

FEASTR, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
ENTITIES, FEATURES = int(os.environ.get("ENTITIES", "5000000")), int(os.environ.get("FEATURES", "10"))
FEAST_ENTITIES, RUNS = int(os.environ.get("FEAST_ENTITIES", "1000000")), int(os.environ.get("RUNS", "3"))
NAMES = [f"f{index}" for index in range(FEATURES)]
KEYS = 1_000_000

# Asks a server and prints seconds: until the first batch, and until the end.
CLIENT = """
import json, sys, time
import pyarrow.parquet, pyarrow.flight as flight
port, entities, names = sys.argv[1], pyarrow.parquet.read_table(sys.argv[2]), sys.argv[3].split(",")
command = {"command_id": "bench", "api": "get_historical_features", "feature_view_names": ["stats"], "name_aliases": [None],
           "feature_refs": [f"stats:{name}" for name in names], "project": "bench", "full_feature_names": False}
client = flight.FlightClient(f"grpc+tcp://127.0.0.1:{port}")
began = time.perf_counter()
writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(json.dumps(command)))
writer.begin(entities.schema)
writer.write_table(entities)
writer.done_writing()
first, rows = None, 0
for chunk in reader:
    first = first or time.perf_counter() - began
    rows += chunk.data.num_rows
assert rows == entities.num_rows, rows
print(first, time.perf_counter() - began)
"""


def data(folder):
    import numpy
    import pyarrow
    import pyarrow.parquet
    numbers = numpy.random.default_rng(1)
    begin = numpy.datetime64("2026-01-01", "us")

    def times(count):
        return begin + numbers.integers(0, 30 * 86_400, count).astype("timedelta64[s]")

    columns = {"id": numpy.arange(KEYS), "at": times(KEYS)} | {name: numbers.random(KEYS) for name in NAMES}
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "data/stats.parquet", row_group_size=250_000)
    for name, count in (("many", ENTITIES), ("some", FEAST_ENTITIES)):
        rows = {"id": numbers.integers(0, KEYS, count), "event_timestamp": times(count)}
        pyarrow.parquet.write_table(pyarrow.table(rows), folder / f"{name}.parquet")


def repo(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nregistry: {registry_type: sql, path: 'sqlite:///data/registry.db'}\n"
        "online_store: null\noffline_store: {type: duckdb}\nentity_key_serialization_version: 3\n")
    schema = ", ".join(f"{{name: {name}, dtype: Float64}}" for name in NAMES)
    (folder / "definitions.yaml").write_text(
        f"entities: [{{name: thing, join_keys: [id], value_type: INT64}}]\nfeature_views:\n  - name: stats\n    entities: "
        f"[thing]\n    ttl: 0\n    schema: [{schema}]\n    source: {{type: file, path: data/stats.parquet, timestamp_field: at}}\n")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Server:
    """A server of the repo that listens, how long that took, and its peak of memory at the end."""

    def __init__(self, command, folder):
        self.port, began = free_port(), time.perf_counter()
        command = [part.replace("PORT", str(self.port)) for part in command]
        self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={**os.environ, "TZ": "UTC"})
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{command} does not listen")
                time.sleep(0.005)
        self.ready = time.perf_counter() - began

    def peak(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def ask(self, folder, entities):
        command = [sys.executable, "-c", CLIENT, str(self.port), entities, ",".join(NAMES)]
        output = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        return [float(seconds) for seconds in output.split()]

    def typical(self, folder, entities):
        self.ask(folder, entities)
        answers = [self.ask(folder, entities) for _ in range(RUNS)]
        return [statistics.median(column) for column in zip(*answers)]

    def end(self):
        self.process.terminate()
        self.process.wait()


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "repo"
        repo(folder)
        aside(data, folder)
        subprocess.run([FEASTR, "apply", "-q"], cwd=folder, check=True)
        references = ",".join(f"stats:{name}" for name in NAMES)
        to_file = [FEASTR, "get-historical", "-q", "--entities", "many.parquet", "--features", references, "-o", "x.arrow"]
        measure(to_file, folder)
        on_disk = statistics.median(measure(to_file, folder)[0] for _ in range(RUNS))
        server = Server([FEASTR, "-q", "serve-offline", "--port", "PORT"], folder)
        first, whole = server.typical(folder, "many.parquet")
        many = f"{ENTITIES / 1e6:g} M rows × {FEATURES}"
        print("| | |\n|---|---|")
        print(f"| ready | {server.ready:.3f} s |")
        print(f"| {many} to an Arrow file | {on_disk:.2f} s |")
        print(f"| {many} over Flight | {whole:.2f} s, {on_disk / whole:.0%} of the speed; first batch after {first:.2f} s |")
        print(f"| peak of the server | {server.peak():.0f} MiB |", flush=True)
        _, ours = server.typical(folder, "some.parquet")
        server.end()
        some = f"{FEAST_ENTITIES / 1e6:g} M rows × {FEATURES}"
        if os.environ.get("FEAST") == "no":
            print(f"| {some} over Flight | {ours:.2f} s |")
            return
        feast = Server([*FEAST, "serve_offline", "--port", "PORT"], folder)
        _, theirs = feast.typical(folder, "some.parquet")
        peak = feast.peak()
        feast.end()
        print(f"| {some} over Flight | {ours:.2f} s; Feast {theirs:.2f} s, {peak:.0f} MiB: {theirs / ours:.0f}× |")


main()
