"""A Redis server of our own, for the benchmarks: on a free port, without files, gone afterwards."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time

import redis


@contextlib.contextmanager
def running():
    """Starts a server and yields a client of it; its port is in the client's connection settings."""
    if not shutil.which("redis-server"):
        sys.exit("redis-server is not installed: run scripts/test.sh once, which installs it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        for _ in range(100):
            with contextlib.suppress(redis.ConnectionError):
                client.ping()
                break
            time.sleep(0.05)
        yield client, port
    finally:
        server.kill()
        server.wait()
