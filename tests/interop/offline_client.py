"""Asks an offline server everything that Python Feast can ask one: offline_client.py REPO

The repo's offline store is the server. What comes back goes to stdout as JSON: of tables their columns and the number of
their rows, of calls that fail the class of the exception.
"""

import json
import os
import sys
import uuid
import warnings
from datetime import datetime, timezone
from pathlib import Path

os.environ["TZ"] = "UTC"
warnings.simplefilter("ignore")
repo = Path(sys.argv[1]).resolve()
os.chdir(repo)

import pandas
import pyarrow
import pyarrow.flight
from feast import FeatureStore, FeatureView, FileSource
from feast.feature_logging import FeatureServiceLoggingSource
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.infra.offline_stores.remote import RemoteOfflineStore

store = FeatureStore(repo_path=str(repo))
answers = {}


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def table(result):
    return {"columns": result.column_names, "rows": result.num_rows}


def failure(act):
    """The class of the exception, or null."""
    try:
        act()
    except Exception as error:
        return type(error).__name__


def answer(name, act):
    try:
        answers[name] = act()
    except Exception as error:
        answers[name] = f"{type(error).__name__}: {error}"


frame = pandas.DataFrame(
    {
        "driver_id": [1001, 1002, 5],
        "event_timestamp": [moment("2021-04-12"), moment("2021-04-11T21:00:00"), moment("2021-04-12")],
    }
)
with_values = frame.assign(val_to_add=[1, 2, 3], val_to_add_2=[10, 20, 30])
features = ["driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips"]


def historical(entity_df=None, features=features, **options):
    return store.get_historical_features(entity_df=entity_df, features=features, **options)


def of_row(result, column, driver=1001):
    rows = result.to_pylist()
    return next(row[column] for row in rows if row.get("driver_id", row.get("origin_id")) == driver)


answer("frame", lambda: table(historical(frame).to_arrow()))
answer("first_conv_rate", lambda: of_row(historical(frame).to_arrow(), "conv_rate"))
answer("full_names", lambda: table(historical(frame, full_feature_names=True).to_arrow()))
service = store.get_feature_service("driver_activity_v2")
answer("service", lambda: table(historical(with_values, service).to_arrow()))
answer("service_value", lambda: of_row(historical(with_values, service).to_arrow(), "conv_rate_plus_val2"))
origins = frame.rename(columns={"driver_id": "origin_id"})
aliased = store.get_feature_service("by_origin")
answer("aliased", lambda: table(historical(origins, aliased, full_feature_names=True).to_arrow()))
answer("aliased_value", lambda: of_row(historical(origins, aliased).to_arrow(), "conv_rate"))
answer("to_df", lambda: len(historical(frame).to_df()))
dates = {"start_date": moment("2021-04-11"), "end_date": moment("2021-04-12")}
answer("range", lambda: table(historical(**dates).to_arrow()))
sql = "SELECT 1001 AS driver_id, TIMESTAMP '2021-04-12 00:00:00' AS event_timestamp"
answer("sql", lambda: table(historical(sql).to_arrow()))
answer("indexed", lambda: table(historical(frame.set_index(pandas.Index([7, 8, 9]))).to_arrow()))

source = store.get_data_source("driver_hourly_stats_source")
view = store.get_feature_view("driver_hourly_stats")


def pull(api, **dates):
    columns = (["driver_id"], ["conv_rate", "avg_daily_trips"], "event_timestamp", "created")
    return getattr(RemoteOfflineStore, api)(store.config, source, *columns, **dates).to_arrow()


whole = {"start_date": moment("2000-01-01"), "end_date": moment("2100-01-01")}
answer("pull_latest", lambda: table(pull("pull_latest_from_table_or_query", **whole)))
answer("pull_all", lambda: table(pull("pull_all_from_table_or_query", **whole)))
answer("pull_all_without_dates", lambda: table(pull("pull_all_from_table_or_query")))

row = pyarrow.Table.from_pydict(
    {
        "event_timestamp": pyarrow.array([moment("2021-04-13")], pyarrow.timestamp("us", "UTC")),
        "driver_id": pyarrow.array([1001], pyarrow.int64()),
        "conv_rate": pyarrow.array([0.5], pyarrow.float32()),
        "acc_rate": pyarrow.array([0.25], pyarrow.float32()),
        "avg_daily_trips": pyarrow.array([7], pyarrow.int64()),
        "created": pyarrow.array([moment("2021-04-13")], pyarrow.timestamp("us", "UTC")),
    }
)


def write(rows):
    RemoteOfflineStore.offline_write_batch(store.config, view, rows, None)


answer("wrote", lambda: write(row))
answer("written", lambda: pull("pull_all_from_table_or_query", **whole).num_rows)
answers["wrong_columns"] = failure(lambda: write(row.drop(["created"])))
answer("validated", lambda: RemoteOfflineStore().validate_data_source(store.config, source))
answer(
    "types",
    lambda: [
        list(column)
        for column in RemoteOfflineStore().get_table_column_names_and_types_from_data_source(store.config, source)
    ],
)


def log():
    service = store.get_feature_service("driver_activity_logged")
    logging_source = FeatureServiceLoggingSource(service, store.project)
    schema = logging_source.get_schema(store.registry)
    rows = pyarrow.Table.from_pylist(
        [{"driver_id": 1001, "__request_id": str(uuid.uuid4()), "__log_timestamp": moment("2021-04-12")}], schema
    )
    RemoteOfflineStore.write_logged_features(store.config, rows, logging_source, service.logging_config, store.registry)


answer("logged", log)


class Registered(SavedDatasetFileStorage):
    """A place that is registered under a name of its own."""

    def to_data_source(self):
        return FileSource(name="kept", path="data/kept.parquet")


answer("persisted", lambda: historical(frame).persist(Registered(path="data/kept.parquet"), allow_overwrite=True))
nowhere = SavedDatasetFileStorage(path="data/nowhere.parquet")
answers["persisted_nowhere"] = failure(lambda: historical(frame).persist(nowhere, allow_overwrite=True))


def ask_for_unknown():
    unknown = FeatureView(name="nope", source=source, entities=[])
    arguments = {"feature_refs": ["nope:x"], "entity_df": frame, "registry": store.registry, "project": store.project}
    RemoteOfflineStore.get_historical_features(store.config, [unknown], **arguments).to_arrow()


answers["unknown_view"] = failure(ask_for_unknown)


def as_older_clients_do():
    """Three calls, as before 0.67."""
    place = store.config.offline_store
    client = pyarrow.flight.FlightClient(f"grpc+tcp://{place.host}:{place.port}")
    command = {
        "command_id": str(uuid.uuid4()),
        "api": "get_historical_features",
        "feature_view_names": ["driver_hourly_stats"],
        "feature_refs": features,
        "project": store.project,
        "full_feature_names": False,
        "name_aliases": [None],
    }
    descriptor = pyarrow.flight.FlightDescriptor.for_command(json.dumps(command))
    rows = pyarrow.Table.from_pandas(frame.head(1))
    writer, _ = client.do_put(descriptor, rows.schema)
    writer.write_table(rows)
    writer.close()
    return table(client.do_get(client.get_flight_info(descriptor).endpoints[0].ticket).read_all())


answer("older", as_older_clients_do)
print(json.dumps(answers))
