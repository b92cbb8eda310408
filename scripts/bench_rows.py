"""Times whole commands of feastr and of Feast, in turn, and their peak memory; see scripts/bench."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from measuring import FEAST, aside, head, measure, row, typical

FEASTR, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
ROWS = int(os.environ.get("ROWS", "1000000"))
DEFINITIONS = """
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64
driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64, description="Somebody who drives for us")
source = FileSource(name="driver_hourly_stats_source", path="data/driver_stats.parquet", timestamp_field="event_timestamp",
                    created_timestamp_column="created", description="One row per driver and hour")
view = FeatureView(name="driver_hourly_stats", entities=[driver], ttl=timedelta(days=1), source=source, schema=[
    Field(name="conv_rate", dtype=Float32, description="Share of offers accepted"),
    Field(name="acc_rate", dtype=Float32, description="Share of trips without complaint"),
    Field(name="avg_daily_trips", dtype=Int64, description="Average daily trips")], tags={"team": "driver_performance"})
v1 = FeatureService(name="driver_activity_v1", features=[view[["conv_rate"]]])
v2 = FeatureService(name="driver_activity_v2", features=[view], owner="driver-performance@example.com")
"""


def large_source(path, rows):
    """Ten float features; every row is another entity's."""
    import numpy
    import pyarrow
    import pyarrow.parquet
    numbers = numpy.random.default_rng(1)
    columns = {"id": numpy.arange(rows), "at": numpy.full(rows, numpy.datetime64("2026-01-01", "us"))}
    columns |= {f"f{index}": numbers.random(rows, dtype=numpy.float32) for index in range(10)}
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=100_000)


def large_repo(folder, rows):
    """A repo with one view of ten float features."""
    (folder / "data").mkdir(parents=True)
    aside(large_source, folder / "data/rows.parquet", rows)
    settings = (ROOT / "examples/feature_repo/feature_store.yaml").read_text()
    (folder / "feature_store.yaml").write_text(settings)
    schema = ", ".join(f"{{name: f{index}, dtype: Float32}}" for index in range(10))
    (folder / "large.yaml").write_text(
        "entities: [{name: thing, join_keys: [id], value_type: INT64}]\n"
        f"feature_views:\n  - name: large\n    entities: [thing]\n    schema: [{schema}]\n"
        "    source: {name: rows, type: file, path: data/rows.parquet, timestamp_field: at}\n")
    subprocess.run([FEASTR, "-q", "apply"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def main():
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        example = place / "example"
        shutil.copytree(ROOT / "examples/feature_repo", example)
        (example / "definitions.py").write_text(DEFINITIONS)
        subprocess.run([FEASTR, "-q", "apply"], cwd=example, check=True, stdout=subprocess.DEVNULL)
        head()
        row("`version`", typical([FEASTR, "version"], example, 20), typical([*FEAST, "version"], example, 3))
        row("no-op `plan` of the example", typical([FEASTR, "plan"], example, 20), typical([*FEAST, "plan"], example, 3))
        dates = ["2025-12-31T00:00:00", "2026-01-02T00:00:00"]
        small = ROWS // 20
        large_repo(place / "small", small)
        ours = measure([FEASTR, "materialize", *dates], place / "small")
        theirs = measure([*FEAST, "materialize", *dates], place / "small")
        row(f"`materialize` {small:,} rows × 10 floats into SQLite", ours, theirs)
        for rows in (ROWS, 3 * ROWS):
            large_repo(place / str(rows), rows)
            row(f"`materialize` {rows:,} rows × 10 floats into SQLite", measure([FEASTR, "materialize", *dates], place / str(rows)))
            shutil.rmtree(place / str(rows))


main()
