"""Times servers of features over Redis: the bare commands, feastr, and Feast; see scripts/bench.

Five views of ten floats each over one join key. A load generator (benches/serving.rs, named by LOAD) asks on the same machine, so
that it takes processors from all three alike; its share is shown. Then a server that asks for tokens beside one that does not. Variables: ROWS (10000), SECONDS of each case (5), RUNS (3 of
the commands and of feastr, in turn, of which the median counts), FEAST (no: without Feast).
"""

import contextlib
import json
import os
import pathlib
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import identity_provider
import redis_server
from measuring import FEAST, aside

FEASTR, LOAD = sys.argv[1], os.environ["LOAD"]
ROWS, SECONDS = int(os.environ.get("ROWS", "10000")), os.environ.get("SECONDS", "5")
RUNS = int(os.environ.get("RUNS", "3"))
VIEWS, FEATURES = [f"view{index}" for index in range(5)], [f"f{index}" for index in range(10)]
# Rows of a request, and connections.
CASES = [(1, 1), (1, 64), (100, 16)]
REQUESTS = 1000


def source(path):
    import numpy
    import pyarrow
    import pyarrow.parquet
    numbers = numpy.random.default_rng(3)
    at = numpy.full(ROWS, numpy.datetime64("2026-01-01", "us"))
    columns = {"id": numpy.arange(ROWS), "at": at} | {name: numbers.random(ROWS) for name in FEATURES}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def repo(folder, port):
    (folder / "data").mkdir()
    aside(source, folder / "data/rows.parquet")
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nentity_key_serialization_version: 3\noffline_store: {type: duckdb}\n"
        "registry: {registry_type: sql, path: sqlite:///data/registry.db}\n"
        f"online_store: {{type: redis, connection_string: 'localhost:{port}'}}\n")
    schema = ", ".join(f"{{name: {name}, dtype: Float64}}" for name in FEATURES)
    views = "".join(f"  - {{name: {view}, entities: [thing], ttl: 0, schema: [{schema}], source: rows}}\n" for view in VIEWS)
    computed = "".join(
        f"  - {{name: computed{index}, sources: [{view}, request], schema: [{{name: c{index}, dtype: Float64, sql: f0 * 2 + tip}}]}}\n"
        for index, view in enumerate(VIEWS[:2]))
    (folder / "definitions.yaml").write_text(
        "entities: [{name: thing, join_keys: [id], value_type: INT64}]\n"
        "data_sources:\n  - {name: rows, type: file, path: data/rows.parquet, timestamp_field: at}\n"
        "  - {name: request, type: request, schema: [{name: tip, dtype: Float64}]}\n"
        f"feature_views:\n{views}on_demand_feature_views:\n{computed}"
        "feature_services:\n"
        f"  - {{name: stored, features: [{', '.join(VIEWS)}]}}\n"
        f"  - {{name: computed, features: [{VIEWS[0]}, computed0, computed1]}}\n")
    for command in (["apply", "-q"], ["materialize", "2025-12-01", "2026-02-01", "-q"]):
        subprocess.run([FEASTR, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def requests(folder, client):
    """A file for each kind of request: bodies of one row and of a hundred, the same as commands, a computed one."""
    keys = [key for key in client.scan_iter(count=10_000)]
    fields = json.dumps([field.hex() for field in client.hkeys(keys[0])])
    numbers = random.Random(5)
    files = {}
    for rows in (1, 100):
        ids = [[numbers.randrange(ROWS) for _ in range(rows)] for _ in range(REQUESTS)]
        bodies = [json.dumps({"feature_service": "stored", "full_feature_names": True, "entities": {"id": some}}) for some in ids]
        commands = [fields] + [json.dumps([numbers.choice(keys).hex() for _ in some]) for some in ids]
        files["http", rows], files["redis", rows] = folder / f"http{rows}", folder / f"redis{rows}"
        files["http", rows].write_text("\n".join(bodies))
        files["redis", rows].write_text("\n".join(commands))
    files["computed"] = folder / "computed"
    files["computed"].write_text("\n".join(
        json.dumps({"feature_service": "computed", "entities": {"id": [numbers.randrange(ROWS)], "tip": [0.5]}})
        for _ in range(REQUESTS)))
    return files


def load(what, address, file, connections, seconds=SECONDS, authorization=""):
    environment = os.environ | {"AUTHORIZATION": authorization}
    command = [LOAD, what, address, file, str(connections), str(seconds)]
    output = subprocess.run(command, check=True, capture_output=True, env=environment)
    return json.loads(output.stdout)


def median(results):
    return {name: statistics.median(result[name] for result in results) for name in results[0]}


@contextlib.contextmanager
def serving(command, folder):
    """A server, when it is ready; yields its address, its process, and after how many seconds it was."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen([*command, "--port", str(port)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
                break
            if process.poll() is not None or time.perf_counter() - began > 120:
                sys.exit(f"{command} does not serve")
            time.sleep(0.005)
        yield f"127.0.0.1:{port}", process, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()


def guarded(folder, files):
    """A server that asks for tokens, in turn with one that does not: medians of both for each case."""
    found = {}
    with identity_provider.running(folder, "store") as (auth, authorization):
        (folder / "permissions.yaml").write_text(
            "permissions: [{name: reader, types: [FeatureService], actions: READ, policy: {roles: [reader]}}]\n")
        subprocess.run([FEASTR, "apply", "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        # Definitions are read of every file that is there.
        (folder / "guarded.yaml").write_text((folder / "feature_store.yaml").read_text() + auth)
        with (serving([FEASTR, "serve"], folder) as (address, *_),
              serving([FEASTR, "serve", "--feature-store-yaml", "guarded.yaml"], folder) as (guarded_address, *_)):
            both = [(address, ""), (guarded_address, authorization)]
            for address, header in both:
                load("http", address, files["http", 1], 1, 1, header)
            for rows, connections in CASES:
                results = [], []
                for _ in range(RUNS):
                    for (address, header), into in zip(both, results):
                        into.append(load("http", address, files["http", rows], connections, authorization=header))
                found[rows, connections] = [median(result) for result in results]
    return found


def memory(process):
    lines = pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def cell(result):
    return f"{result['per_second']:.0f}/s, p50 {result['p50'] / 1000:.2f}, p99 {result['p99'] / 1000:.2f} ms"


def main():
    with tempfile.TemporaryDirectory() as name, redis_server.running() as (client, port):
        folder = pathlib.Path(name)
        repo(folder, port)
        files = requests(folder, client)
        found = {}
        with serving([FEASTR, "serve"], folder) as (address, process, ready):
            print(f"feastr answers after {ready:.3f} s, {memory(process):.0f} MiB", flush=True)
            load("http", address, files["http", 1], 1, 1)
            for rows, connections in CASES:
                bare, ours = [], []
                for _ in range(RUNS):
                    bare.append(load("redis", f"127.0.0.1:{port}", files["redis", rows], connections))
                    ours.append(load("http", address, files["http", rows], connections))
                found[rows, connections] = median(bare), median(ours)
            before, answered = memory(process), 0
            while answered < 100_000:
                answered += load("http", address, files["http", 1], 64)["answers"]
            print(f"memory: {before:.0f} MiB, after {answered} more requests {memory(process):.0f} MiB", flush=True)
            computed = median([load("http", address, files["computed"], 1) for _ in range(RUNS)])
            print(f"after computed features: {memory(process):.0f} MiB", flush=True)
        tokens = guarded(folder, files)
        feast = {}
        if os.environ.get("FEAST") != "no":
            with serving([*FEAST, "serve", "--no-access-log", "--max-requests", "0"], folder) as (address, process, ready):
                print(f"Feast answers after {ready:.1f} s, {memory(process):.0f} MiB", flush=True)
                load("http", address, files["http", 1], 1, 1)
                feast = {case: load("http", address, files["http", case[0]], case[1]) for case in CASES}
        print("\n| rows, connections | bare HMGET | feastr | rate of bare, p50, p99 | Feast | feastr's rate |\n|---|---|---|---|---|---|")
        for case in CASES:
            bare, ours = found[case]
            ratios = (f"{ours['per_second'] / bare['per_second']:.2f}, {ours['p50'] / bare['p50']:.1f}×, "
                      f"{ours['p99'] / bare['p99']:.1f}×")
            theirs = f"{cell(feast[case])} | {ours['per_second'] / feast[case]['per_second']:.0f}×" if feast else "|"
            print(f"| {case[0]}, {case[1]} | {cell(bare)} | {cell(ours)} | {ratios} | {theirs} |")
        print(f"\ntwo computed features, one row: {cell(computed)}")
        print("\n| rows, connections | without tokens | with tokens | rate, p50, p99 of without |\n|---|---|---|---|")
        for (rows, connections), (without, asked) in tokens.items():
            ratios = (f"{asked['per_second'] / without['per_second']:.2f}, {asked['p50'] / without['p50']:.2f}×, "
                      f"{asked['p99'] / without['p99']:.2f}×")
            print(f"| {rows}, {connections} | {cell(without)} | {cell(asked)} | {ratios} |")
        for (rows, connections), (bare, ours) in found.items():
            share = [f"{result['cpu_seconds'] / result['seconds'] * 100:.0f} %" for result in (bare, ours)]
            print(f"CPU of the load generator at {rows}, {connections}: {share[0]} of a processor (bare), {share[1]} (feastr)")


main()
