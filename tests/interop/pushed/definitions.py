"""The same as definitions.yaml, which feastr reads."""

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, Project, PushSource, ValueType
from feast.types import Array, Bool, Bytes, Float32, Float64, Int32, Int64, String, UnixTimestamp

project = Project(name="shop")

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
shop = Entity(name="shop", join_keys=["shop_id"], value_type=ValueType.STRING)
item = Entity(name="item", join_keys=["item_no"], value_type=ValueType.INT32)

drivers_source = FileSource(
    name="drivers_source",
    path="data/driver_stats.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)
drivers_push = PushSource(name="drivers_push", batch_source=drivers_source)
customers_source = FileSource(
    name="customers_source",
    path="data/customers.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)
customers_push = PushSource(name="customers_push", batch_source=customers_source)
stock_source = FileSource(
    name="stock_source",
    path="data/stock.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="recorded",
    field_mapping={"shop": "shop_id", "number": "item_no", "price_eur": "price"},
)
stock_push = PushSource(name="stock_push", batch_source=stock_source)

drivers = FeatureView(
    name="drivers",
    entities=[driver],
    ttl=timedelta(0),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="conv_rate", dtype=Float32),
        Field(name="avg_daily_trips", dtype=Int64),
    ],
    source=drivers_push,
)
profile = FeatureView(
    name="profile",
    entities=[customer],
    ttl=timedelta(0),
    schema=[
        Field(name="customer_id", dtype=Int64),
        Field(name="visits", dtype=Int32),
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
        Field(name="photo", dtype=Bytes),
    ],
    source=customers_push,
)
city = FeatureView(
    name="city",
    entities=[customer],
    ttl=timedelta(0),
    schema=[Field(name="customer_id", dtype=Int64), Field(name="city", dtype=String)],
    source=customers_push,
)
stock = FeatureView(
    name="stock",
    entities=[shop, item],
    ttl=timedelta(0),
    schema=[
        Field(name="shop_id", dtype=String),
        Field(name="item_no", dtype=Int32),
        Field(name="amount", dtype=Int64),
        Field(name="price", dtype=Float64),
    ],
    source=stock_push,
)
