"""Times sources in a bucket beside the same files on disk; see scripts/bench.

ROWS of the large source, in FILES; ENTITIES of a join; VIEWS over as many objects, PARTITIONS of one source; LATENCY in
milliseconds that is added to each request where they are counted; RUNS of each, in turn, of which the median counts. The store
is SeaweedFS on this machine: it takes its part of the processors.
"""

import asyncio
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from measuring import aside, measure, summary

FEASTR, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
ROWS, FILES = int(os.environ.get("ROWS", "10000000")), int(os.environ.get("FILES", "20"))
ENTITIES, VIEWS = int(os.environ.get("ENTITIES", "100000")), int(os.environ.get("VIEWS", "500"))
PARTITIONS, RUNS = int(os.environ.get("PARTITIONS", "1000")), int(os.environ.get("RUNS", "3"))
LATENCY = float(os.environ.get("LATENCY", "5")) / 1000
NAMES = [f"f{index}" for index in range(10)]
KEYS = 20_000
START = "2026-01-01"


def free_port():
    while True:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        # SeaweedFS takes one ten thousand higher as well.
        if port < 50_000:
            return port


class Store:
    """SeaweedFS with a bucket `bench`."""

    def __init__(self, folder):
        self.port, self.filer = free_port(), free_port()
        script = 'source "$0/scripts/environment.sh"; source "$0/scripts/buckets.sh"; '
        self.process = subprocess.Popen(
            ["bash", "-ec", script + 'run_seaweedfs "$@"', str(ROOT), str(self.port), str(self.filer), str(folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["bash", "-ec", script + 'make_bucket "$@"', str(ROOT), str(self.filer), "bench"], check=True)
        self.url = f"http://127.0.0.1:{self.port}"

    def upload(self, folder):
        import pyarrow.fs
        store = pyarrow.fs.S3FileSystem(access_key="testkey", secret_key="testsecret", endpoint_override=self.url)
        for attempt in range(50):
            try:
                pyarrow.fs.copy_files(str(folder), "bench/data", destination_filesystem=store)
                return
            except OSError:
                # Its S3 is there a while after its files.
                if attempt == 49:
                    raise
                time.sleep(0.2)

    def download(self, runs, answer):
        """Writes to a file in how many seconds all bytes of the large source are here, with eight requests at a time."""
        import concurrent.futures
        import pyarrow.fs
        store = pyarrow.fs.S3FileSystem(access_key="testkey", secret_key="testsecret", endpoint_override=self.url)
        files = store.get_file_info(pyarrow.fs.FileSelector("bench/data/rows"))
        results = []
        for _ in range(runs + 1):
            began = time.perf_counter()
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda file: len(store.open_input_stream(file.path).read()), files))
            results.append(time.perf_counter() - began)
        answer.write_text(str(statistics.median(results[1:])))

    def end(self):
        self.process.kill()
        self.process.wait()


class Relay:
    """Stands before the store, adds a latency to each request and counts them."""

    def __init__(self, port):
        self.port, self.counts = free_port(), {}
        started = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(port, started)), daemon=True).start()
        started.wait()

    async def serve(self, port, started):
        async def relay(reader, writer):
            there = await asyncio.open_connection("127.0.0.1", port)

            async def requests():
                # Reads have no body, so each piece is a request.
                while piece := await reader.read(65536):
                    line = piece.split(b"\r\n", 1)[0].decode("latin1")
                    what = "LIST" if "list-type" in line else line.split(" ")[0]
                    self.counts[what] = self.counts.get(what, 0) + 1
                    await asyncio.sleep(LATENCY)
                    there[1].write(piece)
                    await there[1].drain()
                there[1].close()

            async def answers():
                while piece := await there[0].read(262144):
                    writer.write(piece)
                    await writer.drain()
                writer.close()

            await asyncio.gather(requests(), answers(), return_exceptions=True)

        server = await asyncio.start_server(relay, "127.0.0.1", self.port)
        started.set()
        await server.serve_forever()


def data(folder):
    import numpy
    import pyarrow
    import pyarrow.parquet
    numbers = numpy.random.default_rng(1)
    begin = numpy.datetime64(START, "us")

    def rows(count):
        at = numpy.sort(begin + numbers.integers(0, 30 * 86_400, count).astype("timedelta64[s]"))
        return {"id": numbers.integers(0, KEYS, count), "at": at} | {name: numbers.random(count) for name in NAMES}

    for number in range(FILES):
        place = folder / "rows" / f"{number:03}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table(rows(ROWS // FILES)), place, row_group_size=250_000)
    small = pyarrow.table(rows(100))
    (folder / "views").mkdir()
    for number in range(VIEWS):
        pyarrow.parquet.write_table(small, folder / "views" / f"{number:03}.parquet")
    for number in range(PARTITIONS):
        day = numpy.datetime64(START, "D") + number
        place = folder / "days" / f"day={day}"
        place.mkdir(parents=True)
        table = pyarrow.table({"id": numpy.arange(10), "at": numpy.full(10, day).astype("datetime64[us]"),
                               "f0": numbers.random(10)})
        pyarrow.parquet.write_table(table, place / "x.parquet")
    entities = {"id": numbers.integers(0, KEYS, ENTITIES),
                "event_timestamp": begin + numbers.integers(0, 30 * 86_400, ENTITIES).astype("timedelta64[s]")}
    pyarrow.parquet.write_table(pyarrow.table(entities), folder.parent / "entities.parquet")
    three = {"id": numpy.arange(3), "event_timestamp": numpy.datetime64(START, "us") + numpy.arange(PARTITIONS // 2, PARTITIONS // 2 + 3) * 86_400_000_000}
    pyarrow.parquet.write_table(pyarrow.table(three), folder.parent / "three.parquet")


def repo(folder, files):
    folder.mkdir()
    (folder / "feature_store.yaml").write_text(
        "project: bench\nprovider: local\nregistry: {registry_type: sql, path: 'sqlite:///registry.db'}\n"
        "online_store: {type: sqlite, path: online.db}\noffline_store: {type: duckdb}\n"
        "entity_key_serialization_version: 3\n")
    schema = ", ".join(f"{{name: {name}, dtype: Float64}}" for name in NAMES)
    entities = "entities: [{name: thing, join_keys: [id], value_type: INT64}]\nfeature_views:\n"

    def view(name, path, schema, more="", ttl="0"):
        return (f"  - name: {name}\n    entities: [thing]\n    ttl: {ttl}\n    schema: [{schema}]\n"
                f"    source: {{type: file, path: '{files}/{path}', timestamp_field: at{more}}}\n")

    few = (entities + view("stats", "rows/", schema)
           + view("days", "days/", "{name: f0, dtype: Float64}", ", date_partition_column: day", "1h"))
    (folder / "definitions.yaml").write_text(few)
    return few + "".join(view(f"v{number}", f"views/{number:03}.parquet", schema) for number in range(VIEWS))


def main():
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        aside(data, place / "data")
        store = Store(place / "store")
        try:
            run(place, store)
        finally:
            store.end()


def run(place, store):
    aside(store.upload, place / "data")
    os.environ |= {"AWS_ACCESS_KEY_ID": "testkey", "AWS_SECRET_ACCESS_KEY": "testsecret", "AWS_ENDPOINT_URL": store.url}
    views = {where: repo(place / where, files)
             for where, files in (("disk", place / "data"), ("bucket", "s3://bench/data"))}
    for where in views:
        subprocess.run([FEASTR, "apply", "-q"], cwd=place / where, check=True)
    aside(store.download, RUNS, place / "seconds")
    whole = float((place / "seconds").read_text())
    size = sum(file.stat().st_size for file in (place / "data/rows").iterdir()) / 1e6
    print(f"\nThe store gives the {size:.0f} MB of the large source within {whole:.2f} s to eight requests at a time.\n")
    print("| | on disk | in a bucket | ratio |\n|---|---|---|---|", flush=True)
    references = ",".join(f"stats:{name}" for name in NAMES)
    for what, command in (
        (f"join of {ENTITIES / 1e3:g} k rows with {ROWS / 1e6:g} M, 10 features",
         ["get-historical", "-q", "--entities", "../entities.parquet", "--features", references, "-o", "out.parquet"]),
        ("the same, 1 feature",
         ["get-historical", "-q", "--entities", "../entities.parquet", "--features", "stats:f0", "-o", "out.parquet"]),
        (f"materialize {ROWS / 1e6:g} M rows of {KEYS / 1e3:g} k entities",
         ["materialize", START, "2026-02-01", "-q", "--views", "stats"]),
    ):
        results = {where: [] for where in views}
        for number in range(RUNS + 1):
            for where in views:
                result = measure([FEASTR, *command], place / where)
                results[where] += [result] if number else []
        (disk, least), (bucket, most) = (summary(results[where]) for where in views)
        print(f"| {what} | {disk:.2f} s, {least:.0f} MiB | {bucket:.2f} s, {most:.0f} MiB | {bucket / disk:.2f} |", flush=True)

    relay = Relay(store.port)
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{relay.port}"

    def counted(what, command):
        relay.counts.clear()
        seconds, peak = measure([FEASTR, *command], place / "bucket")
        counts = ", ".join(f"{count} {what}" for what, count in sorted(relay.counts.items()))
        print(f"| {what} | {seconds:.2f} s, {peak:.0f} MiB | {counts} |", flush=True)

    print(f"\nWith {LATENCY * 1000:g} ms more for each request:\n\n| | | requests |\n|---|---|---|", flush=True)
    counted(f"features of 3 of {PARTITIONS} days",
            ["get-historical", "-q", "--entities", "../three.parquet", "--features", "days:f0", "-o", "out.parquet"])
    (place / "bucket/definitions.yaml").write_text(views["bucket"])
    counted(f"plan of {VIEWS} views over {VIEWS} objects", ["plan", "-q"])


main()
