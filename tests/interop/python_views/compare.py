"""Computes on-demand views with Python Feast: compare.py REPO rows|python|sql

`rows` writes the sample rows. `python` keeps what the views make of them, `sql` compares that with what
they make of them now, and prints the result as JSON.

Each view computes the rows one by one and all together, as for training data, and the tame rows once
more through both calls of the store. A row counts where Python has one answer for it: the same alone
and among others.
"""

import itertools
import json
import math
import os
import pickle
import random
import sys
import warnings
from datetime import datetime, timezone
from pathlib import Path

os.environ["TZ"] = "UTC"
warnings.simplefilter("ignore")
repo = Path(sys.argv[1]).resolve()
os.chdir(repo)

import pandas
import pyarrow
import pyarrow.parquet
from feast import FeatureStore

KEPT = repo / "data/python_answers"
AT = datetime(2025, 1, 1, tzinfo=timezone.utc)

NAN, INF = math.nan, math.inf
SINGLES = [0.0, -0.0, 0.1, 0.5, 1.0, -2.25, 7.125, 0.30000001192092896, None, NAN, INF, -INF]
DOUBLES = [0.0, -0.0, 0.1, 0.5, 1.5, 2.5, -2.5, 99.99, 100.0, 123456.789, -7.3, None, NAN, INF, -INF]
INTEGERS = [0, 1, -1, 7, 8, -7, 60, 61, -61, 3599, 3600, -3600, 86399, 1_000_003, None]
COLUMNS = {
    "rate": (pyarrow.float32(), SINGLES, [3.0e38, -3.0e38, 1.0e-45]),
    "share": (pyarrow.float32(), SINGLES, [3.0e38, 1.0e-45]),
    "amount": (pyarrow.float64(), DOUBLES, [1e300, -1e300, 5e-324, 9.3e18, 0.49999999999999994, 4503599627370497.5]),
    "total": (pyarrow.float64(), DOUBLES, [1e300, -1e-300, 1e39, 9007199254740993.0]),
    "trips": (pyarrow.int64(), INTEGERS, [2**31, 2**53 + 1, 2**63 - 1, -(2**63)]),
    "seconds": (pyarrow.int64(), INTEGERS, [2**53 - 1, -(2**53), 2**63 - 1, -(2**63)]),
    "stars": (pyarrow.int32(), [0, 1, 5, -5, None], [2**31 - 1, -(2**31)]),
    "member": (pyarrow.bool_(), [True, False, None], []),
    "city": (pyarrow.string(), ["x", "", "Zoë", "it's", "a%_\\n", None], []),
    "last_seen": (pyarrow.timestamp("us", tz="UTC"), [AT, None], []),
    "val_to_add": (pyarrow.int64(), [0, 1, -5, 1000, None], [2**53 + 1, 2**63 - 1]),
    "budget": (pyarrow.float64(), DOUBLES, [1e308]),
}
# So many rows have no missing value.
COMPLETE = 30
REQUESTED = ["val_to_add", "budget"]
# Feast computes Float32 columns in 64 bits when it serves them, and in 32 bits for training. SQL does the latter.
SINGLE_PRECISION = {"rate_percent", "rate_adjusted", "is_good"}


def sample_rows():
    """Tame rows: all pairs of values of some columns, and at random. Wild ones, with one extreme value or more."""
    chance = random.Random(12)
    tame = [{name: chance.choice(values) for name, (_, values, _) in COLUMNS.items()} for _ in range(120)]
    for row, (amount, total) in zip(tame, itertools.product(DOUBLES[::2], DOUBLES)):
        row.update(amount=amount, total=total)
    for row in tame[:COMPLETE]:
        # Nothing is missing in these.
        row.update({name: values[0] if row[name] is None else row[name] for name, (_, values, _) in COLUMNS.items()})
    wild = []
    for name, (_, _, extreme) in COLUMNS.items():
        for value in extreme:
            wild += [{**chance.choice(tame), name: value} for _ in range(2)]
    for _ in range(40):
        wild.append({name: chance.choice(extreme or values) for name, (_, values, extreme) in COLUMNS.items()})
    return tame, wild


def as_table(rows):
    columns = {
        name: pyarrow.array([row[name] for row in rows], arrow_type, from_pandas=False)
        for name, (arrow_type, _, _) in COLUMNS.items()
    }
    return pyarrow.table(columns)


def answers(view, table):
    """What a view makes of rows, by output; `None` if it fails."""
    try:
        computed = view.transform_arrow(table).to_pydict()
    except Exception:
        return None
    return {feature.name: computed[feature.name] for feature in view.features}


def alone(view, table, is_sql):
    """What a view makes of each row by itself; SQL makes the same of it among others, unless one of them fails."""
    together = answers(view, table) if is_sql else None
    if together:
        return [{output: [values[number]] for output, values in together.items()} for number in range(len(table))]
    return [answers(view, table.slice(number, 1)) for number in range(len(table))]


def online(store, view, rows):
    entities = [{"row_id": number, **{name: row[name] for name in REQUESTED}} for number, row in enumerate(rows)]
    try:
        wanted = [f"{view.name}:{feature.name}" for feature in view.features]
        computed = store.get_online_features(features=wanted, entity_rows=entities).to_dict()
    except Exception:
        return None
    return {feature.name: computed[feature.name] for feature in view.features}


def trained(store, view, rows):
    """What training data has, of the rows without missing values if Python cannot compute the others."""
    return historical(store, view, rows) or historical(store, view, rows[:COMPLETE])


def historical(store, view, rows):
    frame = pandas.DataFrame({"row_id": range(len(rows)), "event_timestamp": AT})
    for name in REQUESTED:
        frame[name] = pandas.array([row[name] for row in rows], dtype="object")
        if all(row[name] is not None for row in rows):
            frame[name] = frame[name].astype("int64" if name == "val_to_add" else "float64")
        else:
            frame[name] = frame[name].astype("Int64" if name == "val_to_add" else "float64")
    try:
        wanted = [f"{view.name}:{feature.name}" for feature in view.features]
        computed = store.get_historical_features(entity_df=frame, features=wanted).to_arrow().sort_by("row_id")
    except Exception:
        return None
    return {feature.name: computed[feature.name].to_pylist() for feature in view.features}


def measured(is_sql):
    store = FeatureStore(repo_path=str(repo))
    tame, wild = sample_rows()
    rows = tame + wild
    whole = as_table(rows)
    by_view = {}
    for view in store.list_on_demand_feature_views():
        if is_sql and not view.feature_transformation.udf_string.startswith("# feastr.expressions"):
            continue
        by_view[view.name] = {
            "alone": alone(view, whole, is_sql),
            "together": answers(view, whole),
            "tame": answers(view, whole.slice(0, len(tame))),
            # What is sent with a request has a value.
            "online": online(store, view, tame[:COMPLETE]),
            "historical": trained(store, view, tame),
        }
    return by_view, len(tame)


def is_missing(value):
    return value is None or (isinstance(value, float) and math.isnan(value))


def equal(one, other):
    if is_missing(one) or is_missing(other):
        return is_missing(one) and is_missing(other)
    if isinstance(one, str) or isinstance(other, str) or isinstance(one, bool) != isinstance(other, bool):
        return type(one) is type(other) and one == other
    return one == other


def compare(before, after, tame):
    """The differences of a view's answers, and how many were compared."""
    differences, compared, failed = [], 0, 0
    outputs = next(answer for answer in before["alone"] + [before["tame"]] if answer)
    for output in outputs:
        for number, alone in enumerate(before["alone"]):
            batches = [before["together"]] + ([before["tame"]] if number < tame else [])
            among = [batch[output][number] for batch in batches if batch]
            if alone is None or not all(equal(alone[output][0], value) for value in among):
                continue
            compared += 1
            now = after["alone"][number]
            # A value that does not fit its type is an error in SQL, and something else in Python.
            if now is None and number >= tame:
                failed += 1
            elif now is None or not equal(alone[output][0], now[output][0]):
                differences.append([output, number, alone[output][0], now and now[output][0]])
        for call in ("tame", "online", "historical"):
            if before[call] is None:
                continue
            expected = before["tame" if call == "online" and output in SINGLE_PRECISION else call][output]
            computed = after[call][output] if after[call] else itertools.repeat("nothing")
            for number, (one, other) in enumerate(zip(expected, computed)):
                compared += 1
                if not equal(one, other):
                    differences.append([f"{call} {output}", number, one, other])
    calls = [call for call in ("tame", "online", "historical") if before[call] is not None]
    return {"compared": compared, "failed": failed, "differences": differences, "calls": calls}


if sys.argv[2] == "rows":
    # Feast itself cannot store the largest integers beside missing ones.
    tame, _ = sample_rows()
    table = as_table(tame).drop_columns(REQUESTED)
    table = table.append_column("row_id", pyarrow.array(range(len(table)), pyarrow.int64()))
    table = table.append_column("event_timestamp", pyarrow.array([AT] * len(table), pyarrow.timestamp("us", tz="UTC")))
    pyarrow.parquet.write_table(table, repo / "data/rows.parquet")
elif sys.argv[2] == "python":
    store = FeatureStore(repo_path=str(repo))
    store.materialize(datetime(2024, 12, 1, tzinfo=timezone.utc), datetime(2025, 2, 1, tzinfo=timezone.utc))
    KEPT.write_bytes(pickle.dumps(measured(is_sql=False)))
else:
    before, tame = pickle.loads(KEPT.read_bytes())
    after, _ = measured(is_sql=True)
    print(json.dumps({name: compare(before[name], after[name], tame) for name in after}, default=str))
