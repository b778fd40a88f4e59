"""How soon a checkout is answered 202 at half of what the stores and one process carry together."""

import tempfile

from side_by_side import CONNECTIONS, PACED_ROUNDS, PACED_SECONDS, lua_checkout, paced, run_wrk, script, spread

USERS = 24_000
STOCK = 2_000_000


def run(program, pace):
    program.open_sale("open", STOCK, 100)
    users = program.sessions(USERS)
    with tempfile.TemporaryDirectory() as folder:
        path = script(folder, "granted", lua_checkout(users, "open", True))
        rates = []
        for seconds in (1, 5):
            requests, wrong, broken, _ = run_wrk(program.port, path, seconds)
            if broken:
                raise SystemExit(f"the load met socket errors: {broken}")
            rates.append((requests - wrong) / seconds)
            program.taken_in("open")
    capacity = rates[-1]
    print(f"\nacknowledgement on the fleet (every role in one process, three stores and the load on the same cores), ms: median (min – max)")
    print(f"capacity, closed loop, {CONNECTIONS} connections: {capacity:,.0f} granted checkouts a second; open loop at half of it, {PACED_ROUNDS} rounds of {PACED_SECONDS} s", flush=True)
    rounds = []
    for number in range(PACED_ROUNDS):
        rounds.append(paced(pace, program.port, capacity / 2, users, f"pace-{number}-"))
        program.taken_in("open")
    for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms"):
        print(f"{key.removesuffix('_ms'):<8} {spread([each['latency'][key] for each in rounds]):>28}")
    print(f"{'behind':<8} {spread([each['behind']['p999_ms'] for each in rounds]):>28}   p99.9 of the load's own lateness, which the latency contains", flush=True)
