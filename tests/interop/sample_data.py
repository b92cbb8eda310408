"""Writes the parquet files of the interop repo: sample_data.py FOLDER

The rows are the same in every run. Each file keeps its times in another way that occurs in
practice: with a zone, without one, in nanoseconds as pandas writes them, in milliseconds.
"""

import sys
from datetime import datetime, timedelta, timezone
from math import inf, nan
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
START = datetime(2025, 1, 1)


def at(**span):
    return START + timedelta(**span)


def utc(**span):
    return at(**span).replace(tzinfo=timezone.utc)


def write(name, **columns):
    table = pa.table({column: pa.array(values, type) for column, (type, values) in columns.items()})
    pq.write_table(table, folder / f"{name}.parquet")


# Every scalar type and the lists that Feast can materialize, with nulls. Customer 3 has no newer
# row than an old one, customer 4 has two rows of one time, customer 5 only nulls.
TIMES = pa.timestamp("us", tz="UTC")
write(
    "customers",
    customer_id=(pa.int64(), [1, 1, 2, 3, 4, 4, 5]),
    event_timestamp=(
        TIMES,
        [utc(), utc(days=2, microseconds=5), utc(days=1), utc(days=-40), utc(days=2), utc(days=2), utc(days=3)],
    ),
    created=(TIMES, [utc(), utc(days=3), utc(days=1), utc(days=-40), utc(days=4), utc(days=5), utc(days=3)]),
    visits=(pa.int32(), [1, 2, -3, 4, 5, 6, None]),
    points=(pa.int64(), [10, 2**40, -30, 0, 50, 60, None]),
    score=(pa.float32(), [0.1, 0.3, nan, 0.0, 5.5, 16777216.0, None]),
    spent=(pa.float64(), [0.1, 1e300, nan, -0.0, 5.5, inf, None]),
    city=(pa.string(), ["Oslo", "Zürich", "", "Rome\n\"Roma\"", "a", "b", None]),
    member=(pa.bool_(), [True, False, True, False, True, False, None]),
    last_order=(TIMES, [utc(), utc(days=1), utc(hours=5), utc(days=-41), utc(), utc(hours=1), None]),
    basket_sizes=(pa.list_(pa.int64()), [[1, 2], [3], [], [4], [5], [6, 2**40], None]),
    ratings=(pa.list_(pa.float32()), [[0.1], [0.5, 1.5], [], [2.5], [1.0], [0.7], None]),
    labels=(pa.list_(pa.string()), [["a"], ["b", "ü", ""], [], ["c"], ["d"], ["e"], None]),
    flags=(pa.list_(pa.bool_()), [[True], [False, True], [], [True], [True], [False], None]),
    logins=(pa.list_(TIMES), [[utc()], [utc(hours=1), utc()], [], [utc()], [utc()], [utc(days=1)], None]),
    photo=(pa.binary(), [b"\x00", b"\x89PNG", b"x", b"\xff\xfe", b"y", b"z", None]),
)

# Two keys, renamed columns (a key among them), times without a zone. The last rows of (b, 2) share
# their time and differ in when they were created, null being the earliest.
write(
    "stock",
    shop=(pa.string(), ["a", "a", "b", "b", "b", "1", "12"]),
    number=(pa.int32(), [1, 1, 2, 2, 2, 23, 3]),
    event_timestamp=(
        pa.timestamp("us"),
        [at(), at(days=1), at(days=1), at(days=1), at(days=1), at(days=1), at(days=1)],
    ),
    recorded=(pa.timestamp("us"), [at(), at(days=1), at(days=1), at(days=3), None, at(days=1), at(days=1)]),
    amount=(pa.int64(), [1, 2, 3, 4, 5, 123, 321]),
    price_eur=(pa.float64(), [9.99, 8.5, None, 7.25, 1.5, 2.5, 3.5]),
)

# No schema in the definitions; nanoseconds without a zone, as pandas writes them.
write(
    "items",
    item_no=(pa.int32(), [1, 2, 2, 3, 23]),
    event_timestamp=(pa.timestamp("ns"), [at(days=-400), at(days=-400), at(hours=12), at(days=1), at()]),
    title=(pa.string(), ["pen", "ink", "blue ink", None, "nib"]),
    weight=(pa.float32(), [0.01, 0.25, 0.26, 1.0, 0.001]),
)

# Without an entity; milliseconds.
write(
    "weather",
    event_timestamp=(pa.timestamp("ms", tz="UTC"), [utc(), utc(days=1), utc(days=2)]),
    temperature=(pa.float64(), [1.5, -2.25, None]),
    rainy=(pa.bool_(), [True, False, True]),
)

# What is pushed to the sources of customers and of stock: one row for each, the columns of stock as views call them. Customer
# 9 is new; customer 4 has a newer row than this one.
write(
    "pushed_customers",
    customer_id=(pa.int64(), [1, 2, 4, 9]),
    event_timestamp=(TIMES, [utc(days=5, microseconds=3), utc(days=5), utc(days=-1), utc(days=6)]),
    created=(TIMES, [utc(days=5), utc(days=5), utc(days=5), utc(days=6)]),
    visits=(pa.int32(), [7, -8, 9, 10]),
    points=(pa.int64(), [2**41, -5, 0, 3]),
    score=(pa.float32(), [0.7, -0.0, nan, 1e-5]),
    spent=(pa.float64(), [0.1, nan, 2.5, 1e-300]),
    city=(pa.string(), ["Åbo", "", "x", None]),
    member=(pa.bool_(), [False, True, True, False]),
    last_order=(TIMES, [utc(days=4), utc(days=-900), utc(), utc(hours=3)]),
    basket_sizes=(pa.list_(pa.int64()), [[7], [], [2**40], [1, 2, 3]]),
    ratings=(pa.list_(pa.float32()), [[0.3, 1.5], [], [2.0], [0.1]]),
    labels=(pa.list_(pa.string()), [["ü"], [""], ["a", "b"], ["c"]]),
    flags=(pa.list_(pa.bool_()), [[True, False], [], [False], [True]]),
    logins=(pa.list_(TIMES), [[utc()], [utc(days=1)], [utc()], [utc()]]),
    photo=(pa.binary(), [b"\x00\xff", b"", b"p", b"q"]),
)
write(
    "pushed_stock",
    shop_id=(pa.string(), ["a", "new"]),
    item_no=(pa.int32(), [1, 7]),
    event_timestamp=(pa.timestamp("us"), [at(days=9), at(days=9)]),
    recorded=(pa.timestamp("us"), [at(days=9), at(days=10)]),
    amount=(pa.int64(), [77, 88]),
    price=(pa.float64(), [7.5, 8.25]),
)

# What is pushed to a history of drivers, its columns in another order.
write(
    "pushed_drivers",
    created=(TIMES, [utc(days=690), utc(days=690), utc(days=691)]),
    driver_id=(pa.int64(), [1001, 1002, 7]),
    avg_daily_trips=(pa.int64(), [7, 8, 2**40]),
    conv_rate=(pa.float32(), [0.1, 0.2, 0.3]),
    acc_rate=(pa.float32(), [0.5, 0.6, 0.7]),
    event_timestamp=(TIMES, [utc(days=690), utc(days=689, microseconds=7), utc(days=690)]),
)

# What training data is asked for; event times with a zone. Row by row: ordinary, before the first
# value, exactly as old as the ttl and a microsecond older, unknown keys, missing keys, a repeated row.
write(
    "training_rows",
    row=(pa.int64(), list(range(10))),
    customer_id=(pa.int64(), [1, 1, 2, 2, 4, 99, 5, None, 1, 3]),
    shop_id=(pa.string(), ["a", "a", "b", "b", "1", "12", "12", "b", "a", None]),
    item_no=(pa.int32(), [1, 1, 2, 2, 23, 3, 23, 2, 1, 2]),
    other_shop_id=(pa.string(), ["b", "b", "a", "b", "12", "b", "b", "b", "a", "b"]),
    friend_id=(pa.int64(), [2, 1, 5, 4, 1, 2, 3, 4, 2, 4]),
    event_timestamp=(
        TIMES,
        [
            utc(days=1),
            utc(days=-1),
            utc(days=11),
            utc(days=11, microseconds=1),
            utc(days=2),
            utc(days=5),
            utc(days=5),
            utc(days=4),
            utc(days=1),
            utc(days=6),
        ],
    ),
    label=(pa.float64(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, None, 1.0, 10.0]),
)
