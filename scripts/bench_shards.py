"""Times materializations that an engine hands over as files, beside those of one program; see scripts/bench.

KEYS: entities, of which each has EVENTS rows with ten features; MASTERS of a Redis cluster; SHARDS that are written side by side; RUNS
of each, of which the median counts. The engine is Sail. All of it is on this machine, so that masters and workers share its
processors: the sum of their seconds says more about several machines than the time does.
"""

import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from measuring import aside

FEASTR = sys.argv[1]
SAIL = os.environ.get("FEASTR_SAIL") or sys.exit("FEASTR_SAIL names no program of Sail: see scripts/bench")
KEYS, EVENTS = int(os.environ.get("KEYS", "200000")), int(os.environ.get("EVENTS", "5"))
MASTERS, SHARDS = int(os.environ.get("MASTERS", "3")), int(os.environ.get("SHARDS", "4"))
RUNS = int(os.environ.get("RUNS", "3"))
FEATURES = [f"f{index}" for index in range(10)]
RANGE = ["materialize", "2026-01-01", "2026-04-01", "--views", "events"]


def data(folder):
    import numpy
    import pyarrow
    import pyarrow.parquet
    numbers = numpy.random.default_rng(1)
    count = KEYS * EVENTS
    at = numpy.datetime64("2026-01-01", "s").astype("int64") + numbers.integers(0, 90 * 86_400, count)
    columns = {"id": numpy.tile(numpy.arange(KEYS), EVENTS),
               "event_timestamp": pyarrow.array(at.astype("datetime64[s]").astype("datetime64[us]")).cast(pyarrow.timestamp("us", "UTC"))}
    for index, name in enumerate(FEATURES):
        columns[name] = numbers.random(count) if index % 2 else numbers.integers(0, 1_000_000, count)
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "events.parquet", compression="zstd", row_group_size=1_000_000)


def repo(folder, engine, port):
    folder.mkdir()
    (folder / "staging").mkdir()
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nregistry: {registry_type: sql, path: 'sqlite:///registry.db'}\n"
        f"online_store: {{type: redis, redis_type: redis_cluster, connection_string: '127.0.0.1:{port}'}}\n"
        f"offline_store: {{type: duckdb}}\nentity_key_serialization_version: 3\n")
    settings = (folder / "feature_store.yaml").read_text()
    (folder / "engine.settings").write_text(
        f"{settings}batch_engine: {{type: spark.engine, spark_conf: {{spark.remote: '{engine}'}}, staging_location: '{folder}/staging'}}\n")
    (folder / "definitions.yaml").write_text(
        "entities: [{name: thing, join_keys: [id], value_type: INT64}]\nfeature_views:\n  - {name: events, entities: [thing], ttl: 0, "
        "source: {type: file, path: events.parquet, timestamp_field: event_timestamp}}\n")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def await_port(port, process):
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        if process.poll() is not None:
            sys.exit("a server does not start")
        time.sleep(0.05)


def worked(process):
    """Seconds of processors that a running server has taken, with those of its children."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def servers(folder):
    started = []
    try:
        ports = [free_port() for _ in range(MASTERS)]
        for port in ports:
            own = folder / str(port)
            own.mkdir()
            # The port of the bus is ten thousand more unless it is said.
            command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", own,
                       "--cluster-enabled", "yes", "--cluster-port", str(free_port())]
            started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
            await_port(port, started[-1])
        nodes = [f"127.0.0.1:{port}" for port in ports]
        subprocess.run(["redis-cli", "--cluster", "create", *nodes, "--cluster-yes"], check=True, stdout=subprocess.DEVNULL)
        time.sleep(2)
        port = free_port()
        engine = subprocess.Popen([SAIL, "spark", "server", "--ip", "127.0.0.1", "--port", str(port)], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        await_port(port, engine)
        yield ports, started, engine, f"sc://127.0.0.1:{port}"
        engine.terminate()
        engine.wait()
    finally:
        for server in started:
            server.kill()
            server.wait()


def empty(ports):
    for port in ports:
        subprocess.run(["redis-cli", "-p", str(port), "flushall"], check=True, stdout=subprocess.DEVNULL)


def command(folder, settings, *arguments):
    return [FEASTR, "--quiet", "--feature-store-yaml", str(folder / settings), *arguments]


def at_once(folder, commands):
    """Runs commands side by side: seconds, seconds of processors, and the peak MiB of one."""
    began = time.perf_counter()
    running = [subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) for command in commands]
    processors, peak = 0.0, 0.0
    for process in running:
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{process.args} failed")
        processors += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss / 1024)
    return time.perf_counter() - began, processors, peak


def opened(folder, shards):
    """Seconds until the engine has written files for so many shards, and the name of the run."""
    began = time.perf_counter()
    told = subprocess.run([FEASTR, "--feature-store-yaml", folder / "engine.settings", *RANGE, "--shards", str(shards), "--json", "-q"],
                          cwd=folder, check=True, stdout=subprocess.PIPE)
    return time.perf_counter() - began, json.loads(told.stdout)["views"][0]["run"]


def main():
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place) / "repo"
        with servers(pathlib.Path(place)) as (ports, masters, engine, address):
            repo(folder, address, ports[0])
            aside(data, folder)
            subprocess.run(command(folder, "feature_store.yaml", "apply", "--yes"), cwd=folder, check=True)
            print(f"{KEYS:,} entities of {KEYS * EVENTS:,} rows, 10 features, {MASTERS} masters of a Redis cluster, {os.cpu_count()} "
                  "processors: seconds, rows a second, seconds of the processors of feastr / masters / engine, MiB of one feastr\n\n"
                  "| | s | rows/s | processors | MiB |\n|---|---|---|---|---|", flush=True)
            single = {"one program, DuckDB": "feature_store.yaml", "one program, the engine finds rows": "engine.settings"}
            measured = {}
            for run in range(RUNS + 1):
                def note(what, took, before):
                    seconds, processors, peak = took
                    own = sum(map(worked, masters)) - before[0], worked(engine) - before[1]
                    if run:
                        measured.setdefault(what, []).append((seconds, processors, *own, peak))

                for what, settings in single.items():
                    empty(ports)
                    before = sum(map(worked, masters)), worked(engine)
                    note(what, at_once(folder, [command(folder, settings, *RANGE)]), before)
                for shards in sorted({1, 2, SHARDS}):
                    empty(ports)
                    before = sum(map(worked, masters)), worked(engine)
                    files, name = opened(folder, shards)
                    note(f"{shards} shards: the engine writes files", (files, 0.0, 0.0), before)
                    before = sum(map(worked, masters)), worked(engine)
                    workers = [command(folder, "engine.settings", "materialize", "write", name, "--shard", f"{shard}/{shards}")
                               for shard in range(shards)]
                    note(f"{shards} shards: workers side by side", at_once(folder, workers), before)
            for what, runs in measured.items():
                seconds, own, store, found, peak = (statistics.median(values) for values in zip(*runs))
                print(f"| {what} | {seconds:.2f} | {KEYS / seconds:,.0f} | {own:.1f} / {store:.1f} / {found:.1f} | {peak:.0f} |", flush=True)


main()
