"""What Python Feast gets from a registry server: objects of every kind are applied, read, listed and removed.

Prints one JSON object. Whatever raises is told by the class and the words of what is raised.
"""

import json
import os
import sys
import warnings
from datetime import datetime, timedelta, timezone

warnings.filterwarnings("ignore")

import pandas as pd
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
from feast.infra.infra_object import Infra
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.infra.online_stores.sqlite import SqliteTable
from feast.labeling.conflict_policy import ConflictPolicy
from feast.labeling.label_view import LabelView
from feast.on_demand_feature_view import on_demand_feature_view
from feast.permissions.action import READ
from feast.permissions.permission import Permission
from feast.permissions.policy import RoleBasedPolicy
from feast.saved_dataset import SavedDataset, ValidationReference
from feast.types import Float64, Int64, String

PROJECT = "shop"
store = FeatureStore(repo_path=sys.argv[1])
registry = store.registry
answers = {}


def told(act):
    """What an act gives, or what it raises."""
    try:
        return act()
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {str(error)[:300]}"


def nothing(value):
    return None if value is None else value


user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64, tags={"team": "one"})
file_source = FileSource(name="file_source", path="data/sales.parquet", timestamp_field="ts")
push_source = PushSource(name="push_source", batch_source=file_source)
request_source = RequestSource(name="request_source", schema=[Field(name="factor", dtype=Float64)])
kafka_source = KafkaSource(
    name="kafka_source",
    kafka_bootstrap_servers="localhost:9092",
    topic="sales",
    timestamp_field="ts",
    message_format=JsonFormat(schema_json="user_id bigint, total double"),
    batch_source=file_source,
    watermark_delay_threshold=timedelta(minutes=5),
)
schema = [Field(name="user_id", dtype=Int64), Field(name="total", dtype=Float64)]
sales = FeatureView(name="sales", entities=[user], schema=schema, source=file_source, ttl=timedelta(days=1))


@on_demand_feature_view(
    sources=[sales, request_source], schema=[Field(name="twice", dtype=Float64)], mode="pandas"
)
def computed(inputs: pd.DataFrame) -> pd.DataFrame:
    output = pd.DataFrame()
    output["twice"] = inputs["total"] * 2
    return output


streamed = StreamFeatureView(
    name="streamed",
    entities=[user],
    schema=schema,
    source=kafka_source,
    timestamp_field="ts",
    aggregations=[Aggregation(column="total", function="sum", time_window=timedelta(hours=1))],
)
labels = LabelView(
    name="labels",
    entities=[user],
    schema=[Field(name="user_id", dtype=Int64), Field(name="is_good", dtype=Int64), Field(name="labeler", dtype=String)],
    source=push_source,
    conflict_policy=ConflictPolicy.MAJORITY_VOTE,
)
service = FeatureService(name="service", features=[sales, computed])
permission = Permission(
    name="permission", types=[FeatureView], name_patterns=["s.*"], policy=RoleBasedPolicy(roles=["r"]), actions=READ
)
dataset = SavedDataset(
    name="dataset",
    features=["sales:total"],
    join_keys=["user_id"],
    storage=SavedDatasetFileStorage(path="data/saved.parquet"),
)

# Each kind by its name here: the object, and the words of the registry for it.
KINDS = {
    "entity": (user, "entity", "entities"),
    "file_source": (file_source, "data_source", "data_sources"),
    "push_source": (push_source, "data_source", "data_sources"),
    "request_source": (request_source, "data_source", "data_sources"),
    "kafka_source": (kafka_source, "data_source", "data_sources"),
    "feature_view": (sales, "feature_view", "feature_views"),
    "on_demand_feature_view": (computed, "on_demand_feature_view", "on_demand_feature_views"),
    "stream_feature_view": (streamed, "stream_feature_view", "stream_feature_views"),
    "label_view": (labels, "label_view", "label_views"),
    "feature_service": (service, "feature_service", "feature_services"),
    "permission": (permission, "permission", "permissions"),
    "saved_dataset": (dataset, "saved_dataset", "saved_datasets"),
}


def apply(kind, value):
    word = "feature_view" if kind.endswith("_view") else KINDS[kind][1]
    return getattr(registry, f"apply_{word}")(value, PROJECT)


def profile(kind):
    """What is the same of an object before and after it was in the registry."""
    value, word, words = KINDS[kind]
    found = getattr(registry, f"get_{word}")(value.name, PROJECT)
    if kind == "on_demand_feature_view":
        return found.name == value.name and found.feature_transformation.udf_string == value.feature_transformation.udf_string
    if kind in ("stream_feature_view", "saved_dataset", "permission", "label_view"):
        return found.name == value.name and type(found) is type(value)
    return found == value


answers["project_applied"] = told(lambda: registry.apply_project(Project(name=PROJECT, description="what is sold")))
for kind in KINDS:
    value, word, words = KINDS[kind]
    answers[kind] = {"applied": told(lambda: nothing(apply(kind, value)))}
    answers[kind]["is_same"] = told(lambda: profile(kind))
    answers[kind]["is_listed"] = told(
        lambda: value.name in [found.name for found in getattr(registry, f"list_{words}")(PROJECT)]
    )


def reference():
    """A validation reference, made as Feast stores it: its profiler is bytes that nobody may run."""
    from feast.protos.feast.core.ValidationProfile_pb2 import GEValidationProfile, GEValidationProfiler
    from feast.protos.feast.core.ValidationProfile_pb2 import ValidationReference as Message
    from feast.protos.feast.registry import RegistryServer_pb2 as messages

    message = Message(name="reference", reference_dataset_name="dataset")
    message.ge_profiler.profiler.body = b"no pickle"
    request = messages.ApplyValidationReferenceRequest(validation_reference=message, project=PROJECT, commit=True)
    registry.stub.ApplyValidationReference(request)


def get_reference():
    from feast.protos.feast.registry import RegistryServer_pb2 as messages

    request = messages.GetValidationReferenceRequest(name="reference", project=PROJECT)
    return registry.stub.GetValidationReference(request).ge_profiler.profiler.body == b"no pickle"


def list_references():
    from feast.protos.feast.registry import RegistryServer_pb2 as messages

    request = messages.ListValidationReferencesRequest(project=PROJECT)
    return "reference" in [found.name for found in registry.stub.ListValidationReferences(request).validation_references]


answers["validation_reference"] = {
    "applied": told(reference),
    "is_same": told(get_reference),
    "is_listed": told(list_references),
}


def unchanged():
    before = registry.get_feature_view("sales", PROJECT).last_updated_timestamp
    registry.apply_feature_view(sales, PROJECT)
    return registry.get_feature_view("sales", PROJECT).last_updated_timestamp == before


def intervals():
    return len(registry.get_feature_view("sales", PROJECT).materialization_intervals)


def materialized():
    end = datetime(2025, 1, 2, tzinfo=timezone.utc)
    registry.apply_materialization(registry.get_feature_view("sales", PROJECT), PROJECT, end - timedelta(days=1), end)
    return intervals()


def kept():
    changed = FeatureView(
        name="sales", entities=[user], schema=schema, source=file_source, ttl=timedelta(days=2), tags={"a": "b"}
    )
    registry.apply_feature_view(changed, PROJECT)
    return intervals()


def computes():
    view = registry.get_on_demand_feature_view("computed", PROJECT)
    return list(view.feature_transformation.udf(pd.DataFrame({"total": [1.0], "factor": [3.0]}))["twice"])


def conflict():
    registry.apply_feature_view(
        LabelView(name="sales", entities=[user], schema=labels.schema, source=push_source), PROJECT
    )


def infra():
    table = SqliteTable(path=os.path.join(sys.argv[1], "online.db"), name="shop_sales")
    registry.update_infra(Infra(infra_objects=[table]), PROJECT)
    return [found.name for found in registry.get_infra(PROJECT).infra_objects]


answers["projects"] = told(lambda: [project.name for project in registry.list_projects()])
answers["description"] = told(lambda: registry.get_project(PROJECT).description)
answers["unchanged"] = told(unchanged)
answers["intervals"] = told(materialized)
answers["kept_intervals"] = told(kept)
answers["computed"] = told(computes)
answers["any"] = told(lambda: type(registry.get_any_feature_view("computed", PROJECT)).__name__)
answers["all_views"] = told(lambda: sorted(view.name for view in registry.list_all_feature_views(PROJECT)))


def of_source():
    from feast.protos.feast.registry import RegistryServer_pb2 as messages

    request = messages.ListAllFeatureViewsRequest(project=PROJECT, data_source="file_source", entity="user", feature="total")
    found = registry.stub.ListAllFeatureViews(request).feature_views
    return [view.feature_view.spec.name for view in found if view.WhichOneof("any_feature_view") == "feature_view"]


def reflected():
    """What the server says of itself to those who have no messages of Feast."""
    import grpc
    from google.protobuf.descriptor_pool import DescriptorPool
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    with grpc.insecure_channel(store.config.registry.path) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        service = pool.FindServiceByName("feast.registry.RegistryServer")
        view = service.methods_by_name["GetFeatureView"].output_type
        return [len(service.methods), view.fields_by_name["spec"].message_type.fields_by_name["ttl"].message_type.full_name]


answers["reflected"] = told(reflected)
answers["of_source"] = told(of_source)
answers["infra"] = told(infra)
answers["refreshed"] = told(lambda: registry.refresh(PROJECT))
answers["committed"] = told(registry.commit)
answers["whole"] = told(lambda: [entity.spec.name for entity in registry.proto().entities if entity.spec.name == "user"])
answers["conflict"] = told(conflict)


def delete(kind):
    value, word, _ = KINDS[kind]
    if kind == "saved_dataset":
        from feast.protos.feast.registry import RegistryServer_pb2 as messages

        request = messages.DeleteSavedDatasetRequest(name=value.name, project=PROJECT, commit=True)
        return nothing(None if registry.stub.DeleteSavedDataset(request) is not None else None)
    word = "feature_view" if kind.endswith("_view") else word
    return getattr(registry, f"delete_{word}")(value.name, PROJECT)


def delete_reference():
    from feast.protos.feast.registry import RegistryServer_pb2 as messages

    registry.stub.DeleteValidationReference(
        messages.DeleteValidationReferenceRequest(name="reference", project=PROJECT, commit=True)
    )


for kind in reversed(KINDS):
    value, word, _ = KINDS[kind]
    answers[kind]["deleted"] = told(lambda: delete(kind))
    answers[kind]["gone"] = told(lambda: str(getattr(registry, f"get_{word}")(value.name, PROJECT)))
answers["validation_reference"]["deleted"] = told(delete_reference)
answers["validation_reference"]["gone"] = told(get_reference)
answers["project_deleted"] = told(lambda: registry.delete_project(PROJECT))


def store_applies():
    """The whole way of `FeatureStore.apply`."""
    item = Entity(name="item", join_keys=["item_id"], value_type=ValueType.INT64)
    facts_file = FileSource(name="facts_file", path="data/facts.parquet", timestamp_field="ts")
    facts = FeatureView(
        name="item_facts",
        entities=[item],
        schema=[Field(name="item_id", dtype=Int64), Field(name="price", dtype=Float64)],
        source=facts_file,
    )
    store.apply([item, facts_file, facts])
    return [
        store.get_entity("item").name,
        [view.name for view in store.list_feature_views()],
        store.get_feature_view("item_facts").batch_source.name,
    ]


answers["store_applied"] = told(store_applies)
print(json.dumps(answers))
