"""Measures the HTTP paths side by side with nginx `return 202`: CPU time a request (user + system of the server), memory per
idle connection, and the latency of granted checkouts at a fixed pace.

Called by `cargo xtask bench` with the built program and the built example `pace` as its arguments, and with the file that
takes the costs for `tzero plan`, where one is asked for. Server on core 0, load on
core 1, A B A B, five pairs after a warm-up; medians with min and max. Nothing of the real path is switched off, except the
limits per user and network, since all load comes from one machine. While it measures, a spinner of idle priority keeps each
core awake: a virtual core that halts between two requests adds the cost of waking up, which differs from round to round. Before
each round memory is touched and given back: a virtual machine's host takes free memory away, and a page that it has to find anew
costs ten times as much as one that it still has (5 to 10 µs and 0.5 µs a page of 4 KiB were seen).
"""

import http.client
import json
import mmap
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from costs import write as write_costs

PAIRS = 5
SECONDS = 3
CONNECTIONS = 256
USERS = 24_000
IDLE = 4_000
PACED_ROUNDS = 3
# Each owes one answer at a time: with as few as wrk has, a slow moment of the disk would make the load wait for itself.
PACED_CONNECTIONS = 2_048
PACED_SECONDS = 5
WARM_BYTES = 512 << 20
TICK = os.sysconf("SC_CLK_TCK")
# Which measurement is which cost of `tzero plan`.
COSTS = {"refusal: all held": "refused_cpu", "status poll": "poll_cpu", "granted checkout, durable": "granted_cpu"}


def pinned(core, *command, **more):
    return subprocess.Popen(["taskset", "-c", str(core), *command], **more)


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident_kib(pids):
    return sum(int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) for pid in pids)


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    return [int(each) for each in found]


def wait_for(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


def spinners():
    spin = ["chrt", "-i", "0", sys.executable, "-c", "while True: pass"]
    return [pinned(core, *spin) for core in (0, 1)]


def warm():
    """Touches memory and gives it back, so that the host has it at hand for the next round."""
    with mmap.mmap(-1, WARM_BYTES) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        for at in range(0, WARM_BYTES, mmap.PAGESIZE):
            memory[at] = 1


def start_nginx(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    configuration = f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
server {{ listen 127.0.0.1:{port}; location / {{ return 202; }} }} }}
"""
    path = f"{folder}/nginx.conf"
    open(path, "w").write(configuration)
    process = pinned(0, "nginx", "-c", path, "-p", folder, stderr=subprocess.DEVNULL)
    wait_for(port)
    return process, port, children(process.pid)


# No payment address is ever there: what is measured is the checkout.
CHECKOUTS_ONLY = ["limits.user_per_s=0", "limits.network_per_s=0", "processor.rate_per_s=1000000", "processor.concurrency=1", "sandbox.timeout_rate=1.0", "processor.payment_address_deadline_ms=86400000", "log.level=error"]


def start_tzero(program, folder, settings=CHECKOUTS_ONLY):
    flags = [part for each in settings for part in ("--set", each)]
    command = [program, "serve", "--listen", "127.0.0.1:0", "--data", folder, *flags]
    process = pinned(0, *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    port = int(process.stdout.readline().rsplit(":", 1)[1])
    return process, port, [process.pid]


class Api:
    def __init__(self, port, token=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port)
        self.token = token

    def ask(self, method, path, body=None, token=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token or self.token:
            headers["Authorization"] = f"Bearer {token or self.token}"
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


def sale(api, name, starts, stock, limit):
    product = {"product_id": "p", "name": "P", "price": {"amount": "10.00", "currency": "EUR"}, "stock": stock, "max_per_user": limit}
    status, body = api.ask("POST", "/admin/v1/sales", {"sale_id": name, "name": name, "starts_at": starts, "ends_at": "2099-01-01T00:00:00Z", "products": [product]})
    if status != 201:
        raise SystemExit(f"the sale was not made: {body}")


def script(folder, name, text):
    path = f"{folder}/{name}.lua"
    open(path, "w").write(text)
    return path


def lua_checkout(users, sale_id, fresh):
    rows = "\n".join(f'{{"{user}","{token}"}},' for user, token in users)
    key = '"k" .. n' if fresh else '"k"'
    return f"""
local users = {{ {rows} }}
local n
init = function(args) n = tonumber(args[1]) end
request = function()
  n = n + 1
  local user = users[n % #users + 1]
  local body = '{{"user_id":"' .. user[1] .. '","product_id":"p","idempotency_key":"' .. {key} .. '"}}'
  return wrk.format("POST", "/v1/sales/{sale_id}/checkout", {{ ["Authorization"] = "Bearer " .. user[2], ["Content-Type"] = "application/json" }}, body)
end
"""


def run_wrk(port, path, seconds=SECONDS):
    url = f"http://127.0.0.1:{port}/"
    # Where a script counts: no two runs send the same keys.
    first = str(time.monotonic_ns() // 1_000)
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", path, url, "--", first]
    load, began = children_seconds(), time.monotonic()
    said = subprocess.run(command, capture_output=True, text=True).stdout
    busy = (children_seconds() - load) / (time.monotonic() - began)
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: (.*)", said)
    return requests, int(wrong.group(1)) if wrong else 0, broken.group(1) if broken else "", busy


def quiet(pids):
    """Waits until the processes have nothing to do any more: what a request left for later counts as its cost."""
    idle, before = 0, cpu_seconds(pids)
    while idle < 5:
        time.sleep(0.1)
        now = cpu_seconds(pids)
        idle, before = (idle + 1 if now - before < 0.02 else 0), now


def measure(port, pids, path):
    warm()
    before, began = cpu_seconds(pids), time.monotonic()
    requests, wrong, broken, busy = run_wrk(port, path)
    took = time.monotonic() - began
    answered = cpu_seconds(pids)
    if broken:
        raise SystemExit(f"the load met socket errors: {broken}")
    quiet(pids)
    done = cpu_seconds(pids)
    return {
        "micros": (answered - before) / requests * 1e6,
        "all": (done - before) / requests * 1e6,
        "rate": requests / took,
        "wrong": wrong / requests,
        "busy": busy,
    }


def children_seconds():
    """CPU time of the programs that were run and have ended: the load."""
    times = os.times()
    return times.children_user + times.children_system


def spread(values, digits=2):
    return f"{statistics.median(values):8.{digits}f} ({min(values):.{digits}f} – {max(values):.{digits}f})"


def paced(pace, port, rate, users, keys):
    """Latency in milliseconds of requests that are due at a fixed pace, each measured from the instant it was due."""
    command = ["taskset", "-c", "1", pace, f"127.0.0.1:{port}", "open", f"{rate:.0f}", str(PACED_SECONDS), str(PACED_CONNECTIONS), "waits", keys]
    lines = "\n".join(f"{user} {token}" for user, token in users)
    ended = subprocess.run(command, input=lines, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"the load at a pace: {ended.stderr.strip()}")
    seen = json.loads(ended.stdout)
    if set(seen["statuses"]) - {"202", "503"}:
        raise SystemExit(f"the load at a pace: answers by status {seen['statuses']}, and all should be 202, or 503 of those who are sent away")
    return seen


def latencies(pace, servers, capacity, users):
    print(f"\nlatency of granted checkouts, open loop, {PACED_CONNECTIONS} connections, {PACED_ROUNDS} rounds of {PACED_SECONDS} s, ms: median (min – max)")
    print(f"capacity, as found above: {capacity:,.0f} a second; 'behind' is the load's own lateness, which the latency contains")
    print(f"{'latency of those who were accepted':<38} {'p50':>20} {'p99':>20} {'p99.9':>22} {'max':>24} {'behind p99.9':>20} {'sent away (503)':>20}")
    for share in (0.5, 0.9):
        rounds = {name: [] for name, _, _ in servers}
        for number in range(PACED_ROUNDS):
            for name, port, pids in servers:
                rounds[name].append(paced(pace, port, capacity * share, users, f"pace-{share}-{number}-"))
                quiet(pids)
        for name, seen in rounds.items():
            figures = [spread([one["accepted"][key] for one in seen]) for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms")]
            behind = spread([one["behind"]["p999_ms"] for one in seen])
            away = spread([100 * one["statuses"].get("503", 0) / sum(one["statuses"].values()) for one in seen], 1)
            title = f"{name} at {share:.0%} of tzero's capacity"
            print(f"{title:<38} {figures[0]:>20} {figures[1]:>20} {figures[2]:>22} {figures[3]:>24} {behind:>20} {away + ' %':>20}", flush=True)


def idle_kib(port, pids, path):
    before = resident_kib(pids)
    open_ones = []
    for _ in range(IDLE):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        connection.recv(4096)
        open_ones.append(connection)
    held = resident_kib(pids)
    for connection in open_ones:
        connection.close()
    time.sleep(1.0)
    # The allocator gives memory back while it works, so a little work follows.
    for _ in range(30):
        again = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(100):
            again.request("GET", path)
            again.getresponse().read()
    time.sleep(1.0)
    return (held - before) / IDLE, (resident_kib(pids) - before) / IDLE


def main(program, pace, costs_file=None):
    folder = tempfile.mkdtemp(prefix="tzero-bench-")
    awake = spinners()
    nginx, nginx_port, nginx_pids = start_nginx(folder)
    tzero, port, pids = start_tzero(program, f"{folder}/data")
    try:
        api = Api(port, open(f"{folder}/data/admin-token").read().strip())
        sale(api, "open", "2020-01-01T00:00:00Z", 16_000_000, 100)
        sale(api, "early", "2098-01-01T00:00:00Z", 1_000, 1)
        sale(api, "held", "2020-01-01T00:00:00Z", 1, 1)
        print(f"making {USERS} sessions …", flush=True)
        users = []
        guest = Api(port)
        for _ in range(USERS):
            _, body = guest.ask("POST", "/v1/sessions")
            users.append((body["user_id"], body["session_token"]))
        user, token = users[0]
        _, ticket = guest.ask("POST", "/v1/sales/open/checkout", {"user_id": user, "product_id": "p", "idempotency_key": "first"}, token)
        guest.ask("POST", "/v1/sales/held/checkout", {"user_id": user, "product_id": "p", "idempotency_key": "k"}, token)
        few = users[1:2_001]
        anchor = script(folder, "anchor", 'wrk.method = "POST"\nwrk.body = string.rep("x", 150)\nwrk.headers["Content-Type"] = "application/json"\n')
        paths = {
            "refusal: too early": (script(folder, "early", lua_checkout(few, "early", False)), 1.0),
            "refusal: all held": (script(folder, "held", lua_checkout(few, "held", False)), 1.0),
            "status poll": (script(folder, "status", f'wrk.path = "{ticket["status_url"]}"\n'), 0.0),
            "checkout sent again": (script(folder, "again", lua_checkout(few, "open", False)), 0.0),
            "granted checkout, durable": (script(folder, "granted", lua_checkout(users, "open", True)), 0.0),
        }
        run_wrk(nginx_port, anchor, 1)
        print(f"{'CPU µs a request (median, min – max)':<38} {'tzero':>24} {'nginx return 202':>24} {'ratio':>6} {'with its wake':>14} {'tzero/s':>9} {'load core busy':>15}")
        capacity, costs = 0.0, []
        for name, (path, refused) in paths.items():
            run_wrk(port, path, 1)
            ours, theirs = [], []
            for _ in range(PAIRS):
                ours.append(measure(port, pids, path))
                theirs.append(measure(nginx_port, nginx_pids, anchor))
            share = statistics.median(each["wrong"] for each in ours)
            if abs(share - refused) > 0.001:
                raise SystemExit(f"{name}: {share:.3f} of the answers were not 2xx, and {refused} should be")
            mine, anchors = [each["micros"] for each in ours], [each["micros"] for each in theirs]
            ratio = statistics.median(a / b for a, b in zip(mine, anchors))
            rate = statistics.median(each["rate"] for each in ours)
            wake = statistics.median(a["all"] / b["micros"] for a, b in zip(ours, theirs))
            busy = statistics.median(each["busy"] for each in ours)
            print(f"{name:<38} {spread(mine):>24} {spread(anchors):>24} {ratio:6.2f} {wake:14.2f} {rate:9,.0f} {busy:15.0%}", flush=True)
            capacity = rate
            if name in COSTS:
                costs.append((COSTS[name], statistics.median(mine), "µs", f"{name}, median of {PAIRS} rounds over {CONNECTIONS} connections"))
        print("'with its wake': the same ratio, with the CPU time that requests left for later (allocation, tables) counted until the server was quiet")
        latencies(pace, [("tzero", port, pids), ("nginx", nginx_port, nginx_pids)], capacity, users)
        print(f"\nmemory of the server per idle keep-alive connection ({IDLE} of them), KiB: while open, left after closing and 3,000 requests more")
        for name, at, group, path in [("tzero", port, pids, "/v1/time"), ("nginx", nginx_port, nginx_pids, "/")]:
            held, left = idle_kib(at, group, path)
            print(f"{name:<8} {held:6.1f} {left:6.1f}")
            if name == "tzero":
                costs.append(("connection_memory", held * 1024, "bytes", f"idle keep-alive connection, {IDLE} of them"))
        if costs_file:
            write_costs(costs_file, costs)
    finally:
        for spinner in awake:
            spinner.kill()
        tzero.terminate()
        nginx.terminate()
        tzero.wait()
        nginx.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
