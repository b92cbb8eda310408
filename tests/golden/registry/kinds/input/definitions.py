"""One of every kind of object that Feast 0.67 can write, for the recording beside this file."""

from datetime import timedelta

import pandas as pd
from feast import (
    BatchFeatureView, Entity, FeatureService, FeatureView, Field, FileSource, KafkaSource, KinesisSource,
    Project, PushSource, RequestSource, StreamFeatureView, ValueType,
)
from feast.aggregation import Aggregation
from feast.data_format import AvroFormat, DeltaFormat, JsonFormat, ParquetFormat, ProtoFormat
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.bigquery_source import BigQuerySource, SavedDatasetBigQueryStorage
from feast.infra.offline_stores.contrib.athena_offline_store.athena_source import AthenaSource
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import (
    PostgreSQLSource, SavedDatasetPostgreSQLStorage,
)
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SavedDatasetSparkStorage, SparkSource
from feast.infra.offline_stores.contrib.trino_offline_store.trino_source import TrinoSource
from feast.infra.offline_stores.file_source import FileLoggingDestination, SavedDatasetFileStorage
from feast.infra.offline_stores.redshift_source import RedshiftSource
from feast.infra.offline_stores.snowflake_source import SnowflakeSource
from feast.labeling.conflict_policy import ConflictPolicy
from feast.labeling.label_view import LabelView
from feast.on_demand_feature_view import on_demand_feature_view
from feast.permissions.action import ALL_ACTIONS, READ, AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import (
    CombinedGroupNamespacePolicy, GroupBasedPolicy, NamespaceBasedPolicy, RoleBasedPolicy,
)
from feast.saved_dataset import SavedDataset
from feast.types import Array, Float32, Float64, Int64, String

project = Project(name="kinds", description="every kind", tags={"team": "ml"}, owner="us@example.com")

rider = Entity(name="rider", join_keys=["rider_id"], value_type=ValueType.INT64)
city = Entity(name="city", join_keys=["city_name"], value_type=ValueType.STRING)

rides_file = FileSource(
    name="rides_file", path="data/rides.parquet", timestamp_field="at", created_timestamp_column="created",
    field_mapping={"km": "distance"}, file_format=ParquetFormat(), description="rides", owner="us@example.com",
    tags={"origin": "app"},
)
delta_file = FileSource(name="delta_file", path="s3://bucket/t", timestamp_field="at", file_format=DeltaFormat(),
                        s3_endpoint_override="http://localhost:9000")
rides_push = PushSource(name="rides_push", batch_source=rides_file, description="pushed", tags={"k": "v"})
lonely_push = PushSource(name="rides_push_of_table", batch_source=None or rides_file)
request = RequestSource(name="request", schema=[Field(name="tip", dtype=Float64), Field(name="words", dtype=Array(String))],
                        description="of the app", tags={"a": "b"}, owner="us@example.com")
rides_kafka = KafkaSource(
    name="rides_kafka", kafka_bootstrap_servers="a:9092,b:9092", topic="rides", timestamp_field="at",
    message_format=JsonFormat(schema_json="rider_id integer, at timestamp, distance double"), batch_source=rides_file,
    watermark_delay_threshold=timedelta(minutes=5), field_mapping={"dist": "distance"}, description="live", owner="us@example.com",
)
avro_kafka = KafkaSource(name="avro_kafka", kafka_bootstrap_servers="a:9092", topic="t", timestamp_field="at",
                         message_format=AvroFormat(schema_json="{}"), batch_source=rides_file)
rides_kinesis = KinesisSource(name="rides_kinesis", region="eu-west-1", stream_name="rides", timestamp_field="at",
                              record_format=ProtoFormat(class_path="com.example.Ride"), batch_source=rides_file)
pg_table = PostgreSQLSource(name="pg_table", table="public.rides", timestamp_field="at", created_timestamp_column="created",
                            tags={"x": "y"}, description="d", owner="us@example.com")
pg_query = PostgreSQLSource(name="pg_query", query="SELECT 'é' AS a, \"b\" FROM t", timestamp_field="at")
pg_unnamed = PostgreSQLSource(table="public.unnamed", timestamp_field="at")
spark = SparkSource(name="spark", path="s3://bucket/rides", file_format="parquet", timestamp_field="at",
                    date_partition_column="day", date_partition_column_format="%Y-%m-%d")
spark_table = SparkSource(name="spark_table", table="rides", timestamp_field="at")
bigquery = BigQuerySource(name="bigquery", table="p.d.t", timestamp_field="at")
bigquery_date = BigQuerySource(name="bigquery_date", table="p.d.t", timestamp_field="at", timestamp_field_type="DATE")
redshift = RedshiftSource(name="redshift", table="t", schema="s", database="d", timestamp_field="at")
snowflake = SnowflakeSource(name="snowflake", table="T", schema="S", database="D", timestamp_field="at")
trino = TrinoSource(name="trino", table="c.s.t", timestamp_field="at")
athena = AthenaSource(name="athena", table="t", database="d", data_source="AwsDataCatalog", timestamp_field="at")

columns = [Field(name="rider_id", dtype=Int64), Field(name="distance", dtype=Float32, description="in km", tags={"unit": "km"}),
           Field(name="rides", dtype=Int64)]
rider_rides = FeatureView(name="rider_rides", entities=[rider], ttl=timedelta(days=1), schema=columns, source=rides_file,
                          tags={"t": "1"}, description="rides of a rider", owner="us@example.com", org="acme", offline=True)
rider_pushed = FeatureView(name="rider_pushed", entities=[rider], schema=columns, source=rides_push)
rider_live = FeatureView(name="rider_live", entities=[rider], schema=columns, source=rides_kafka, online=False)
rider_pg = FeatureView(name="rider_pg", entities=[rider], schema=columns, source=pg_query, ttl=timedelta(hours=2))
rider_spark = FeatureView(name="rider_spark", entities=[rider], schema=columns, source=spark)
rider_bigquery = FeatureView(name="rider_bigquery", entities=[rider], schema=columns, source=bigquery)
pinned = FeatureView(name="pinned", entities=[rider], schema=columns, source=rides_file, version="v0")

rider_stream = StreamFeatureView(
    name="rider_stream", entities=[rider], ttl=timedelta(hours=3), schema=columns, source=rides_kafka,
    timestamp_field="at", mode="spark",
    aggregations=[Aggregation(column="distance", function="sum", time_window=timedelta(hours=1)),
                  Aggregation(column="distance", function="max", time_window=timedelta(hours=2),
                              slide_interval=timedelta(minutes=30), name="longest")],
    tags={"s": "t"}, description="streamed", owner="us@example.com", org="acme", online=True,
)
tiled_stream = StreamFeatureView(
    name="tiled_stream", entities=[rider], schema=columns, source=rides_kafka, timestamp_field="at", enable_tiling=True,
    aggregations=[Aggregation(column="distance", function="sum", time_window=timedelta(hours=1))],
    tiling_hop_size=timedelta(minutes=10),
)
pushed_stream = StreamFeatureView(name="pushed_stream", entities=[city], source=rides_push,
                                  schema=[Field(name="city_name", dtype=String), Field(name="rides", dtype=Int64)])


def shorten(df):
    return df


udf_stream = StreamFeatureView(name="udf_stream", entities=[rider], schema=columns, source=rides_kafka, timestamp_field="at",
                               mode="python", udf=shorten, udf_string="def shorten(df):\n    return df\n",
                               aggregations=[Aggregation(column="distance", function="sum", time_window=timedelta(hours=1))])


@on_demand_feature_view(sources=[rider_rides, request], mode="pandas", schema=[Field(name="tip_per_km", dtype=Float64)])
def tips(inputs: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["tip_per_km"] = inputs["tip"] / inputs["distance"]
    return out


labels = LabelView(name="ride_labels", entities=[rider], schema=[Field(name="rider_id", dtype=Int64), Field(name="is_fraud", dtype=Int64),
                   Field(name="labeler", dtype=String)], source=rides_push, labeler_field="labeler",
                   conflict_policy=ConflictPolicy.MAJORITY_VOTE, reference_feature_view="rider_rides", ttl=timedelta(days=3),
                   description="who cheats", owner="us@example.com", tags={"l": "m"})

everything = FeatureService(
    name="everything",
    features=[rider_rides[["distance"]], rider_pushed.with_name("fresh").with_join_key_map({"rider_id": "driver"}), tips,
              labels, rider_stream],
    description="all", owner="us@example.com", tags={"f": "s"},
    logging_config=LoggingConfig(destination=FileLoggingDestination(path="data/log", partition_by=["day"]), sample_rate=0.25),
)
plain = FeatureService(name="plain", features=[rider_rides, rider_stream, labels[["is_fraud"]]])

permissions = [
    Permission(name="everybody"),
    Permission(name="by_role", types=[FeatureView, FeatureService], name_patterns=["rider_.*", "x"], policy=RoleBasedPolicy(roles=["a", "b"]),
               actions=READ, required_tags={"pii": "no"}, tags={"p": "q"}),
    Permission(name="by_group", types=[Entity], policy=GroupBasedPolicy(groups=["g"]), actions=[AuthzedAction.DESCRIBE]),
    Permission(name="by_namespace", types=[FeatureView], policy=NamespaceBasedPolicy(namespaces=["n"]), actions=ALL_ACTIONS),
    Permission(name="by_both", types=[FeatureView], policy=CombinedGroupNamespacePolicy(groups=["g"], namespaces=["n", "m"]),
               actions=[AuthzedAction.WRITE_ONLINE]),
]
by_role, by_group, everybody, by_namespace, by_both = permissions

datasets = [
    SavedDataset(name="training", features=["rider_rides:distance"], join_keys=["rider_id"], full_feature_names=True,
                 storage=SavedDatasetFileStorage(path="data/training.parquet", file_format=ParquetFormat()), tags={"d": "e"},
                 feature_service_name="plain", namespace="n", collection="c", description="of May"),
    SavedDataset(name="in_postgres", features=["rider_rides:distance"], join_keys=["rider_id"], storage=SavedDatasetPostgreSQLStorage(table_ref="public.t")),
    SavedDataset(name="in_spark", features=[], join_keys=[], storage=SavedDatasetSparkStorage(path="s3://b/x", file_format="parquet")),
    SavedDataset(name="in_bigquery", features=[], join_keys=[], storage=SavedDatasetBigQueryStorage(table="p.d.t")),
]
