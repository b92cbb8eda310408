"""Writes the table beside it anew: `python make.py table`, with deltalake 1.6 and pyarrow.

It has partitions whose values must be escaped, a column that came later, a removed file and a checkpoint.
"""

import sys
from datetime import date, datetime, timezone

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

path = sys.argv[1]


def rows(ids, p, city, day, **more):
    columns = {
        "id": pa.array(ids, pa.int64()),
        "ts": pa.array([datetime(2026, 1, 1, hour, tzinfo=timezone.utc) for hour in range(len(ids))], pa.timestamp("us", "UTC")),
        "p": pa.array(p, pa.int32()),
        "city": pa.array(city, pa.string()),
        "day": pa.array([date(2026, 1, each) for each in day], pa.date32()),
    }
    return pa.table(columns | more)


partitions = ["city", "day"]
write_deltalake(path, rows([1, 2, 3], [10, 20, 30], ["New York/é", "a=b%", None], [1, 1, 2]), partition_by=partitions)
later = {"mode": "append", "schema_mode": "merge"}
write_deltalake(path, rows([4], [40], ["New York/é"], [3], q=pa.array([4.5], pa.float64())), **later)
DeltaTable(path).delete("id = 2")
DeltaTable(path).create_checkpoint()
write_deltalake(path, rows([5], [50], ["a=b%"], [4], q=pa.array([5.5], pa.float64())), **later)
