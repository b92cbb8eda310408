"""The same as definitions.yaml, which feastr reads."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, Project, ValueType
from feast.data_format import ParquetFormat
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.file_source import FileLoggingDestination
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

project = Project(
    name="shop", description="What the interop tests share", owner="team@example.com", tags={"stage": "test"}
)

customer = Entity(
    name="customer",
    join_keys=["customer_id"],
    value_type=ValueType.INT64,
    description="Somebody who buys",
    owner="crm@example.com",
    tags={"pii": "true", "team": "crm"},
)
shop = Entity(name="shop", join_keys=["shop_id"])
item = Entity(name="item", join_keys=["item_no"], value_type=ValueType.INT32)

customers_source = FileSource(
    name="customers_source",
    path="data/customers.parquet",
    file_format=ParquetFormat(),
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
    description="One row per customer and change",
    owner="crm@example.com",
    tags={"team": "crm"},
)
stock_source = FileSource(
    name="stock_source",
    path="data/stock.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="recorded",
    field_mapping={"shop": "shop_id", "number": "item_no", "price_eur": "price"},
)
items_source = FileSource(name="items_source", path="data/items.parquet")

customer_profile = FeatureView(
    name="customer_profile",
    entities=[customer],
    ttl=timedelta(days=10),
    schema=[
        Field(name="customer_id", dtype=Int64),
        Field(name="visits", dtype=Int32, description="Visits so far", tags={"unit": "visits"}),
        Field(name="points", dtype=Int64),
        Field(name="score", dtype=Float32),
        Field(name="spent", dtype=Float64),
        Field(name="city", dtype=String),
        Field(name="member", dtype=Bool),
        Field(name="last_order", dtype=UnixTimestamp),
        Field(name="basket_sizes", dtype=Array(Int64)),
        Field(name="ratings", dtype=Array(Float32)),
        Field(name="labels", dtype=Array(String)),
        Field(name="flags", dtype=Array(Bool)),
        Field(name="logins", dtype=Array(UnixTimestamp)),
        Field(name="photo", dtype=Bytes),
    ],
    source=customers_source,
    description="What is known about a customer",
    owner="crm@example.com",
    org="sales",
    tags={"team": "crm", "tier": "gold"},
)
stock = FeatureView(
    name="stock",
    entities=[shop, item],
    ttl=timedelta(days=2),
    schema=[
        Field(name="shop_id", dtype=String),
        Field(name="item_no", dtype=Int32),
        Field(name="amount", dtype=Int64),
        Field(name="price", dtype=Float64),
    ],
    source=stock_source,
)
item_facts = FeatureView(name="item_facts", entities=[item], ttl=timedelta(0), source=items_source)
weather = FeatureView(
    name="weather",
    ttl=timedelta(days=2),
    schema=[Field(name="temperature", dtype=Float64), Field(name="rainy", dtype=Bool)],
    source=FileSource(name="weather_source", path="data/weather.parquet", timestamp_field="event_timestamp"),
)
customer_city = FeatureView(
    name="customer_city",
    entities=[customer],
    ttl=timedelta(weeks=52),
    schema=[Field(name="city", dtype=String)],
    source=customers_source,
    online=False,
    offline=True,
    enabled=False,
    enable_validation=True,
)

selling = FeatureService(
    name="selling",
    features=[customer_profile[["points", "city", "visits"]], stock],
    description="What the shop assistant sees",
    owner="sales@example.com",
    tags={"stage": "test"},
)
friends = FeatureService(
    name="friends",
    features=[
        # Feast 0.67 cannot compare a service that has one view with and without an alias.
        customer_profile[["points", "member"]].with_name("buyer"),
        customer_profile[["city", "points"]].with_name("friend").with_join_key_map({"customer_id": "friend_id"}),
    ],
)
items = FeatureService(
    name="items",
    features=[item_facts],
    logging_config=LoggingConfig(destination=FileLoggingDestination(path="data/log"), sample_rate=0.3),
)
restocking = FeatureService(
    name="restocking", features=[stock.with_name("other_shop").with_join_key_map({"shop_id": "other_shop_id"})]
)
