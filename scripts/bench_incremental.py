"""Times `materialize-incremental` over many views whose sources have nothing new; see scripts/bench.

Variables: VIEWS (100,400,1000), FEATURES of each (5), JOBS (1,4), RUNS (3), REGISTRY (postgres, sqlite or file),
BEFORE (another feastr, measured in the same run), RESULTS (a file for the figures as JSON).
"""

import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

import postgres_server
from measuring import measure, summary

FEASTR, BEFORE = sys.argv[1], os.environ.get("BEFORE")
VIEWS = [int(views) for views in os.environ.get("VIEWS", "100,400,1000").split(",")]
FEATURES, RUNS = int(os.environ.get("FEATURES", "5")), int(os.environ.get("RUNS", "3"))
JOBS = [int(jobs) for jobs in os.environ.get("JOBS", "1,4").split(",")]
REGISTRY = os.environ.get("REGISTRY", "postgres")
START, END = "2024-01-01T00:00:00", "2024-01-03T00:00:00"


def repo(folder, views, server):
    """A repo with a source of its own for each view, applied and materialized until END."""
    folder.mkdir()
    (folder / "data").mkdir()
    at = datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc)
    times = pa.array([at] * 10, pa.timestamp("us", "UTC"))
    columns = {"driver_id": list(range(10)), "event_timestamp": times}
    columns |= {f"feature_{j}": [float(j)] * 10 for j in range(FEATURES)}
    pq.write_table(pa.table(columns), folder / "data" / "0.parquet")
    for i in range(1, views):
        os.link(folder / "data" / "0.parquet", folder / "data" / f"{i}.parquet")
    lines = ["entities:", "  - {name: driver, join_keys: [driver_id], value_type: INT64}", "data_sources:"]
    lines += [f"  - {{name: source_{i}, type: file, path: data/{i}.parquet, timestamp_field: event_timestamp}}"
              for i in range(views)]
    lines.append("feature_views:")
    schema = ", ".join(f"{{name: feature_{j}, dtype: Float64}}" for j in range(FEATURES))
    lines += [f"  - {{name: view_{i}, entities: [driver], source: source_{i}, ttl: 10d, schema: [{schema}]}}"
              for i in range(views)]
    (folder / "definitions.yaml").write_text("\n".join([*lines, ""]))
    registry = {
        "postgres": lambda: f"{{registry_type: sql, path: '{server.url(folder.name)}'}}",
        "sqlite": lambda: "{registry_type: sql, path: 'sqlite:///data/registry.db'}",
        "file": lambda: "data/registry.db",
    }[REGISTRY]()
    (folder / "feature_store.yaml").write_text(
        f"project: many\nprovider: local\nregistry: {registry}\nonline_store: {{type: sqlite, path: data/online.db}}\n"
        "offline_store: {type: duckdb}\nentity_key_serialization_version: 3\n")
    if server:
        server.fresh(folder.name)
    for command in (["apply", "--skip-source-validation"], ["materialize", START, END, "--quiet"]):
        subprocess.run([FEASTR, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def main():
    servers = postgres_server.server() if REGISTRY == "postgres" else contextlib.nullcontext()
    programs = {"now": FEASTR} | ({"before": BEFORE} if BEFORE else {})
    figures = []
    with tempfile.TemporaryDirectory() as place, servers as server:
        place = pathlib.Path(place)
        place.chmod(0o755)
        print("| views | jobs | program | seconds | ms per view | peak MiB |\n|---:|---:|---|---:|---:|---:|")
        for views in VIEWS:
            folder = place / f"views_{views}"
            repo(folder, views, server)
            for jobs in JOBS:
                for name, program in programs.items():
                    command = [program, "materialize-incremental", "now", "--quiet", "--jobs", str(jobs)]
                    seconds, peak = summary([measure(command, folder) for _ in range(RUNS)])
                    print(f"| {views} | {jobs} | {name} | {seconds:.2f} | {1000 * seconds / views:.2f} | {peak:.0f} |",
                          flush=True)
                    figures.append({"views": views, "jobs": jobs, "program": name, "seconds": seconds, "peak": peak})
    if results := os.environ.get("RESULTS"):
        pathlib.Path(results).write_text(json.dumps({"registry": REGISTRY, "figures": figures}, indent=2) + "\n")


main()
