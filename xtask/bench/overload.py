"""Measures what is left of the service when five times as much comes as it can take.

Called by `cargo xtask bench overload` with the built program and the built example `pace`. The server may use a quarter of one
core (by CPU quota: what comes can then be more than it can take, on the same machine); load on the other core. First its
capacity: granted checkouts a second, as many as it answers to a load that never stops asking and that it does not have to send
away. Then, in each round, five times as many come, at a fixed pace. Both times, over connections of their own, as many other
buyers look at statuses, give up their orders and pay. A request of the load takes a connection that owes nothing; where none is
left it is not sent, and is counted: those buyers stand in a line before the door. Latency counts from the instant at which a
request was due.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from side_by_side import Api, lua_checkout, resident_kib, run_wrk, sale, script, spinners, spread, start_tzero

ROUNDS = 5
SECONDS = 5
TIMES = 5
CONNECTIONS = 1_024
USERS = 24_000
# A quarter of a core, in shares of 10 ms.
QUOTA_US, PERIOD_US = 2_500, 10_000
# Actions of each kind in a round, and connections that they go over.
ACTIONS, LANES = 100, 4
SETTINGS = ["limits.user_per_s=0", "limits.network_per_s=0", "processor.rate_per_s=50", "processor.payment_address_deadline_ms=86400000", "log.level=error"]


class Quota:
    """A control group of the server's own, of either version."""

    def __init__(self):
        v1, v2 = "/sys/fs/cgroup/cpu", "/sys/fs/cgroup"
        self.folder = f"{v1 if os.path.isdir(v1) else v2}/tzero-bench-{os.getpid()}"
        self.old = os.path.isdir(v1)
        try:
            os.mkdir(self.folder)
            self.set(True)
        except OSError as error:
            raise SystemExit(f"a CPU quota needs a control group of the server's own, and it cannot be made: {error}. Run this as root, where control groups with the controller 'cpu' can be made")

    def write(self, name, text):
        open(f"{self.folder}/{name}", "w").write(text)

    def set(self, held):
        if self.old:
            self.write("cpu.cfs_period_us", str(PERIOD_US))
            self.write("cpu.cfs_quota_us", str(QUOTA_US) if held else "-1")
        else:
            self.write("cpu.max", f"{QUOTA_US if held else 'max'} {PERIOD_US}")

    def take(self, pid):
        self.write("cgroup.procs", str(pid))

    def end(self):
        os.rmdir(self.folder)


class Actions(threading.Thread):
    """Buyers with orders of their own, one after the other over one connection: a look, a payment, a change of mind."""

    def __init__(self, port, orders, lasts):
        super().__init__()
        self.connection, self.orders, self.pause = http.client.HTTPConnection("127.0.0.1", port, timeout=10), orders, lasts / len(orders) / 3
        self.seen = []

    def act(self, kind, method, path, wanted, body=None, token=None):
        began = time.monotonic()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            answer.read()
            status = answer.status
        except OSError:
            self.connection.close()
            status = 0
        self.seen.append((kind, status in wanted, status, (time.monotonic() - began) * 1e3))
        time.sleep(self.pause)

    def run(self):
        for number, (ticket, pay_path, token) in enumerate(self.orders):
            self.act("status", "GET", f"/v1/orders/status/{ticket}", (200,))
            if number % 2:
                self.act("pay", "POST", pay_path, (200, 303), body="action=pay")
            else:
                self.act("DELETE", "DELETE", f"/v1/orders/{ticket}", (200, 202), token=token)
            self.act("status", "GET", f"/v1/orders/status/{ticket}", (200,))


def orders(port, users, count):
    """Orders that wait for their payment."""
    guest, made = Api(port), []
    for number in range(count):
        user, token = users[number % len(users)]
        status, body = guest.ask("POST", "/v1/sales/open/checkout", {"user_id": user, "product_id": "p", "idempotency_key": f"order-{number}"}, token)
        if status != 202:
            raise SystemExit(f"an order was not taken: {body}")
        made.append((body["queue_ticket_id"], token))
    ready = []
    for ticket, token in made:
        for _ in range(600):
            _, body = guest.ask("GET", f"/v1/orders/status/{ticket}")
            if body.get("checkout_url"):
                break
            time.sleep(0.05)
        ready.append((ticket, urllib.parse.urlparse(body["checkout_url"]).path, token))
    return ready


def flood(pace, port, rate, users, number):
    command = ["taskset", "-c", "1", pace, f"127.0.0.1:{port}", "open", f"{rate:.0f}", str(SECONDS), str(CONNECTIONS), "leaves", f"flood-{number}-"]
    ended = subprocess.run(command, input="\n".join(f"{user} {token}" for user, token in users), capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"the load at a pace: {ended.stderr.strip()}")
    return json.loads(ended.stdout)


def beside(port, ready, load):
    """What `load` gives, and what buyers saw who have orders already."""
    lanes = [Actions(port, ready[lane::LANES], SECONDS) for lane in range(LANES)]
    for lane in lanes:
        lane.start()
    given = load()
    for lane in lanes:
        lane.join()
    return given, [each for lane in lanes for each in lane.seen]


def report(capacity, rounds):
    goodput = [each["statuses"].get("202", 0) / SECONDS for each in rounds]
    refused = [each["statuses"].get("503", 0) / SECONDS for each in rounds]
    left = [each["left"] / SECONDS for each in rounds]
    print(f"capacity: {capacity:,.0f} granted checkouts a second; then {TIMES} times as many come, {ROUNDS} rounds of {SECONDS} s, {CONNECTIONS} connections; median (min – max)")
    print(f"{'granted a second':<44} {spread(goodput, 0):>28}")
    print(f"{'of the capacity':<44} {statistics.median(goodput) / capacity:>28.0%}")
    print(f"{'sent away a second (503)':<44} {spread(refused, 0):>28}")
    print(f"{'found no connection, a second':<44} {spread(left, 0):>28}")
    for name, key in [("p50", "p50_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms")]:
        print(f"{'latency of those granted, ' + name + ', ms':<44} {spread([each['accepted'][key] for each in rounds]):>28}")
    others = sorted({status for each in rounds for status in each["statuses"]} - {"202", "503"})
    if others:
        raise SystemExit(f"answers of other kinds: {others}")
    for kind in ("status", "pay", "DELETE"):
        acts = [act for each in rounds for act in each["actions"] if act[0] == kind]
        good, times = sum(act[1] for act in acts), sorted(act[3] for act in acts)
        print(f"{kind + ': done at the first try, of ' + str(len(acts)):<44} {good / len(acts):>28.1%}   p99 {times[int(len(times) * 0.99)]:.0f} ms")


def main(program, pace):
    folder, quota, awake = tempfile.mkdtemp(prefix="tzero-bench-"), Quota(), spinners()
    server, port, pids = start_tzero(program, f"{folder}/data", SETTINGS)
    try:
        quota.set(False)
        quota.take(pids[0])
        api = Api(port, open(f"{folder}/data/admin-token").read().strip())
        sale(api, "open", "2020-01-01T00:00:00Z", 16_000_000, 100)
        users, guest = [], Api(port)
        for _ in range(USERS):
            _, body = guest.ask("POST", "/v1/sessions")
            users.append((body["user_id"], body["session_token"]))
        ready = orders(port, users, 2 * ROUNDS * ACTIONS)
        granted = script(folder, "granted", lua_checkout(users, "open", True))
        run_wrk(port, granted, 1)
        quota.set(True)
        rates, rounds = [], []
        for number in range(ROUNDS):
            of_capacity, of_round = ready[number :: 2 * ROUNDS], ready[ROUNDS + number :: 2 * ROUNDS]
            (requests, wrong, _, _), _ = beside(port, of_capacity, lambda: run_wrk(port, granted, SECONDS))
            rates.append((requests - wrong) / SECONDS)
            quota.set(False)
            time.sleep(1.0)
            quota.set(True)
            rate = TIMES * statistics.median(rates)
            seen, acts = beside(port, of_round, lambda: flood(pace, port, rate, users, number))
            rounds.append({**seen, "actions": acts})
        report(statistics.median(rates), rounds)
        print(f"{'memory of the server at the end, MiB':<44} {resident_kib(pids) / 1024:>28.0f}")
    finally:
        for spinner in awake:
            spinner.kill()
        quota.set(False)
        server.terminate()
        server.wait()
        quota.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
