"""PostgreSQL CPU time of an order that is taken in: the allocation transaction, and the hot row of a shop."""

import re
import statistics
import subprocess
import tempfile
import time

from side_by_side import spread
from stores import cpu_of_family

PAIRS = 5
ORDERS = 100_000
BATCH = 1024
CLIENTS = 16
SECONDS = 5

# No more than a shop cannot do without: what is left, who bought what, once each.
SCHEMA = """
DROP TABLE IF EXISTS hot_order, hot_product;
CREATE TABLE hot_product (product_no int PRIMARY KEY, stock int NOT NULL CHECK (stock >= 0));
CREATE TABLE hot_order (ticket bytea PRIMARY KEY, user_hash bytea NOT NULL, user_id text NOT NULL, product_no int NOT NULL,
  quantity smallint NOT NULL, amount_minor bigint NOT NULL, currency text NOT NULL, state text NOT NULL,
  created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, UNIQUE (user_hash, product_no));
INSERT INTO hot_product VALUES (0, 100000000);
"""
TRANSACTION = r"""
\set n random(1, 1000000000000000)
BEGIN;
UPDATE hot_product SET stock = stock - 1 WHERE product_no = 0 AND stock > 0;
INSERT INTO hot_order VALUES (uuid_send(gen_random_uuid()), uuid_send(gen_random_uuid()), 'user-' || lpad(:n::text, 16, '0'),
  0, 1, 1000, 'EUR', 'allocated', now(), now() + interval '5 minutes');
COMMIT;
"""


def allocation(stores, program):
    """CPU µs an order: to take it in, and to read and forget its effect."""
    load = subprocess.Popen([program, str(ORDERS), str(BATCH), stores.postgres], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    seen = []
    for _ in range(3):
        if load.stdout.readline() != "ready\n":
            raise SystemExit("allocation: the load ended before its time")
        seen.append(cpu_of_family(stores.postmaster()))
        load.stdin.write("\n")
        load.stdin.flush()
    live = int(load.stdout.readline())
    load.wait()
    if live != ORDERS:
        raise SystemExit(f"allocation: {live} of {ORDERS} orders are live")
    return [(after - before) / ORDERS * 1e6 for before, after in zip(seen, seen[1:])]


def hot_row(stores, pgbench):
    said = subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", stores.postgres], input=SCHEMA, capture_output=True, text=True)
    if said.returncode:
        raise SystemExit(f"hot row: {said.stderr}")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(TRANSACTION)
        script.flush()
        before = cpu_of_family(stores.postmaster())
        command = [pgbench, "-n", "-M", "prepared", "-c", str(CLIENTS), "-T", str(SECONDS), "-f", script.name, stores.postgres]
        said = subprocess.run(command, capture_output=True, text=True)
        time.sleep(0.3)
        used = cpu_of_family(stores.postmaster()) - before
    if said.returncode or "number of failed transactions: 0 " not in said.stdout:
        raise SystemExit(f"hot row: {said.stdout} {said.stderr}")
    orders = int(re.search(r"transactions actually processed: (\d+)", said.stdout).group(1))
    return used / orders * 1e6, orders / SECONDS


def run(stores, program, pgbench):
    print(f"\nPostgreSQL CPU µs an order, all its processes, {ORDERS:,} orders in batches of {BATCH}, {PAIRS} pairs: median (min – max)", flush=True)
    taken, told, hot, rates = [], [], [], []
    for _ in range(PAIRS):
        allocated, effect = allocation(stores, program)
        taken.append(allocated)
        told.append(effect)
        micros, rate = hot_row(stores, pgbench)
        hot.append(micros)
        rates.append(rate)
    print(f"{'allocation transaction':<44} {spread(taken):>24}")
    print(f"{'its effect, read and forgotten':<44} {spread(told):>24}")
    print(f"{f'hot row, pgbench, {CLIENTS} clients':<44} {spread(hot):>24}   {spread(rates, 0).strip()} a second")
    for name, ours in [("ratio", taken), ("ratio with the effect", [a + b for a, b in zip(taken, told)])]:
        ratio = [mine / other for mine, other in zip(ours, hot)]
        print(f"{name:<44} {spread(ratio, 4):>24}   1/{1 / statistics.median(ratio):.1f}", flush=True)
    both = statistics.median(a + b for a, b in zip(taken, told))
    return ("postgres_cpu", both, "µs", f"order taken in, with its effect, in batches of {BATCH}, median of {PAIRS} rounds")
