"""Time and memory of whole commands, for the benchmarks."""

import multiprocessing
import os
import statistics
import subprocess
import sys
import time

# Python Feast's command line, in the interpreter that runs this.
FEAST = [sys.executable, "-c", "from feast.cli.cli import cli; cli()"]


def aside(function, *arguments):
    """Calls a function in a process of its own: the peak of a command is at least that of the process that starts it."""
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(f"{function.__name__} failed")


def measure(command, folder):
    """Seconds and peak MiB of one run of a command."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env={**os.environ, "TZ": "UTC"})
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed:\n{errors.decode()}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def summary(results):
    """Median seconds and highest peak of several runs."""
    return statistics.median(seconds for seconds, _ in results), max(peak for _, peak in results)


def typical(command, folder, runs):
    """Median seconds and highest peak of several runs, after one that is not counted."""
    measure(command, folder)
    return summary([measure(command, folder) for _ in range(runs)])


def head():
    print("| | feastr | Feast 0.67 | ratio |\n|---|---|---|---|", flush=True)


def row(what, ours, theirs=None):
    feast = f"{theirs[0]:.2f} s, {theirs[1]:.0f} MiB" if theirs else ""
    ratio = f"{theirs[0] / ours[0]:.0f}×" if theirs else ""
    print(f"| {what} | {ours[0]:.3f} s, {ours[1]:.0f} MiB | {feast} | {ratio} |", flush=True)
