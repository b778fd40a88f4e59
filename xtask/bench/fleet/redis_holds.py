"""Redis CPU time of a granted hold: the function library in batches of 128, and one call of a script a buyer."""

import statistics
import subprocess

from side_by_side import spread
from stores import cpu_of, process_of

PAIRS = 5
HOLDS = 100_000


def measure(stores, program, way, sale):
    primary = stores.primary(sale)
    nodes = ",".join(stores.redis) if way == "batches" else primary
    load = subprocess.Popen([program, way, nodes, sale, str(HOLDS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if load.stdout.readline() != "ready\n":
        raise SystemExit(f"{way}: the load did not begin")
    pid = process_of(primary)
    before = cpu_of(pid)
    load.stdin.write("\n")
    load.stdin.close()
    granted = int(load.stdout.readline())
    used = cpu_of(pid) - before
    load.wait()
    if granted != HOLDS:
        raise SystemExit(f"{way}: {granted} of {HOLDS} holds were granted")
    return used / granted * 1e6


def run(stores, program):
    print(f"\nRedis CPU µs a granted hold, {HOLDS:,} a round, {PAIRS} pairs, the primary of the sale: median (min – max)", flush=True)
    ours, theirs = [], []
    for number in range(PAIRS):
        ours.append(measure(stores, program, "batches", f"bench-{number}"))
        theirs.append(measure(stores, program, "calls", f"bench-{number}"))
    ratio = [mine / other for mine, other in zip(ours, theirs)]
    print(f"{'function library, batches of 128':<44} {spread(ours):>24}")
    print(f"{'canonical script, one call a buyer, 50 conn.':<44} {spread(theirs):>24}")
    print(f"{'ratio':<44} {spread(ratio, 3):>24}   1/{1 / statistics.median(ratio):.1f}", flush=True)
    return ("redis_cpu", statistics.median(ours), "µs", f"granted hold, function library in batches of 128, median of {PAIRS} rounds")
