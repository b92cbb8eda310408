"""Times pushes into Redis beside the materialization of the same rows, and a push of one row beside the start of the
program; see scripts/bench.

Variables: PUSH_ROWS (100000), RUNS (5; printed are medians), FEAST_ROWS (0: rows that Feast pushes, if any).
"""

import os
import pathlib
import sys
import tempfile

import redis_server
from bench_redis import DATES, FEASTR, FEATURES, make_repo, make_source
from measuring import aside, measure, summary

ROWS, RUNS = int(os.environ.get("PUSH_ROWS", "100000")), int(os.environ.get("RUNS", "5"))
FEAST_ROWS = int(os.environ.get("FEAST_ROWS", "0"))

BY_FEAST = """
import sys
import pandas
from feast import FeatureStore
FeatureStore(".").push("pushed", pandas.read_parquet(sys.argv[1]))
"""


def row(what, count, result, of=None):
    seconds, peak = result
    share = f"{of[0] / seconds:.0%}" if of else ""
    print(f"| {what} | {seconds:.3f} s | {count / seconds:,.0f} | {share} | {peak:.0f} MiB |", flush=True)


def in_turn(client, commands, folder):
    """The results of commands that are run in turn, each into an empty store."""
    results = [[] for _ in commands]
    for _ in range(RUNS):
        for command, known in zip(commands, results):
            client.flushall()
            known.append(measure(command, folder))
            if client.dbsize() != ROWS:
                sys.exit(f"{command} stored {client.dbsize()} keys instead of {ROWS}")
    return [summary(known) for known in results]


def main():
    with tempfile.TemporaryDirectory() as place, redis_server.running() as (client, port):
        folder = pathlib.Path(place) / "repo"
        make_repo(folder, ROWS, port, source="pushed")
        rows = folder / "data/rows.parquet"
        csv = folder / "rows.csv"
        aside(write_csv, rows, csv)
        push = [FEASTR, "push", "pushed", "--input"]
        materialize = [FEASTR, "materialize", *DATES]
        first, parquet, text = in_turn(client, [materialize, [*push, rows], [*push, csv]], folder)
        print("| | time | rows/s | of materialize | peak memory |\n|---|---|---|---|---|", flush=True)
        row(f"`materialize` of {ROWS:,} rows × {len(FEATURES)} floats", ROWS, first)
        row("`push` of them, parquet", ROWS, parquet, first)
        row("the same, CSV", ROWS, text, first)
        one = folder / "one.jsonl"
        features = ", ".join(f'"{name}": 0.5' for name in FEATURES)
        one.write_text(f'{{"id": 7, "at": "2026-01-01T00:00:00Z", {features}}}\n')
        start = summary([measure([FEASTR, "version"], folder) for _ in range(4 * RUNS)])
        single = summary([measure([*push, one], folder) for _ in range(4 * RUNS)])
        both = [*push, one, "--to", "online_and_offline"]
        added = summary([measure(both, folder) for _ in range(4 * RUNS)])
        print("\n| | time |\n|---|---|")
        print(f"| start of the program (`version`) | {start[0] * 1e3:.1f} ms |")
        print(f"| `push` of one row beyond that | {(single[0] - start[0]) * 1e3:.1f} ms |")
        print(f"| the same `--to online_and_offline` | {(added[0] - start[0]) * 1e3:.1f} ms |", flush=True)
        if FEAST_ROWS:
            client.flushall()
            some = folder / "some.parquet"
            aside(make_source, some, FEAST_ROWS)
            theirs = measure([sys.executable, "-c", BY_FEAST, some], folder)
            print(f"\nFeast 0.67 pushes {FEAST_ROWS:,} rows in {theirs[0]:.2f} s ({FEAST_ROWS / theirs[0]:,.0f} rows/s)")


def write_csv(rows, csv):
    import pyarrow.csv
    import pyarrow.parquet
    pyarrow.csv.write_csv(pyarrow.parquet.read_table(rows), csv)


if __name__ == "__main__":
    main()
