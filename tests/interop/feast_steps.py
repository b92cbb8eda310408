"""Does with Python Feast what a person does with it: feast_steps.py REPO STEPS.json

Importing Feast takes seconds, so one process does several steps. They are a JSON list of objects
with one member, the step's name and what it needs; a JSON list of their results, in their order,
goes to stdout. A step without a result of its own gives what Feast prints. Numbers that JSON does
not have are the texts NaN, Infinity and -Infinity.
"""

import base64
import contextlib
import io
import json
import math
import os
import sys
import warnings
from datetime import date, datetime, timezone
from pathlib import Path

os.environ["TZ"] = "UTC"
warnings.simplefilter("ignore")
repo = Path(sys.argv[1]).resolve()
# Feast's DuckDB store takes the paths of sources from the working directory.
os.chdir(repo)
sys.path.insert(0, str(repo))

import numpy
import pyarrow.parquet
from click.testing import CliRunner
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, repo_operations
from feast.cli.cli import cli as feast_cli
from feast.feature_logging import FeatureServiceLoggingSource
from feast.data_source import PushMode
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.infra.online_stores.remote import get_remote_online_features
from feast.protos.feast.serving.ServingService_pb2 import FieldStatus
from feast.repo_config import load_repo_config
from feast.types import Int64
from google.protobuf.json_format import MessageToDict


def plan():
    repo_operations.plan(config(), repo, skip_source_validation=False)


def apply():
    repo_operations.apply_total(config(), repo, skip_source_validation=False)


def teardown():
    store().teardown()


def apply_rounds(count):
    """Adds an entity and a view, and changes another entity, in each round; deletes nothing."""
    for number in range(count):
        counter = Entity(name="python_counter", join_keys=["counter_id"], description=f"round {number}")
        entity = Entity(name=f"python_{number}", join_keys=[f"python_id_{number}"])
        source = FileSource(name=f"python_source_{number}", path="data/p.parquet", timestamp_field="event_timestamp")
        fields = [Field(name=f"python_id_{number}", dtype=Int64), Field(name="value", dtype=Int64)]
        view = FeatureView(name=f"python_view_{number}", entities=[entity], schema=fields, source=source, online=False)
        store().apply([counter, entity, source, view])


def cli(arguments):
    """What a command of the command line prints."""
    result = CliRunner().invoke(feast_cli, ["--chdir", str(repo), *arguments])
    if result.exception:
        raise result.exception
    return result.output


def materialize(start, end, views=None):
    store().materialize(instant(start), instant(end), feature_views=views)


def push(source, rows, to):
    """Pushes the rows of a parquet file; `to` is the name of a mode."""
    frame = pyarrow.parquet.read_table(rows).to_pandas(integer_object_nulls=True)
    store().push(source, frame, to=PushMode[to.upper()])


def online(entities, full_feature_names=False, **wanted):
    """Values (times as seconds), statuses and event times by name."""
    response = store().get_online_features(
        features=features(**wanted), entity_rows=entities, full_feature_names=full_feature_names
    )
    values = response.to_dict()
    answer = {}
    for name, result in zip(response.proto.metadata.feature_names.val, response.proto.results):
        answer[name] = {
            "values": [plain(value, lambda time: int(time.timestamp())) for value in values[name]],
            "statuses": [FieldStatus.Name(status) for status in result.statuses],
            "event_timestamps": [time.ToJsonString() for time in result.event_timestamps],
        }
    return answer


def ask_server(features, entities):
    """The class of the exception that Feast's client raises for the answer of the server that the online store names."""
    try:
        get_remote_online_features(config=config(), req_body={"features": features, "entities": entities})
    except Exception as error:
        return type(error).__name__


def raised(**step):
    """The class of the exception that another step ends with."""
    [(name, arguments)] = step.items()
    try:
        STEPS[name](**arguments)
    except Exception as error:
        return type(error).__name__
    return "nothing"


def historical(entities, full_feature_names=False, **wanted):
    """The joined table in the order of the column `row`: Feast promises none."""
    job = store().get_historical_features(
        entity_df=pyarrow.parquet.read_table(entities).to_pandas(integer_object_nulls=True),
        features=features(**wanted),
        full_feature_names=full_feature_names,
    )
    return table(job.to_arrow().sort_by("row"))


def logged(service):
    """What is logged of a service, and the columns of a file that Feast itself would write."""
    service, far = store().get_feature_service(service), [datetime(2000, 1, 1), datetime(2100, 1, 1)]
    schema = FeatureServiceLoggingSource(service, store().project).get_schema(store().registry)
    written = io.BytesIO()
    pyarrow.parquet.write_table(schema.empty_table(), written)
    job = store()._get_provider().retrieve_feature_service_logs(
        feature_service=service, start_date=far[0], end_date=far[1], config=store().config, registry=store().registry
    )
    columns = pyarrow.parquet.read_schema(written)
    return {"columns": [[column.name, str(column.type)] for column in columns], "rows": table(job.to_arrow())}


def columns_of(path):
    """The columns of a parquet file."""
    return [[column.name, str(column.type)] for column in pyarrow.parquet.read_schema(path)]


def read(path):
    """A parquet file as it is."""
    return table(pyarrow.parquet.read_table(path))


def save_dataset(name, entities, path, tags, **wanted):
    """Keeps what `historical` gives as a saved dataset."""
    job = store().get_historical_features(
        entity_df=pyarrow.parquet.read_table(entities).to_pandas(integer_object_nulls=True), features=features(**wanted)
    )
    service = store().get_feature_service(wanted["service"]) if "service" in wanted else None
    storage = SavedDatasetFileStorage(path=path)
    store().create_saved_dataset(from_=job, name=name, storage=storage, tags=tags, feature_service=service)


def saved_dataset(name):
    """The rows of a saved dataset, in no order, and what the registry says of it, without its creation."""
    dataset = store().get_saved_dataset(name)
    described = MessageToDict(dataset.to_proto())
    del described["meta"]["createdTimestamp"]
    return {"rows": table(dataset.to_arrow()), "described": described}


def objects():
    """Everything registered and everything declared, by kind and name, without times and states."""
    desired = repo_operations._get_repo_contents(repo, config().project, config())
    opened = store()
    # A plan completes the definitions with what is taken from the sources' files.
    opened.plan(desired)
    registry, project = opened.registry, opened.project
    kinds = {
        "projects": ([registry.get_project(project)], desired.projects),
        "entities": (registry.list_entities(project), desired.entities),
        "data_sources": (registry.list_data_sources(project), desired.data_sources),
        "feature_views": (registry.list_feature_views(project), desired.feature_views),
        "on_demand_feature_views": (registry.list_on_demand_feature_views(project), desired.on_demand_feature_views),
        "stream_feature_views": (registry.list_stream_feature_views(project), desired.stream_feature_views),
        "label_views": (registry.list_label_views(project), desired.label_views),
        "feature_services": (registry.list_feature_services(project), desired.feature_services),
        "permissions": (registry.list_permissions(project), desired.permissions),
        "saved_datasets": (registry.list_saved_datasets(project), []),
    }
    return {
        kind: {"registered": described(registered), "declared": described(declared)}
        for kind, (registered, declared) in kinds.items()
    }


def config():
    return load_repo_config(repo, repo / "feature_store.yaml")


def store():
    return FeatureStore(config=config())


def features(features=None, service=None):
    return features or store().get_feature_service(service)


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def table(arrow):
    """Names, Arrow types and rows; times as ISO 8601 in UTC."""
    rows = [[plain(value, iso) for value in row.values()] for row in arrow.to_pylist()]
    return {"names": arrow.column_names, "types": [str(field.type) for field in arrow.schema], "rows": rows}


def iso(time):
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).isoformat().replace("+00:00", "Z")


def plain(value, from_time):
    """A value as JSON has it."""
    if isinstance(value, (list, tuple, numpy.ndarray)):
        return [plain(element, from_time) for element in value]
    if isinstance(value, numpy.generic):
        value = value.item()
    if isinstance(value, datetime):
        return from_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def described(registered):
    return {thing.name: without_times(MessageToDict(thing.to_proto())) for thing in registered}


def without_times(message):
    """A message without what is of the moment or of the place: `meta` and the owning project."""
    if isinstance(message, list):
        return [without_times(element) for element in message]
    if isinstance(message, dict):
        return {key: without_times(value) for key, value in message.items() if key not in ("meta", "project")}
    return message


STEPS = {
    step.__name__: step
    for step in (
        plan,
        apply,
        apply_rounds,
        teardown,
        cli,
        materialize,
        push,
        online,
        ask_server,
        raised,
        historical,
        logged,
        columns_of,
        read,
        save_dataset,
        saved_dataset,
        objects,
    )
}

results = []
for requested in json.loads(Path(sys.argv[2]).read_text()):
    [(name, arguments)] = requested.items()
    # A step completes the definitions; the next one starts from what is written.
    sys.modules.pop("definitions", None)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        result = STEPS[name](**arguments)
    results.append(printed.getvalue() if result is None else result)
json.dump(results, sys.stdout, allow_nan=False)
