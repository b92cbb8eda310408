"""On-demand views as people write them: most are plain expressions, some are not.

Which are is for feastr to find out; TRANSLATED says what it should find.
"""

from typing import Any

import numpy as np
import pandas as pd

from feast import Entity, FeatureView, Field, FileSource, RequestSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp
from feast.value_type import ValueType

row = Entity(name="row", join_keys=["row_id"], value_type=ValueType.INT64)

rows = FileSource(name="rows", path="data/rows.parquet", timestamp_field="event_timestamp")

stats = FeatureView(
    name="stats",
    entities=[row],
    schema=[
        Field(name="row_id", dtype=Int64),
        Field(name="rate", dtype=Float32),
        Field(name="share", dtype=Float32),
        Field(name="amount", dtype=Float64),
        Field(name="total", dtype=Float64),
        Field(name="trips", dtype=Int64),
        Field(name="seconds", dtype=Int64),
        Field(name="stars", dtype=Int32),
        Field(name="member", dtype=Bool),
        Field(name="city", dtype=String),
        Field(name="last_seen", dtype=UnixTimestamp),
    ],
    source=rows,
)

asked = RequestSource(name="asked", schema=[Field(name="val_to_add", dtype=Int64), Field(name="budget", dtype=Float64)])

SOURCES = [stats, asked]


@on_demand_feature_view(
    sources=SOURCES,
    schema=[Field(name="rate_plus_val", dtype=Float64), Field(name="rate_plus_both", dtype=Float64)],
)
def transformed_rate(features_df: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["rate_plus_val"] = features_df["rate"] + features_df["val_to_add"]
    df["rate_plus_both"] = features_df["rate"] + features_df["val_to_add"] + features_df["budget"]
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="rate_percent", dtype=Float64)])
def rate_in_percent(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["rate_percent"] = inputs["rate"] * 100
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="rate_adjusted", dtype=Float64)])
def rate_adjusted(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["rate_adjusted"] = (inputs["rate"] - inputs["share"]) / 0.3 + 0.1
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="is_good", dtype=Int64), Field(name="is_best", dtype=Bool)])
def thresholds(inputs: pd.DataFrame) -> pd.DataFrame:
    """How good a driver is."""
    df = pd.DataFrame()
    # Compared in the precision of the column.
    df["is_good"] = (inputs["rate"] > 0.1).astype(int)
    df["is_best"] = (inputs["rate"] >= 0.5) & (inputs["trips"] > 60)
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="trips_sum", dtype=Int64), Field(name="stars_more", dtype=Int64)])
def sums(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["trips_sum"] = inputs["trips"] + inputs["val_to_add"]
    df["stars_more"] = inputs["stars"] * 2 - inputs["stars"]
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="per_trip", dtype=Float64), Field(name="trip_share", dtype=Float64)])
def ratios(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["per_trip"] = inputs["amount"] / inputs["trips"]
    df["trip_share"] = inputs["trips"] / inputs["seconds"]
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="safe_ratio", dtype=Float64)])
def safe_ratio(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["safe_ratio"] = (inputs["amount"] / inputs["total"].replace(0, np.nan)).fillna(0)
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="finite_ratio", dtype=Float64)])
def finite_ratio(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["finite_ratio"] = (inputs["amount"] / inputs["total"]).replace([np.inf, -np.inf], np.nan).fillna(-1.0)
    return df


@on_demand_feature_view(
    sources=SOURCES, schema=[Field(name="hour_of_day", dtype=Int64), Field(name="minute", dtype=Int64)]
)
def clock(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["hour_of_day"] = inputs["seconds"] // 3600 % 24
    df["minute"] = inputs["seconds"] % 3600 // 60
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="tier", dtype=String), Field(name="level", dtype=Int64)])
def tiers(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["tier"] = np.where(inputs["trips"] > 60, "gold", np.where(inputs["trips"] > 0, "silver", "none"))
    df["level"] = np.where(inputs["amount"] > 100, 3, np.where(inputs["amount"] <= 0, 1, 2))
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="clipped", dtype=Float64), Field(name="at_least", dtype=Int64)])
def bounds(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["clipped"] = inputs["amount"].clip(0, 100)
    df["at_least"] = inputs["trips"].clip(lower=0)
    return df


@on_demand_feature_view(
    sources=SOURCES,
    schema=[Field(name="unknown_amount", dtype=Bool), Field(name="unknown_city", dtype=Bool), Field(name="any_known", dtype=Bool)],
)
def missing(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["unknown_amount"] = inputs["amount"].isna()
    df["unknown_city"] = inputs["city"].isnull()
    df["any_known"] = inputs["amount"].notna() | ~inputs["trips"].isna()
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="distance", dtype=Float64), Field(name="off", dtype=Float64)])
def distances(inputs: pd.DataFrame) -> pd.DataFrame:
    difference = inputs["amount"] - inputs["total"]
    df = pd.DataFrame()
    df["distance"] = np.sqrt(inputs["amount"] ** 2 + inputs["total"] ** 2)
    df["off"] = difference.abs()
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="label", dtype=String), Field(name="place", dtype=String)])
def labels(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["label"] = inputs["city"] + "_" + inputs["city"]
    df["place"] = inputs["city"].fillna("it's unknown")
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="in_city", dtype=Bool), Field(name="elsewhere", dtype=Bool)])
def cities(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["in_city"] = inputs["city"].isin(["Zoë", "x"])
    df["elsewhere"] = (inputs["city"] != "x") & ~(inputs["city"] == "")
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="bonus", dtype=Int64), Field(name="is_member", dtype=Bool)])
def members(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["bonus"] = np.where(inputs["member"], 10, 0)
    df["is_member"] = inputs["member"].astype(bool)
    return df


@on_demand_feature_view(
    sources=SOURCES, schema=[Field(name="whole", dtype=Int64), Field(name="narrow", dtype=Int32), Field(name="single", dtype=Float32)]
)
def casts(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["whole"] = inputs["amount"].fillna(0).astype(int)
    df["narrow"] = inputs["trips"].fillna(0).astype("int32")
    df["single"] = (inputs["total"] / 3).astype("float32")
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="kept", dtype=Float64), Field(name="masked", dtype=Float64)])
def wheres(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["kept"] = inputs["amount"].where(inputs["total"] > inputs["amount"], 0)
    df["masked"] = inputs["amount"].mask(inputs["trips"] == 0)
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="most", dtype=Float64), Field(name="least", dtype=Float64)])
def extremes(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["most"] = np.maximum(inputs["amount"], inputs["total"])
    df["least"] = np.minimum(inputs["amount"], 10.5)
    return df


@on_demand_feature_view(
    sources=SOURCES,
    schema=[Field(name="above", dtype=Bool), Field(name="same", dtype=Bool), Field(name="differs", dtype=Bool), Field(name="below", dtype=Bool)],
)
def comparisons(inputs: pd.DataFrame) -> pd.DataFrame:
    ratio = inputs["amount"] / inputs["total"]
    df = pd.DataFrame()
    df["above"] = ratio > 1
    df["same"] = ratio == inputs["total"] / inputs["amount"]
    df["differs"] = ratio != inputs["total"] / inputs["amount"]
    df["below"] = inputs["trips"] < ratio
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="floor", dtype=Float64), Field(name="rounded", dtype=Float64)])
def roundings(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["floor"] = np.floor(inputs["amount"])
    df["rounded"] = inputs["amount"].round()
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="bucket", dtype=String), Field(name="score", dtype=Int64)])
def applied(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["bucket"] = inputs["amount"].apply(lambda x: "high" if x > 100 else "mid" if x > 0.5 else "low")
    df["score"] = inputs["trips"].apply(lambda trips: 1 if trips > 7 and not trips == 60 else 0)
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="chained", dtype=Float64), Field(name="chained_twice", dtype=Float64)])
def chains(inputs: pd.DataFrame) -> pd.DataFrame:
    df = inputs.copy()
    df["chained"] = -(inputs["stats__amount"] + 1.5) * (inputs["trips"] > 0)
    df["chained_twice"] = df["chained"] - (df["budget"] - df["chained"])
    return df[["chained", "chained_twice"]]


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="spent", dtype=Float64), Field(name="over", dtype=Bool)])
def framed(inputs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"spent": inputs["budget"] - inputs["amount"], "over": inputs["amount"] > inputs["budget"]})


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="between", dtype=Bool), Field(name="filled", dtype=Float64)])
def methods(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["between"] = inputs["amount"].between(0, 100)
    df["filled"] = inputs["amount"].fillna(inputs["total"]).add(1).div(3)
    return df


@on_demand_feature_view(sources=SOURCES, mode="python", schema=[Field(name="py_sum", dtype=Float64), Field(name="py_trips", dtype=Int64)])
def python_sum(inputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "py_sum": [rate + val for rate, val in zip(inputs["rate"], inputs["val_to_add"])],
        "py_trips": [trips - 1 for trips in inputs["trips"]],
    }


@on_demand_feature_view(sources=SOURCES, mode="python", schema=[Field(name="py_ratio", dtype=Float64)])
def python_ratio(inputs: dict[str, Any]) -> dict[str, Any]:
    output: dict[str, Any] = {}
    output["py_ratio"] = [a / t if t != 0 else 0.0 for a, t in zip(inputs["amount"], inputs["total"])]
    return output


@on_demand_feature_view(sources=SOURCES, mode="python", schema=[Field(name="py_trips_or_0", dtype=Int64), Field(name="py_kind", dtype=String)])
def python_missing(inputs: dict[str, Any]) -> dict[str, Any]:
    trips = [0 if trips is None else trips for trips in inputs["trips"]]
    kinds = ["?" if city is None or city == "" else city for city in inputs["city"]]
    return {"py_trips_or_0": trips, "py_kind": kinds}


@on_demand_feature_view(sources=SOURCES, mode="python", schema=[Field(name="py_log", dtype=Float64), Field(name="py_square", dtype=Float64)])
def python_math(inputs: dict[str, Any]) -> dict[str, Any]:
    import math

    return {
        "py_log": [math.log(x) if x > 0 else -1.0 for x in inputs["amount"]],
        "py_square": [float(trips) / 2 + x**2 for trips, x in zip(inputs["trips"], inputs["budget"])],
    }


@on_demand_feature_view(sources=SOURCES, mode="python", schema=[Field(name="py_whole", dtype=Int64), Field(name="py_minutes", dtype=Int64)])
def python_whole(inputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "py_whole": [int(x) for x in inputs["amount"]],
        "py_minutes": [abs(s) // 60 % 60 for s in inputs["seconds"]],
    }


# What is not plain, or not the same in SQL.


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="log_amount", dtype=Float64)])
def logarithm(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["log_amount"] = np.log1p(inputs["amount"])
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="scaled", dtype=Float64)])
def scaled(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["scaled"] = inputs["amount"] - inputs["amount"].mean()
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="seen_hour", dtype=Int32)])
def seen_hour(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["seen_hour"] = pd.to_datetime(inputs["last_seen"], utc=True).dt.hour.astype("int32")
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="upper", dtype=String)])
def shouted(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["upper"] = inputs["city"].str.upper()
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="trips_text", dtype=String)])
def as_text(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["trips_text"] = inputs["trips"].astype(str)
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="ranked", dtype=Float64)])
def ranked(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    for column in ["amount"]:
        df["ranked"] = inputs[column] * 2
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="whole_ratio", dtype=Float64)])
def whole_ratio(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["whole_ratio"] = inputs["amount"] // inputs["total"]
    return df


@on_demand_feature_view(sources=SOURCES, schema=[Field(name="flags", dtype=Bool)])
def flags(inputs: pd.DataFrame) -> pd.DataFrame:
    df = pd.DataFrame()
    df["flags"] = (inputs["member"] & (inputs["trips"] > 1)).astype(bool)
    return df


@on_demand_feature_view(sources=SOURCES, mode="python", schema=[Field(name="py_half", dtype=Float64)])
def python_half(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"py_half": [trips / 2 for trips in inputs["trips"]]}


@on_demand_feature_view(sources=SOURCES, mode="python", schema=[Field(name="py_amount_or_0", dtype=Float64)])
def python_none(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"py_amount_or_0": [0.0 if x is None else x for x in inputs["amount"]]}


@on_demand_feature_view(sources=SOURCES, mode="python", singleton=True, schema=[Field(name="py_one", dtype=Float64)])
def python_singleton(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"py_one": inputs["amount"] + inputs["total"]}
