"""Records Feast once more with other names and other values: record_golden.py OUT [FROM]

FROM is a set of recordings with its inputs (definitions.py and parquet files); OUT becomes one of the same layout, for

    FEASTR_GOLDEN=OUT scripts/test.sh golden

Projects, entities, views, features, services, sources and columns are called otherwise, numbers in the data are others,
and so are the folders below `registry`. Everything that depends on them is recorded anew by running Feast: registries
(SQLite, PostgreSQL, file), online stores (SQLite, Redis), historical cases, keys and hashes, plans. What has no names
is copied. Needs the Python with Feast of scripts/test.sh, redis-server and PostgreSQL; takes three minutes.
"""

import contextlib
import io
import json
import linecache
import multiprocessing
import os
import pathlib
import re
import shutil
import sqlite3
import sys
import tempfile
from datetime import datetime, timezone

os.environ["TZ"] = "UTC"
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2] / "scripts"))

# Patterns over the texts of definitions, names of files and columns, arguments and cases.
RENAMES = [(re.compile(pattern), name) for pattern, name in [
    (r"feastlocal_hist", "fares_past"), (r"feastlocal", "fares"), (r"feastextra", "kiosk"),
    (r"driver_hourly_stats", "chauffeur_figures"), (r"driver_stats", "chauffeur_rows"),
    (r"driver_activity", "chauffeur_use"), (r"driver_performance", "people"),
    (r"driver_id", "chauffeur_no"), (r"\bdriver\b", "chauffeur"),
    (r"conv_rate", "accepted_share"), (r"acc_rate", "fine_share"), (r"avg_daily_trips", "rides_a_day"),
    (r"transformed_", "derived_"), (r"vals_to_add", "summands"), (r"val_to_add", "summand"), (r"plus_val", "with_val"),
    (r"item_types_", "thing_kinds_"), (r"item_id", "thing_no"), (r"\bitem\b", "thing"),
    (r"customer", "guest"), (r"merchant", "stand"), (r"\bvisits\b", "calls"), (r"spend", "outlay"),
    (r"composite", "pairs"), (r"global", "everywhere"), (r"open_orders", "waiting"), (r"load_avg", "pressure"),
    (r"\bcombo\b", "bundle"), (r"\brenamed\b", "also_called"), (r"\bx_", "odd_"), (r"\bf_(?=[a-z])", "one_"),
    (r"\bl_(?=[a-z])", "many_"), (r"other_(?=\"|[a-z]+(_[a-z0-9]+)?\.parquet)", "odd_file_"),
    (r"day_view", "daily"), (r"hour_view", "hourly"), (r"forever_view", "ageless"), (r"naive_view", "zoneless"),
    (r"pair_view", "couples"), (r"everywhere_view", "all_over"), (r"naive_value", "zoneless_value"),
    (r"\blabel\b", "tagline"), (r"\bsince\b", "from_day"), (r"amount", "sum_paid"), (r"\bodfv_", "computed_"),
    (r"py_sum", "total"), (r"\bsvc_", "offer_"), (r"origin", "start"), (r"\bdest\b", "target"),
    (r"\bdest_", "target_"), (r"\btoday\b", "lately"), (r"\balways\b", "ever"), (r"\breader\b", "viewer"),
    (r"super-viewer", "auditor"), (r"owner@example", "somebody@example"),
]]
# Columns of sources only: entity rows have the name that Feast looks for.
SOURCE_RENAMES = [(re.compile(r"\bevent_timestamp\b"), "happened"), (re.compile(r"\bcreated\b"), "written")]
SHIFT, FACTOR, SMALL = 17, 1.25, 1_000_000

FOLDERS = {"local_pandas": "fares_frames", "local_python": "fares_rows", "extra": "stall"}
ONLINE = {"local": "town", "extra": "stall"}


def renamed(text, source=False):
    for pattern, name in RENAMES + (SOURCE_RENAMES if source else []):
        text = pattern.sub(name, text)
    return text


def everywhere(value):
    """JSON with all of its texts renamed."""
    return json.loads(renamed(json.dumps(value, ensure_ascii=False)))


def changed_table(table, source):
    """The table with other names of columns and other numbers."""
    import pyarrow
    import pyarrow.types as types

    def number(value):
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < SMALL:
            return value + SHIFT
        if isinstance(value, float):
            return value * FACTOR
        return str(int(value) + SHIFT) if isinstance(value, str) and value.isdigit() else value

    columns = []
    for field, column in zip(table.schema, table.columns):
        kind = field.type
        if types.is_integer(kind) or types.is_floating(kind) or types.is_string(kind):
            column = pyarrow.array([number(value) for value in column.to_pylist()], kind)
        columns.append(column)
    names = [renamed(name, source) for name in table.column_names]
    return pyarrow.table(dict(zip(names, columns)))


def copy_input(source, target):
    """Definitions and data of a repo, renamed and changed."""
    import pyarrow.parquet

    for path in sorted(source.rglob("*")):
        place = target / renamed(str(path.relative_to(source)))
        if path.suffix == ".parquet":
            place.parent.mkdir(parents=True, exist_ok=True)
            pyarrow.parquet.write_table(changed_table(pyarrow.parquet.read_table(path), True), place)
        elif path.suffix == ".py":
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(renamed(path.read_text(), True))


def settings(project, registry, online, offline="duckdb"):
    return json.dumps({
        "project": project, "provider": "local", "registry": registry, "online_store": online,
        "offline_store": {"type": offline}, "entity_key_serialization_version": 3, "auth": {"type": "no_auth"},
    }, indent=1)


SQLITE_ONLINE = {"type": "sqlite", "path": "data/online_store.db"}
SQLITE_REGISTRY = {"registry_type": "sql", "path": "sqlite:///data/registry_sql.db"}


def make_repo(folder, given, text):
    shutil.copytree(given, folder)
    (folder / "data").mkdir(exist_ok=True)
    (folder / "feature_store.yaml").write_text(text)
    os.chdir(folder)
    sys.path.insert(0, str(folder))


def feast(*args):
    """Runs a command line; gives the record of it."""
    from click.testing import CliRunner
    from feast.cli.cli import cli

    # The text of an edited function is another one.
    linecache.clearcache()
    for module in ("definitions", "permissions", "extras"):
        sys.modules.pop(module, None)
    with contextlib.redirect_stdout(io.StringIO()) as more:
        result = CliRunner().invoke(cli, list(args))
    return {"args": list(args), "exit_code": result.exit_code, "stdout": more.getvalue() + result.stdout, "stderr": ""}


def apply():
    step = feast("apply")
    assert step["exit_code"] == 0, step
    return step


# Registries


def message_json(message, blob):
    from google.protobuf.json_format import MessageToDict

    parsed = message.FromString(blob)
    return {"hex": blob.hex(), "message": message.DESCRIPTOR.full_name,
            "json": MessageToDict(parsed, preserving_proto_field_name=True), "reserialized_equal": True}


def messages():
    from feast.protos.feast.core import (
        DataSource_pb2, Entity_pb2, FeatureService_pb2, FeatureView_pb2, InfraObject_pb2, OnDemandFeatureView_pb2,
        Permission_pb2, Project_pb2,
    )

    return {
        "data_sources": DataSource_pb2.DataSource, "entities": Entity_pb2.Entity,
        "feature_services": FeatureService_pb2.FeatureService, "feature_views": FeatureView_pb2.FeatureView,
        "on_demand_feature_views": OnDemandFeatureView_pb2.OnDemandFeatureView, "managed_infra": InfraObject_pb2.Infra,
        "permissions": Permission_pb2.Permission, "projects": Project_pb2.Project,
        "feature_view": FeatureView_pb2.FeatureView,
        "on_demand_feature_view": OnDemandFeatureView_pb2.OnDemandFeatureView,
    }


def recorded_rows(names, rows_of):
    tables = {}
    for table in sorted(names):
        tables[table] = []
        for row in rows_of(table):
            message = messages().get(row.get("feature_view_type", table))
            blobs = {column: bytes(value) for column, value in row.items() if isinstance(value, (bytes, memoryview))}
            tables[table].append({**row, **{column: message_json(message, blob) for column, blob in blobs.items()}})
    return tables


def sqlite_rows(path):
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows_of = lambda table: map(dict, connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2"))
    return recorded_rows(names, rows_of)


def postgres_rows(url):
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(url.replace("+psycopg", ""), row_factory=dict_row) as connection:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        names = [row["table_name"] for row in connection.execute(query)]
        return recorded_rows(names, lambda table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall())


def record_registry(work, given, project, target, kind, postgres):
    registries = {"sqlite": SQLITE_REGISTRY, "file": "data/registry.db",
                  "postgres": {"registry_type": "sql", "path": postgres}}
    make_repo(work, given, settings(project, registries[kind], SQLITE_ONLINE))
    apply()
    apply()
    if kind == "sqlite":
        write(target / "sqlite_rows.json", sqlite_rows(work / "data/registry_sql.db"))
    elif kind == "postgres":
        write(target / "postgres_rows.json", postgres_rows(postgres))
    else:
        from feast.protos.feast.core.Registry_pb2 import Registry

        shutil.copy(work / "data/registry.db", target / "registry.db")
        blob = (target / "registry.db").read_bytes()
        write(target / "registry.json", message_json(Registry, blob)["json"])


# Online stores


def value_json(blob):
    from feast.protos.feast.types.Value_pb2 import Value
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(Value.FromString(blob), preserving_proto_field_name=True)


def online_sqlite(path):
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    tables = {}
    for table in names:
        rows = [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY entity_key, feature_name")]
        tables[table] = [{**row, "entity_key": {"hex": row["entity_key"].hex()},
                          "value": {"hex": row["value"].hex(), "json": value_json(row["value"])}} for row in rows]
    return {"schema": [], "tables": tables}


def online_redis(client, project, fields):
    keys = []
    for key in sorted(client.scan_iter()):
        assert key.endswith(project.encode())
        values = []
        for field, value in sorted(client.hgetall(key).items()):
            name = field.decode() if field.startswith(b"_ts:") else fields[field]
            values.append({"field_hex": field.hex(), "value_hex": value.hex(), "field": name})
        keys.append({"key_hex": key.hex(), "redis_type": "hash", "ttl_seconds": client.ttl(key),
                     "project_suffix": project, "fields": values})
    return keys


def field_names():
    """Feature references by their Redis fields."""
    from feast import FeatureStore
    from feast.infra.online_stores.helpers import _mmh3

    views = FeatureStore(".").list_feature_views()
    names = [f"{view.name}:{feature.name}" for view in views for feature in view.features]
    return {_mmh3(name): name for name in names}


def with_intervals(step):
    """The step with what the registry says about materialization afterwards."""
    from feast import FeatureStore

    moment = lambda time: time.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    intervals = {view.name: {"materialization_intervals": [
        {"start_time": moment(start), "end_time": moment(end)} for start, end in view.materialization_intervals
    ]} for view in FeatureStore(".").list_feature_views()}
    return {**step, "intervals_after": intervals}


def record_sqlite(work, given, project, target, prefix, steps, single):
    make_repo(work, given, settings(project, SQLITE_REGISTRY, SQLITE_ONLINE))
    apply()
    done = []
    for args in steps:
        step = feast(*args)
        done.append(step if single else with_intervals(step))
        if not single and len(done) == 1:
            write(target / f"{prefix}_sqlite_1_materialize.json", online_sqlite(work / "data/online_store.db"))
    if single:
        write(target / f"{prefix}_sqlite.json", online_sqlite(work / "data/online_store.db"))
    write(target / f"{prefix}_sqlite_steps.json", done)


def redis_online(port, more=None):
    return {"type": "redis", "connection_string": f"127.0.0.1:{port},db=0", **(more or {})}


def record_redis_states(work, given, project, target, prefix, steps, port):
    import redis

    client = redis.Redis(port=port)
    client.flushall()
    make_repo(work, given, settings(project, SQLITE_REGISTRY, redis_online(port)))
    apply()
    fields, states, done = field_names(), [], []
    for args in steps:
        done.append(with_intervals(feast(*args)))
        state = online_redis(client, project, fields)
        if state not in states[-1:]:
            states.append(state)
    write(target / f"{prefix}_intervals.json", done)
    for number, (state, word) in enumerate(zip(states, ["materialize", "incremental", "null_row", "more"]), 1):
        write(target / f"{prefix}_redis_{number}_{word}.json", state)

    # The same repo: a view removed, then everything.
    client.flushall()
    feast("materialize", "2021-04-11T19:00:00", "2021-04-12T00:00:00")
    recorded = {"before": online_redis(client, project, fields)}
    remove_fresh(work / "definitions.py")
    recorded["steps"] = [feast("apply"), None]
    recorded["after_view_removed"] = online_redis(client, project, fields)
    recorded["steps"][1] = feast("teardown")
    recorded["after_teardown"] = online_redis(client, project, fields)
    write(target / "delete_and_teardown.json", recorded)


def record_redis_ttl(work, given, project, target, port, view):
    import redis

    client = redis.Redis(port=port)
    client.flushall()
    make_repo(work, given, settings(project, SQLITE_REGISTRY, redis_online(port, {"key_ttl_seconds": 4321})))
    apply()
    feast("materialize", "2021-04-11T19:00:00", "2021-04-12T00:00:00", "--views", view)
    state = online_redis(client, project, field_names())
    write(target / "key_ttl_seconds.json", {"key_ttl_seconds": 4321, "after_first": state})


def record_redis_types(work, given, project, target, name, offline, steps, port):
    import redis

    client = redis.Redis(port=port)
    client.flushall()
    make_repo(work, given, settings(project, SQLITE_REGISTRY, redis_online(port), offline))
    apply()
    for args in steps:
        feast(*args)
    write(target / f"{name}_redis.json", online_redis(client, project, field_names()))


# Historical cases


def record_historical(work, given, cases, target):
    import pyarrow
    import pyarrow.parquet
    from feast import FeatureStore

    make_repo(work, given, settings("fares_past", "data/registry.db", SQLITE_ONLINE))
    apply()
    store = FeatureStore(".")
    for source in sorted(path.parent for path in cases.glob("*/case.json")):
        case = everywhere(json.loads((source / "case.json").read_text()))
        folder = target / renamed(source.name)
        folder.mkdir(parents=True)
        entities, rows = None, source / "entity.parquet"
        if rows.exists():
            table = changed_table(pyarrow.parquet.read_table(rows), False)
            pyarrow.parquet.write_table(table, folder / "entity.parquet")
            entities = table.to_pandas()
        elif isinstance(case["entity"], str):
            entities = case["entity"]
        moment = lambda value: datetime.fromisoformat(value) if isinstance(value, str) else value
        options = {name: moment(value) for name, value in case["options"].items()}
        try:
            if "feature_service" in case:
                features = store.get_feature_service(case["feature_service"])
            else:
                features = case["features"]
            answer = store.get_historical_features(entity_df=entities, features=features, **options).to_df()
            schema = pyarrow.Table.from_pandas(answer, preserve_index=False)
            pyarrow.parquet.write_table(schema, folder / "duckdb.parquet")
            outcome = {"columns": list(answer.columns)}
        except Exception as error:
            outcome = {"error": f"{type(error).__name__}: {error}"}
        asked = {key: case[key] for key in ("features", "feature_service", "entity", "options") if key in case}
        write(folder / "case.json", {"name": folder.name, **asked, "duckdb": outcome})


# Commands


def remove_fresh(path):
    """The view over a push source, and what stands on it."""
    text = path.read_text()
    text = re.sub(r"\nchauffeur_figures_fresh = FeatureView\(.*?\n\)\n", "\n", text, flags=re.S)
    on_demand = r"\n@on_demand_feature_view\(\n    sources=\[chauffeur_figures_fresh.*?    return \w+\n"
    text = re.sub(on_demand, "\n", text, flags=re.S)
    text = re.sub(r"\nchauffeur_use_v3 = .*", "\n", text)
    path.write_text(text)


def record_plans(work, given, project, target):
    make_repo(work, given, settings(project, SQLITE_REGISTRY, SQLITE_ONLINE))
    definitions = work / "definitions.py"

    def replace(old, new):
        text = definitions.read_text()
        assert old in text, old
        definitions.write_text(text.replace(old, new, 1))

    in_definitions = lambda old, new: lambda: replace(old, new)
    field = '        Field(name="rides_a_day"'
    edits = {
        "fresh repository": lambda: None,
        "no change": lambda: None,
        "feature_added": in_definitions(field, f'        Field(name="more", dtype=Int64),\n{field}'),
        "ttl_changed": in_definitions("timedelta(days=1)", "timedelta(hours=40)"),
        "entity_changed": in_definitions("ValueType.INT64)", "ValueType.INT64, description='who drives')"),
        "service_changed": in_definitions('[["accepted_share"]]', '[["fine_share"]]'),
        "source_changed": in_definitions('timestamp_field="happened",', 'timestamp_field="happened", tags={"a": "b"},'),
        "odfv_changed": in_definitions('inputs["summand_2"]', 'inputs["summand_2"] + 1'),
        "online_false": in_definitions("online=True", "online=False"),
        "view_deleted": lambda: remove_fresh(definitions),
        "everything_deleted": lambda: definitions.write_text(""),
        "permission_deleted": lambda: (work / "permissions.py").write_text(""),
    }
    steps = []
    for note, edit in edits.items():
        edit()
        steps += [{"note": note, **feast(command)} for command in ("plan", "apply")]
    failed = [step for step in steps if step["exit_code"] != 0]
    assert not failed, failed
    write(target / "plan_apply_sqlite_online.json", steps)


def record_dump(work, given, project, target):
    make_repo(work, given, settings(project, SQLITE_REGISTRY, SQLITE_ONLINE))
    apply()
    write(target, feast("registry-dump"))


# Vectors


def record_vectors(source, target):
    from feast.infra.key_encoding_utils import serialize_entity_key, serialize_entity_key_prefix
    from feast.infra.online_stores.helpers import _mmh3
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from google.protobuf.json_format import ParseDict

    keys = json.loads((source / "entity_keys.json").read_text())
    vectors = []
    for vector in keys["vectors"]:
        names = [renamed(name) for name in vector["join_keys"]]
        message = EntityKey.FromString(bytes.fromhex(vector["entity_key_proto_hex"]))
        del message.join_keys[:]
        message.join_keys.extend(names)
        for value, recorded in zip(message.entity_values, vector["values"]):
            if value.WhichOneof("val") == "int64_val" and abs(value.int64_val) < SMALL:
                value.int64_val += SHIFT
                recorded["int64_val"] = str(value.int64_val)
        vectors.append({**vector, "join_keys": names, "hex": serialize_entity_key(message, 3).hex(),
                        "entity_key_proto_hex": message.SerializeToString().hex(),
                        "deserialized_join_keys": sorted(names)})
    prefixes = [[renamed(name) for name in prefix["join_keys"]] for prefix in keys["prefixes"]]
    keys["prefixes"] = [{"join_keys": names, "hex": serialize_entity_key_prefix(names, 3).hex()} for names in prefixes]
    write(target / "entity_keys.json", {**keys, "vectors": vectors})
    hashes = json.loads((source / "feature_hash.json").read_text())
    texts = [renamed(vector["text"]) for vector in hashes["vectors"]]
    write(target / "feature_hash.json", {"vectors": [{"text": text, "hex": _mmh3(text).hex()} for text in texts]})
    for name in ("timestamps.json", "values.json", "python_conversions.json"):
        shutil.copy(source / name, target / name)


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False))


def in_a_process(record, *args):
    """Feast keeps the definitions of a repo in its process: each has one of its own, and a folder."""
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder) / "repo"
        process = multiprocessing.get_context("spawn").Process(target=record, args=(work, *args))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(f"{record.__name__} failed")
    print(record.__name__, *(arg for arg in args if isinstance(arg, str)), file=sys.stderr)


def main(out, source):
    import postgres_server
    import redis_server

    for name in ("protos", "registry_server"):
        shutil.copytree(source / name, out / name)
    (out / "registry").mkdir()
    shutil.copy(source / "registry/sqlite_schema.json", out / "registry/sqlite_schema.json")
    (out / "vectors").mkdir()
    record_vectors(source / "vectors", out / "vectors")
    for name in ("yaml_errors.json", "apply_errors.json"):
        write(out / "cli" / name, everywhere(json.loads((source / "cli" / name).read_text())))

    projects, inputs = {}, {}
    for theirs, ours in FOLDERS.items():
        given = out / "registry" / ours / "input"
        copy_input(source / "registry" / theirs / "input", given)
        inputs[theirs], projects[theirs] = given, "kiosk" if theirs == "extra" else "fares"
    with postgres_server.server() as server:
        for theirs, ours in FOLDERS.items():
            given = inputs[theirs]
            # Only one of the repos of this project was recorded with the data that the others need to be applied.
            with tempfile.TemporaryDirectory() as folder:
                whole = pathlib.Path(folder) / "input"
                shutil.copytree(given, whole)
                if not (whole / "data").exists():
                    shutil.copytree(inputs["local_pandas"] / "data", whole / "data")
                for kind in ("sqlite", "file"):
                    in_a_process(record_registry, whole, projects[theirs], out / "registry" / ours, kind, None)
                if (source / "registry" / theirs / "postgres_rows.json").exists():
                    server.fresh(ours)
                    in_a_process(
                        record_registry, whole, projects[theirs], out / "registry" / ours, "postgres", server.url(ours)
                    )
    def steps(name):
        recorded = json.loads((source / "online" / f"{name}.json").read_text())
        return [[renamed(arg) for arg in step["args"]] for step in recorded]

    online = out / "online"
    for theirs, name, single in (("local_pandas", "local", False), ("extra", "extra", True)):
        commands = steps(f"{name}_sqlite_steps")
        in_a_process(record_sqlite, inputs[theirs], projects[theirs], online, ONLINE[name], commands, single)
    with redis_server.running() as (_, port):
        states = steps("local_intervals")[:5]
        in_a_process(record_redis_states, inputs["local_pandas"], "fares", online, ONLINE["local"], states, port)
        in_a_process(record_redis_ttl, inputs["local_pandas"], "fares", online, port, "chauffeur_figures")
        for offline in ("dask", "duckdb"):
            name, commands = f"{ONLINE['extra']}_{offline}", steps("extra_sqlite_steps")
            in_a_process(record_redis_types, inputs["extra"], "kiosk", online, name, offline, commands, port)
    past = out / "historical/input"
    copy_input(source / "historical/input", past)
    in_a_process(record_historical, past, source / "historical/cases", out / "historical/cases")
    in_a_process(record_plans, inputs["local_pandas"], "fares", out / "cli")
    dumps = []
    for theirs in ("local_pandas", "extra"):
        in_a_process(record_dump, inputs[theirs], projects[theirs], out / "cli/dump.json")
        dumps.append(json.loads((out / "cli/dump.json").read_text()))
    (out / "cli/dump.json").unlink()
    write(out / "cli/inspect.json", dumps)


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1]).resolve()
    target.mkdir()
    main(target, pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else HERE.parents[1] / "golden")
