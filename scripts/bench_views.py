"""Times plan and apply of a repo with many views, of feastr and of Feast on equal definitions; see scripts/bench.

Variables: VIEWS (500), FEATURES of each (20), SERVICES (50), RUNS (3), REGISTRY (postgres or sqlite),
ONLINE (sqlite or none), FEAST (no: without Feast), RESULTS (a file for the figures as JSON).
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import postgres_server
from measuring import FEAST, head, measure, row, summary

FEASTR = sys.argv[1]
VIEWS, FEATURES = int(os.environ.get("VIEWS", "500")), int(os.environ.get("FEATURES", "20"))
SERVICES, RUNS = int(os.environ.get("SERVICES", "50")), int(os.environ.get("RUNS", "3"))
REGISTRY, ONLINE = os.environ.get("REGISTRY", "postgres"), os.environ.get("ONLINE", "sqlite")
ENTITIES, VIEWS_OF_A_SERVICE, VIEWS_OF_A_FILE = 5, 10, 25
TYPES = ["Float32", "Float64", "Int64", "String"]
SKIP = "--skip-source-validation"

PYTHON = f"""
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Float64, Int64, String
types = [{", ".join(TYPES)}]
entities = [Entity(name=f"entity_{{i}}", join_keys=[f"id_{{i}}"], value_type=ValueType.INT64) for i in range({ENTITIES})]
views = [
    FeatureView(
        name=f"view_{{i}}", entities=[entities[i % {ENTITIES}]], ttl=timedelta(days=1),
        description=f"What is known of number {{i}}", owner="team@example.com", tags={{"team": f"team_{{i % 7}}"}},
        schema=[Field(name=f"feature_{{j}}", dtype=types[j % 4], description=f"Number {{j}} of {{i}}")
                for j in range({FEATURES})],
        source=FileSource(name=f"source_{{i}}", path=f"data/{{i}}.parquet", timestamp_field="event_timestamp",
                          created_timestamp_column="created"))
    for i in range({VIEWS})]
services = [
    FeatureService(name=f"service_{{i}}", features=[views[(i * {VIEWS_OF_A_SERVICE} + k) % {VIEWS}]
                                                    for k in range({VIEWS_OF_A_SERVICE})])
    for i in range({SERVICES})]
"""


def yaml_files(views):
    """What PYTHON declares, as YAML: file names and texts."""
    entities = [f"  - {{name: entity_{i}, join_keys: [id_{i}], value_type: INT64}}" for i in range(ENTITIES)]
    yield "entities.yaml", "\n".join(["entities:", *entities, ""])
    for first in range(0, views, VIEWS_OF_A_FILE):
        sources, declared = ["data_sources:"], ["feature_views:"]
        for i in range(first, min(first + VIEWS_OF_A_FILE, views)):
            sources += [f"  - name: source_{i}", "    type: file", f"    path: data/{i}.parquet",
                        "    timestamp_field: event_timestamp", "    created_timestamp_column: created"]
            declared += [f"  - name: view_{i}", f"    entities: [entity_{i % ENTITIES}]", "    ttl: 1d",
                         f"    description: What is known of number {i}", "    owner: team@example.com",
                         f"    tags: {{team: team_{i % 7}}}", f"    source: source_{i}", "    schema:"]
            declared += [f"      - {{name: feature_{j}, dtype: {TYPES[j % 4]}, description: Number {j} of {i}}}"
                         for j in range(FEATURES)]
        yield f"views/{first:05}.yaml", "\n".join([*sources, *declared, ""])
    services = ["feature_services:"]
    for i in range(SERVICES):
        members = ", ".join(f"view_{(i * VIEWS_OF_A_SERVICE + k) % views}" for k in range(VIEWS_OF_A_SERVICE))
        services.append(f"  - {{name: service_{i}, features: [{members}]}}")
    yield "services.yaml", "\n".join([*services, ""])


class Repo:
    """A repo of one of the tools with a registry of its own."""

    def __init__(self, place, name, files, server):
        self.folder, self.name, self.server = place / name, name, server
        for path, text in files:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        (self.folder / "data").mkdir()
        registry = server.url(name) if server else "sqlite:///data/registry.db"
        online = "{type: sqlite, path: data/online.db}" if ONLINE == "sqlite" else "null"
        (self.folder / "feature_store.yaml").write_text(
            f"project: many\nprovider: local\nregistry: {{registry_type: sql, path: '{registry}'}}\n"
            f"online_store: {online}\noffline_store: {{type: duckdb}}\nentity_key_serialization_version: 3\n")

    def empty(self):
        """Forgets everything that was applied."""
        if self.server:
            self.server.fresh(self.name)
        for file in (self.folder / "data").iterdir():
            file.unlink()

    def first(self, command):
        """One run of a command on an empty registry."""
        self.empty()
        return measure(command, self.folder)


def timed(repo, program, runs):
    """The figures of one tool. Every command runs once before it counts."""
    plan, apply = [*program, "plan", SKIP], [*program, "apply", SKIP]
    repo.first(apply)
    first = [repo.first(apply) for _ in range(runs)]
    for command in (apply, plan):
        measure(command, repo.folder)
    return {
        "first apply": summary(first),
        "plan without changes": summary([measure(plan, repo.folder) for _ in range(runs)]),
        "apply without changes": summary([measure(apply, repo.folder) for _ in range(runs)]),
    }


def must_agree(ours):
    """A registry that does not hold what was declared makes all figures worthless."""
    answer = subprocess.run([FEASTR, "plan", SKIP, "--detailed-exitcode"], cwd=ours.folder, stdout=subprocess.PIPE)
    if answer.returncode:
        sys.exit(f"feastr has changes after its own apply:\n{answer.stdout.decode()[:2000]}")


def main():
    servers = postgres_server.server() if REGISTRY == "postgres" else contextlib.nullcontext()
    with tempfile.TemporaryDirectory() as place, servers as server:
        place = pathlib.Path(place)
        if server:
            place.chmod(0o755)
        ours = Repo(place, "ours", yaml_files(VIEWS), server)
        feastr = timed(ours, [FEASTR], 5 * RUNS)
        must_agree(ours)
        feast = {}
        if os.environ.get("FEAST") != "no":
            theirs = Repo(place, "theirs", [("definitions.py", PYTHON)], server)
            feast = timed(theirs, FEAST, RUNS)
        large = Repo(place, "large", yaml_files(10 * VIEWS), server)
        feastr_large = timed(large, [FEASTR], RUNS)
        head()
        for what, figures in feastr.items():
            row(f"{what}, {VIEWS:,} views × {FEATURES} features", figures, feast.get(what))
        for what, figures in feastr_large.items():
            row(f"{what}, {10 * VIEWS:,} views × {FEATURES} features", figures)
        if results := os.environ.get("RESULTS"):
            keys = ("seconds", "peak_mib")
            named = lambda figures: {what: dict(zip(keys, values)) for what, values in figures.items()}
            pathlib.Path(results).write_text(json.dumps({
                "views": VIEWS, "features": FEATURES, "services": SERVICES, "registry": REGISTRY, "online": ONLINE,
                "feastr": named(feastr), "feast": named(feast), "feastr with ten times the views": named(feastr_large),
            }, indent=2) + "\n")


if __name__ == "__main__":
    main()
