"""The objects of `definitions.yaml`, as Python declares them."""

from datetime import timedelta

from feast import (
    Entity,
    FeatureService,
    FeatureStore,
    FeatureView,
    Field,
    FileSource,
    KafkaSource,
    Project,
    PushSource,
    RequestSource,
    StreamFeatureView,
    ValueType,
)
from feast.aggregation import Aggregation
from feast.data_format import JsonFormat
from feast.labeling.conflict_policy import ConflictPolicy
from feast.labeling.label_view import LabelView
from feast.permissions.action import READ
from feast.permissions.permission import Permission
from feast.permissions.policy import RoleBasedPolicy
from feast.types import Float32, Int64, String

project = Project(name="rides")

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)

stats_file = FileSource(
    name="stats_file",
    path="data/driver_stats.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)
a_push = PushSource(name="a_push", batch_source=stats_file, description="what programs push")
kafka = KafkaSource(
    name="kafka",
    kafka_bootstrap_servers="localhost:9092",
    topic="stats",
    timestamp_field="event_timestamp",
    message_format=JsonFormat(schema_json="driver_id bigint, conv_rate float"),
    batch_source=stats_file,
    watermark_delay_threshold=timedelta(minutes=5),
)
request = RequestSource(
    name="request", schema=[Field(name="val_to_add", dtype=Int64), Field(name="note", dtype=String)]
)

schema = [
    Field(name="driver_id", dtype=Int64),
    Field(name="conv_rate", dtype=Float32),
    Field(name="avg_daily_trips", dtype=Int64),
]
driver_stats = FeatureView(name="driver_stats", entities=[driver], schema=schema, source=stats_file)
driver_pushed = FeatureView(
    name="driver_pushed", entities=[driver], schema=schema, source=a_push, ttl=timedelta(days=2)
)
driver_stream = StreamFeatureView(
    name="driver_stream",
    entities=[driver],
    schema=schema,
    source=kafka,
    timestamp_field="event_timestamp",
    aggregations=[Aggregation(column="conv_rate", function="sum", time_window=timedelta(hours=1))],
)
driver_labels = LabelView(
    name="driver_labels",
    entities=[driver],
    schema=[Field(name="driver_id", dtype=Int64), Field(name="is_good", dtype=Int64), Field(name="labeler", dtype=String)],
    source=a_push,
    conflict_policy=ConflictPolicy.MAJORITY_VOTE,
    reference_feature_view="driver_stats",
)

# Python cannot declare it; as Python Feast loads it from the registry it counts as declared.
driver_sums = FeatureStore(repo_path=".").get_on_demand_feature_view("driver_sums")

everything = FeatureService(
    name="everything",
    features=[driver_stats[["conv_rate"]], driver_pushed.with_name("fresh"), driver_sums, driver_stream, driver_labels],
)

reader = Permission(
    name="reader",
    types=[FeatureView, FeatureService],
    name_patterns=["driver_.*"],
    policy=RoleBasedPolicy(roles=["analyst"]),
    actions=READ,
)
