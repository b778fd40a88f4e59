"""Measures what a buyer who waits for news of their order costs: by short polling, and by a stream of events; asked directly, and
through Varnish with the configuration of deploy/.

Called by `cargo xtask bench status` with the built program and the checkout. Server (and Varnish) on core 0, the waiting buyers on core
1. Each buyer waits for an order of their own in which nothing happens, as most do; polling is at the pace that the server tells.
CPU time (user + system) is read from the processes' own accounting after everybody has begun; memory is what the processes hold
more than before the first buyer came. Then some orders are given up, and the time is taken until the buyer's page knows.
"""

import asyncio
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from side_by_side import Api, children, cpu_seconds, pinned, resident_kib, sale, spinners, start_tzero, wait_for

WAITING = 2_000
BEGIN_SECONDS, SECONDS = 8, 20
CHANGES = 200
WAYS = ("polls, connection kept", "polls, a connection each", "stream of events")


class Front:
    """What buyers talk to, and the processes that it is made of."""

    def __init__(self, name, port, groups):
        self.name, self.port, self.groups = name, port, groups


def start_varnish(root, folder, origin):
    with open(f"{root}/deploy/varnish.vcl") as text:
        configuration = text.read().replace('.port = "8080"', f'.port = "{origin}"')
    path = f"{folder}/tzero.vcl"
    open(path, "w").write(configuration)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = shutil.which("varnishd") or "/usr/sbin/varnishd"
    process = pinned(0, program, "-F", "-j", "none", "-n", f"{folder}/varnish", "-a", f"127.0.0.1:{port}", "-f", path, "-s", "malloc,64m", "-p", "http_req_size=15k", "-p", "http_req_hdr_len=7k", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(port)
    return process, port


async def answer(reader):
    """The body of one answer with a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(f"a status was answered with {head[:60]}")
    return json.loads(await reader.readexactly(length))


class Buyer:
    def __init__(self, port, ticket, counts):
        self.port, self.ticket, self.counts, self.ended = port, ticket, counts, None

    async def polls(self, kept):
        await asyncio.sleep(random.random() * 2)
        reader = writer = None
        closing = "" if kept else "connection: close\r\n"
        request = f"GET /v1/orders/status/{self.ticket} HTTP/1.1\r\nhost: shop\r\n{closing}\r\n".encode()
        while True:
            if writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(request)
            document = await answer(reader)
            self.counts["polls"] += 1
            if not kept:
                writer.close()
                writer = None
            if document["phase"] == "failed":
                self.ended = time.monotonic()
                return
            await asyncio.sleep(document["poll_after_ms"] / 1e3)

    async def listens(self):
        await asyncio.sleep(random.random() * 2)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET /v1/orders/status/{self.ticket}/events HTTP/1.1\r\nhost: shop\r\naccept: text/event-stream\r\n\r\n".encode())
        while line := await reader.readline():
            if b'"phase":"failed"' in line:
                self.ended = time.monotonic()
                return


async def wait(front, way, tickets, give_up):
    counts = {"polls": 0}
    buyers = [Buyer(front.port, ticket, counts) for ticket in tickets]
    before = {name: resident_kib(pids) for name, pids in front.groups.items()}
    tasks = [asyncio.create_task(one.listens() if way == WAYS[2] else one.polls(way == WAYS[0])) for one in buyers]
    await asyncio.sleep(BEGIN_SECONDS)
    polls, cpu, began = counts["polls"], {name: cpu_seconds(pids) for name, pids in front.groups.items()}, time.monotonic()
    await asyncio.sleep(SECONDS)
    lasted = time.monotonic() - began
    cpu = {name: (cpu_seconds(pids) - cpu[name]) / lasted / len(buyers) * 1e6 for name, pids in front.groups.items()}
    memory = {name: (resident_kib(pids) - before[name]) / len(buyers) for name, pids in front.groups.items()}
    a_second = (counts["polls"] - polls) / lasted
    for task in tasks:
        if task.done():
            task.result()
            raise SystemExit(f"{front.name}, {way}: a buyer stopped waiting")
    delays = []
    for buyer in buyers[:CHANGES]:
        await asyncio.to_thread(give_up, buyer.ticket)
        done = time.monotonic()
        delays.append((buyer, done))
        await asyncio.sleep(0.01)
    await asyncio.sleep(15)
    known = sorted(buyer.ended - done for buyer, done in delays if buyer.ended)
    if len(known) != CHANGES:
        raise SystemExit(f"{front.name}, {way}: {CHANGES - len(known)} buyers were not told within 15 s")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return a_second, cpu, memory, max(known[len(known) // 2], 0.0) * 1e3, max(known[int(len(known) * 0.99)], 0.0) * 1e3


def orders(port, count):
    guest, tickets = Api(port), []
    for number in range(count):
        _, session = guest.ask("POST", "/v1/sessions")
        _, body = guest.ask("POST", "/v1/sales/open/checkout", {"user_id": session["user_id"], "product_id": "p", "idempotency_key": f"order-{number}"}, session["session_token"])
        tickets.append(body["queue_ticket_id"])
    return tickets


def measure(program, root, through, way):
    """One way, with processes of its own: memory that another way has left behind would be used again."""
    folder = tempfile.mkdtemp(prefix="tzero-bench-")
    server, port, pids = start_tzero(program, f"{folder}/data")
    front, varnish = Front("directly", port, {"tzero": pids}), None
    try:
        api, giving = Api(port, open(f"{folder}/data/admin-token").read().strip()), Api(port)
        sale(api, "open", "2020-01-01T00:00:00Z", 1_000_000, 10)
        tickets = orders(port, WAITING)
        if through:
            varnish, varnish_port = start_varnish(root, folder, port)
            front = Front("through Varnish", varnish_port, {"tzero": pids, "Varnish": [varnish.pid, *children(varnish.pid)]})
        time.sleep(3)
        a_second, cpu, memory, half, most = asyncio.run(wait(front, way, tickets, lambda ticket: giving.ask("DELETE", f"/v1/orders/{ticket}")))
        show = lambda values: ", ".join(f"{name} {value:.1f}" for name, value in values.items())
        print(f"{front.name + ': ' + way:<44} {a_second:>10,.0f} {show(cpu):>34} {show(memory):>34} {half:>26.0f} {most:>8.0f}", flush=True)
    finally:
        for process in filter(None, (varnish, server)):
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


def main(program, root):
    os.sched_setaffinity(0, {1})
    awake = spinners()
    print(f"{WAITING} buyers wait, each for an order of their own in which nothing happens; {SECONDS} s measured; then {CHANGES} orders are given up")
    print(f"{'':<44} {'requests/s':>10} {'CPU µs a buyer and second':>34} {'memory a buyer, KiB':>34} {'news known after, ms: p50':>26} {'p99':>8}")
    try:
        for through in (False, True):
            for way in WAYS:
                measure(program, root, through, way)
    finally:
        for spinner in awake:
            spinner.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
