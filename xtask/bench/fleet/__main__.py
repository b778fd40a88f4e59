"""Measures what a fleet costs its stores, side by side with what is usually done, and what its buyers wait for.

Called by `cargo xtask bench fleet` with the file of the stores' addresses, the built programs, and the command that runs
the services, and with the file that takes the costs for `tzero plan`, where one is asked for. Prints nothing that it has not measured.
"""

import pathlib
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parent.parent))

import acknowledgement
import costs
import failover
import postgres_orders
import redis_holds
from program import Program
from stores import Stores


def main(file, folder, pgbench, xtask, costs_file=None):
    stores, built = Stores(file), pathlib.Path(folder)
    measured = [
        redis_holds.run(stores, built / "examples/grants"),
        postgres_orders.run(stores, built / "examples/allocate", pgbench),
    ]
    if costs_file:
        costs.write(costs_file, measured)
    with tempfile.TemporaryDirectory(prefix="tzero-bench-") as data:
        with Program(built / "tzero", stores, data) as program:
            acknowledgement.run(program, built / "examples/pace")
            failover.run(program, stores, [xtask, "services", "--folder", str(stores.folder)])


main(*sys.argv[1:])
