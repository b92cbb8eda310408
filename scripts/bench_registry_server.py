"""Times calls of feastr serve-registry, and of Feast's registry server over the same registry; see scripts/bench.

VIEWS (5000) with FEATURES (20) each; CLIENTS (64) that ask at a time for SECONDS (10), as fast as they can and then PACE (20)
times a second each; APPLIES (20), of which the median counts; REGISTRY (postgres or sqlite); FEAST (no: without Feast). LOAD is
the program that asks, the benchmark `serving` of Cargo's. Feast lists with FEAST_LISTS (1) calls.
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

os.environ.setdefault("VIEWS", "5000")
import grpc
import postgres_server
from bench_views import VIEWS, yaml_files
from feast.protos.feast.registry import RegistryServer_pb2 as messages
from feast.protos.feast.registry.RegistryServer_pb2_grpc import RegistryServerStub
from measuring import FEAST

FEASTR, LOAD = sys.argv[1], os.environ["LOAD"]
CLIENTS, SECONDS, PACE = (os.environ.get(*each) for each in [("CLIENTS", "64"), ("SECONDS", "10"), ("PACE", "20")])
APPLIES, LISTS = int(os.environ.get("APPLIES", "20")), int(os.environ.get("FEAST_LISTS", "1"))
REGISTRY = os.environ.get("REGISTRY", "postgres")
SETTINGS = """project: bench
provider: local
registry: {{registry_type: sql, path: '{path}', cache_ttl_seconds: 600}}
online_store: {{type: sqlite, path: data/online.db}}
offline_store: {{type: duckdb}}
entity_key_serialization_version: 3
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def serving(command, port, folder):
    """A server that answers, and its process."""
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, "TZ": "UTC"})
        try:
            channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_receive_message_length", -1)])
            try:
                grpc.channel_ready_future(channel).result(timeout=900)
            except grpc.FutureTimeoutError:
                sys.exit(f"{command} does not answer:\n{(folder / 'server.log').read_text()}")
            yield RegistryServerStub(channel), process
        finally:
            process.kill()
            process.wait()


def load(port, requests, pace=None):
    """What many clients see."""
    environment = {**os.environ, "PACE": pace} if pace else {key: os.environ[key] for key in os.environ if key != "PACE"}
    place = f"127.0.0.1:{port}/feast.registry.RegistryServer/GetFeatureView"
    return json.loads(subprocess.check_output([LOAD, "grpc", place, requests, CLIENTS, SECONDS], env=environment))


def timed(act, runs):
    """Median milliseconds."""
    took = []
    for run in range(runs):
        began = time.perf_counter()
        act(run)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e3


def measure(port, stub, process, requests, runs):
    everything = messages.ListFeatureViewsRequest(project="bench", allow_cache=True)
    stub.ListFeatureViews(everything)
    listed = timed(lambda _: stub.ListFeatureViews(everything), runs)
    views = len(stub.ListFeatureViews(everything).feature_views)
    assert views == VIEWS, views
    view = stub.GetFeatureView(messages.GetFeatureViewRequest(name="view_7", project="bench"))

    def apply(run):
        view.spec.description = f"changed {run} by {port}"
        stub.ApplyFeatureView(messages.ApplyFeatureViewRequest(feature_view=view, project="bench", commit=True))

    applied = timed(apply, runs)
    stub.GetFeatureView(messages.GetFeatureViewRequest(name="view_7", project="bench", allow_cache=True))
    flat_out, paced = load(port, requests), load(port, requests, PACE)
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    peak = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    return {"list_ms": listed, "apply_ms": applied, "memory_mib": peak, "flat_out": flat_out, "paced": paced}


def main():
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = "sqlite:///data/registry.db"
        if REGISTRY == "postgres":
            server = stack.enter_context(postgres_server.server())
            server.fresh("bench")
            path = server.url("bench")
        (folder / "feature_store.yaml").write_text(SETTINGS.format(path=path))
        for name, text in yaml_files(VIEWS):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        (folder / "data").mkdir(exist_ok=True)
        subprocess.check_call([FEASTR, "apply", "-q", "--skip-source-validation"], cwd=folder)
        requests = folder / "requests"
        asked = (messages.GetFeatureViewRequest(name=f"view_{i}", project="bench", allow_cache=True) for i in range(VIEWS))
        requests.write_text("".join(json.dumps([request.SerializeToString().hex()]) + "\n" for request in asked))
        port, results = free_port(), {}
        with serving([FEASTR, "serve-registry", "--port", str(port)], port, folder) as (stub, process):
            results["feastr"] = measure(port, stub, process, requests, APPLIES)
        if os.environ.get("FEAST") != "no":
            port = free_port()
            with serving([*FEAST, "serve_registry", "--port", str(port)], port, folder) as (stub, process):
                results["Feast"] = measure(port, stub, process, requests, LISTS)
        for name, figures in results.items():
            print(f"{name}: list of {VIEWS} views {figures['list_ms']:.1f} ms, apply of one {figures['apply_ms']:.1f} ms, "
                  f"memory {figures['memory_mib']:.0f} MiB; GetFeatureView with {CLIENTS} clients "
                  f"{figures['flat_out']['per_second']:.0f}/s, p99 {figures['flat_out']['p99']} us; "
                  f"{PACE}/s each: p50 {figures['paced']['p50']} us, p99 {figures['paced']['p99']} us", flush=True)
        print(json.dumps(results))


main()
