"""A PostgreSQL server of our own in a temporary folder, for benchmarks."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

USER = "feast"


def programs():
    """The folder with initdb and postgres: on the path, else where Debian keeps them."""
    found = shutil.which("initdb")
    if found:
        return pathlib.Path(found).resolve().parent
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return versions[-1] if versions else sys.exit("error: PostgreSQL is missing\nhelp: apt-get install postgresql")


def unprivileged():
    """The words before a command, and the owner of its files: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return [], None
    import pwd
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Databases of a running server."""

    def __init__(self, bin_folder, before, port):
        self.bin_folder, self.before, self.port = bin_folder, before, port

    def url(self, database):
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def run(self, sql):
        subprocess.run([*self.before, self.bin_folder / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
                        str(self.port), "-U", USER, "-d", "postgres", "-c", sql], check=True, cwd="/")

    def fresh(self, database):
        """An empty database, instead of one of that name."""
        self.run(f"drop database if exists {database} with (force)")
        self.run(f"create database {database}")


@contextlib.contextmanager
def server():
    """A server on loopback with the defaults of PostgreSQL; it is gone with the block."""
    bin_folder, (before, owner) = programs(), unprivileged()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data, port = folder / "data", free_port()
        subprocess.run([*before, bin_folder / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8",
                        "--no-locale"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        # pg_ctl goes on only when the server takes connections.
        control = [*before, bin_folder / "pg_ctl", "-D", data, "-w"]
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        subprocess.run([*control, "-l", folder / "log", "-o", options, "start"], check=True,
                       stdout=subprocess.DEVNULL, cwd="/")
        try:
            yield Server(bin_folder, before, port)
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, stdout=subprocess.DEVNULL, cwd="/")
