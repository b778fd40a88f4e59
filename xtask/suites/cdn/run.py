"""Real Varnish and real nginx, with the files of deploy/, in front of the program: what reaches it, and what readers see.

Before that, in front of an origin that counts and can hang (`edge.py`, `stub.py`).

Each proxy has an origin of its own and both are tried at once. Counts are the origin's own, from its metrics.
"""

import concurrent.futures
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import edge
import spoilers
import stub

ROOT, FOLDER = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
PROGRAM = os.environ["TZERO_BIN"]
# A pre-sale minute: so many reads, of the sale's page and of its document in turn, and what may reach the origin of them.
READS, MINUTE_S, REACHING = 100_000, 60, 100
READERS = 12
# While the second of T-zero passes, readers ask as fast as they can; each address is asked for at the origin once a second.
RUSH_S, RUSH_REACHING = 6, 24
AWAY_S = 60
# The sale opens so long after it was made: the minute, and time to start reading.
LEAD_S = MINUTE_S + 8


def wrong(front, text):
    raise AssertionError(f"{front}: {text}")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def ask(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        sent = json.dumps(body) if body is not None else None
        more = {"Content-Type": "application/json"} if sent else {}
        connection.request(method, path, body=sent, headers={**more, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, dict((name.lower(), value) for name, value in answer.getheaders()), answer.read()
    finally:
        connection.close()


def until(what, looked_at, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if looked_at():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{what}: not after {seconds} s")


class Origin:
    """The program, on a folder of its own."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.start()
        self.token = (folder / "admin-token").read_text().strip()

    def start(self):
        log = open(self.folder / "log", "ab")
        serve = [PROGRAM, "serve", "--listen", f"127.0.0.1:{self.port}", "--data", self.folder]
        self.process = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=log)
        until("the program starts", lambda: ask(self.port, "GET", "/readyz")[0] == 200)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def operate(self, method, path, body=None):
        status, _, text = ask(self.port, method, f"/admin/v1/{path}", body, {"Authorization": f"Bearer {self.token}"})
        assert status in (200, 201), (status, text)

    def reads(self):
        """Requests for pages and documents that came here, by the program's own count."""
        lines = ask(self.port, "GET", "/metrics")[2].decode().splitlines()
        wanted = [line for line in lines if line.startswith("tzero_http_requests_total{") and any(
            f'route="{route}"' in line for route in ROUTES)]
        return sum(int(line.rsplit(" ", 1)[1]) for line in wanted)


ROUTES = ("sale", "page")


class Varnish:
    name = "varnish"
    # What is older than stale-while-revalidate is not given while the origin lives.
    waits_for_the_new = True
    # What Varnish refuses before its rules are asked has no body.
    own_errors = {
        b"GET https://evil/s/s HTTP/1.1\r\nHost: a\r\n": (400, "invalid-request", "/"),
    }

    def __init__(self, folder, origin):
        self.port, self.purge_port, self.folder = free_port(), free_port(), folder
        text = (ROOT / "deploy/varnish.vcl").read_text()
        given = '.port = "8080"'
        assert text.count(given) == 1
        (folder / "varnish.vcl").write_text(text.replace(given, f'.port = "{origin.port}"'))
        command = ["varnishd", "-F", "-j", "none", "-n", folder / "varnish", "-a", f"http=127.0.0.1:{self.port}"]
        command += ["-a", f"purge=127.0.0.1:{self.purge_port}", "-f", folder / "varnish.vcl", "-s", "malloc,64m"]
        command += ["-p", "http_req_size=15k", "-p", "http_req_hdr_len=7k"]
        self.process = subprocess.Popen(command, stdout=open(folder / "front.log", "ab"), stderr=subprocess.STDOUT)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def lines(self):
        """Varnish logs into memory alone."""
        return []

    def purges(self, origin):
        """A change is there at once after a purge, and not only when the copy has aged."""
        ask(self.port, "GET", "/v1/sales/s")
        origin.operate("POST", "sales/s/message", {"message": "purged"})
        if ask(self.purge_port, "PURGE", "/v1/sales/s")[0] != 200:
            wrong(self.name, "a purge from this machine is refused")
        page = ask(self.purge_port, "PURGE", "/s/s")[0], ask(self.port, "GET", "/s/s")[2]
        if b"purged" not in page[1]:
            wrong(self.name, "a purge does not bring what changed")


class Nginx:
    name = "nginx"
    purge_port, waits_for_the_new = None, False
    own_errors = {
        b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n": (413, "body-too-large", "/v1/sessions"),
        b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n": (400, "invalid-request", "/v1/sessions"),
        b"GET x HTTP/1.1\r\nHost: a\r\n": (400, "invalid-request", "/"),
        b"TRACE /s/s HTTP/1.1\r\nHost: a\r\n": (405, "method-not-allowed", "/s/s"),
        b"GET /s/s HTTP/1.1\r\n": (400, "invalid-request", "/s/s"),
        b"GET /" + b"s" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n": (431, "headers-too-large", "/"),
        b"GET /s/s HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000 + b"\r\n": (431, "headers-too-large", "/s/s"),
    }

    def __init__(self, folder, origin):
        self.port, self.folder = free_port(), folder
        text = (ROOT / "deploy/nginx.conf").read_text()
        own = {
            "server 127.0.0.1:8080 ": f"server 127.0.0.1:{origin.port} ",
            "listen 80 ": f"listen 127.0.0.1:{self.port} ",
            "/var/cache/nginx/tzero ": f"{folder}/cache ",
            "/var/cache/nginx/tzero-second ": f"{folder}/cache-second ",
            "worker_connections 16384": "worker_connections 512",
            "worker_rlimit_nofile 65536;": "",
            "/var/log/nginx/error.log crit": f"{folder}/front.log crit",
        }
        for given, here in own.items():
            assert text.count(given) == 1, given
            text = text.replace(given, here)
        # The way from the one server to the other.
        assert text.count("127.0.0.1:8079") == 2
        text = text.replace("127.0.0.1:8079", f"127.0.0.1:{free_port()}")
        (folder / "nginx.conf").write_text(text)
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        told = f"daemon off; pid {folder}/nginx.pid;"
        if os.getuid() == 0:
            told += " user root;"
        command = [program, "-p", folder, "-e", folder / "start.log", "-c", folder / "nginx.conf", "-g", told]
        # The clock that it shows does not go by the machine's zone.
        self.process = subprocess.Popen(command, env={**os.environ, "TZ": "Asia/Tokyo"})

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def lines(self):
        """What it has logged."""
        return (self.folder / "front.log").read_text().splitlines()

    def purges(self, _origin):
        """nginx has no purge of its own: a copy ages within a second or five."""


class Readers:
    """Readers who ask for the page and the document in turn, each on a connection that stays."""

    def __init__(self, front, readers, per_s=None, wanted=None):
        self.front, self.stop = front, threading.Event()
        self.counts, self.bad, self.states = [0] * readers, [], set()
        share = wanted and -(-wanted // readers)
        pause = per_s and readers / per_s
        self.threads = [threading.Thread(target=self.read, args=(at, share, pause)) for at in range(readers)]
        for thread in self.threads:
            thread.start()

    def read(self, at, share, pause):
        connection = http.client.HTTPConnection("127.0.0.1", self.front.port, timeout=10)
        due = time.monotonic()
        while not self.stop.is_set() and (share is None or self.counts[at] < share):
            # Some readers bring a query, a cookie or a session: it makes no difference.
            path = ("/s/s", "/v1/sales/s", f"/s/s?utm={self.counts[at]}", f"/v1/sales/s?{at}")[self.counts[at] % 4]
            try:
                headers = {"Cookie": f"a={at}", "Authorization": f"Bearer {at}", "Accept-Encoding": "gzip"}
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200 or not body:
                    self.bad.append((path, answer.status, body[:80]))
                if answer.getheader("Set-Cookie") or "private" in (answer.getheader("Cache-Control") or ""):
                    self.bad.append((path, "is somebody's own", answer.getheaders()))
            except (OSError, http.client.HTTPException) as error:
                self.bad.append((path, repr(error)))
                connection.close()
            self.counts[at] += 1
            if pause:
                due += pause
                time.sleep(max(0.0, due - time.monotonic()))
        connection.close()

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        return sum(self.counts), self.bad


def at_work(front, origin):
    """Whether the front answers, and from the origin."""
    until(f"{front.name} answers", lambda: ask(front.port, "GET", "/v1/sales/s")[0] == 200)


def says_the_time(front):
    status, headers, body = ask(front.port, "GET", "/v1/time")
    told = json.loads(body)["server_time"]
    at = datetime.datetime.strptime(told, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    apart = abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds())
    right = status == 200 and headers["cache-control"] == "no-store" and headers["access-control-allow-origin"] == "*"
    if not right or apart > 1:
        wrong(front.name, f"the time at the edge: {status} {headers} {told}, {apart} s apart")


def buys(front):
    """Two buyers buy through the front: nothing of one is given to the other, nothing of theirs is kept."""
    tickets, sessions = set(), set()
    for _ in range(2):
        session = json.loads(ask(front.port, "POST", "/v1/sessions")[2])
        sessions.add(session["session_token"])
        body = {"user_id": session["user_id"], "product_id": "p", "idempotency_key": "k"}
        owner = {"Authorization": f"Bearer {session['session_token']}"}
        status, headers, text = ask(front.port, "POST", "/v1/sales/s/checkout", body, owner)
        if status != 202:
            wrong(front.name, f"a checkout was answered {status}: {text}")
        ticket = json.loads(text)["queue_ticket_id"]
        tickets.add(ticket)
        seen = set()
        for _ in range(100):
            status, headers, text = ask(front.port, "GET", f"/v1/orders/status/{ticket}")
            if status != 200 or headers.get("cache-control") != "no-store" or int(headers.get("age", 0)) > 0:
                wrong(front.name, f"a status: {status} {headers}")
            seen.add(json.loads(text)["status"])
            if "awaiting_payment" in seen:
                break
            time.sleep(0.1)
        else:
            wrong(front.name, f"a status that is read again and again never changes: {seen}")
    if len(tickets) != 2 or len(sessions) != 2:
        wrong(front.name, "two buyers have one session or one ticket")


def keeps_out(front):
    for path in ("/admin/v1/sales", "/console", "/metrics", "/readyz"):
        if ask(front.port, "GET", path)[0] != 404:
            wrong(front.name, f"{path} is there for everybody")
        for disguised in (f"https://evil{path}", f"ftp://evil{path}", f"{path}#x"):
            request = f"GET {disguised} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            if edge.raw(front.port, request.encode())[0] not in (400, 404):
                wrong(front.name, f"{disguised} is there for everybody")


def prove(make, origin, folder):
    front = make(folder, origin)
    told = []
    try:
        opens = time.time() + LEAD_S
        starts_at = datetime.datetime.fromtimestamp(opens, datetime.timezone.utc).isoformat()
        product = {"product_id": "p", "name": "P", "price": {"amount": "10.00", "currency": "EUR"}, "stock": 10}
        sale = {"sale_id": "s", "name": "S", "starts_at": starts_at, "products": [{**product, "max_per_user": 1}]}
        origin.operate("POST", "sales", sale)
        at_work(front, origin)
        says_the_time(front)
        keeps_out(front)

        before, begun = origin.reads(), time.monotonic()
        readers = Readers(front, READERS, per_s=READS / MINUTE_S * 1.04, wanted=READS)
        for thread in readers.threads:
            thread.join()
        (count, bad), took = readers.end(), time.monotonic() - begun
        reached = origin.reads() - before
        told.append(f"{count} reads in {took:.1f} s before the sale, {reached} reached the origin")
        # On a slow machine the reads take longer, and each further minute asks as often.
        most = REACHING * max(1, took / MINUTE_S)
        if bad or count < READS or took < MINUTE_S * 0.9 or reached >= most:
            wrong(front.name, f"{told[-1]}; must be at least {READS} and fewer than {most:.0f}; not right: {bad[:3]}")

        time.sleep(max(0.0, opens - time.time() - RUSH_S / 2))
        before = origin.reads()
        readers = Readers(front, READERS)
        time.sleep(RUSH_S)
        count, bad = readers.end()
        reached = origin.reads() - before
        told.append(f"{count} reads in the {RUSH_S} s around T-zero, {reached} reached the origin")
        if bad or reached > RUSH_REACHING:
            wrong(front.name, f"{told[-1]}; at most {RUSH_REACHING} may; not right: {bad[:3]}")
        state = json.loads(ask(front.port, "GET", "/v1/sales/s")[2])["state"]
        if state != "live":
            wrong(front.name, f"{RUSH_S / 2} s after T-zero readers are told '{state}'")
        buys(front)
        front.purges(origin)
        told.append(spoilers.prove(front, origin))

        readers = Readers(front, 2, per_s=40)
        time.sleep(1)
        origin.kill()
        time.sleep(AWAY_S / 2)
        says_the_time(front)
        status, headers, text = ask(front.port, "POST", "/v1/sessions")
        if status != 503 or "retry-after" not in headers or json.loads(text)["code"] != "unavailable":
            wrong(front.name, f"without the origin a session was answered {status} {headers} {text}")
        time.sleep(AWAY_S / 2 - 1)
        origin.start()
        time.sleep(1)
        count, bad = readers.end()
        told.append(f"{count} reads while the origin was away for {AWAY_S} s, {len(bad)} of them not answered")
        if bad:
            wrong(front.name, f"{told[-1]}: {bad[:3]}")
        origin.operate("POST", "sales/s/message", {"message": "back again"})
        until("what changes is shown again", lambda: b"back again" in ask(front.port, "GET", "/s/s")[2])
    finally:
        front.stop()
        origin.kill()
    return [f"{front.name}: {line}" for line in told]


def main():
    shutil.rmtree(FOLDER / "fronts", ignore_errors=True)
    both = []
    for make in (Varnish, Nginx):
        folder = FOLDER / "fronts" / make.name
        folder.mkdir(parents=True)
        both.append((make, Origin(folder / "data"), folder))
    # First with an origin that counts and can hang.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        edges = []
        for make in (Varnish, Nginx):
            folder = FOLDER / "fronts" / f"{make.name}-edge"
            folder.mkdir(parents=True)
            edges.append(pool.submit(edge.prove, make, stub.Stub(), folder, (spoilers.brings_nothing, spoilers.bounds_heads)))
        lines = [line for proof in edges for line in proof.result()]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        proofs = [pool.submit(prove, *each) for each in both]
        lines += [line for proof in proofs for line in proof.result()]
    print("\n".join(lines))


main()
