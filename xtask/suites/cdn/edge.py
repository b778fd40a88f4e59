"""What must not get past a proxy, what must not reach the origin twice, and what an origin that hangs does to readers."""

import concurrent.futures
import datetime
import http.client
import json
import socket
import statistics
import time

HERD = 60
HANGING_S = 14
OPERATORS = ("/admin/v1/sales", "/console", "/metrics", "/readyz", "/healthz?deep")
# Ways to write an address of an operator that a proxy's rules could overlook.
DISGUISES = ("http://evil{}", "https://evil{}", "ftp://evil{}", "HTTPS://evil{}", "x:{}", "{}#x")
DISGUISES += ("/%2e{}", "{}%23", "/s/..{}", "/{}", "/.{}")
WISHES = ("br", "gzip", "gzip, br", "br, gzip", "gzip, deflate, br", "gzip, deflate, br, zstd", "deflate", "identity", "*", "")
REFUSALS = ("br;q=0", "br; q=0.0, gzip;q=0", "gzip ; q = 0.000", "x-br, gzipped", "identity, br;q=0")


def wrong(front, text):
    raise AssertionError(f"{front.name}: {text}")


def ask(port, method, path, body=None, headers=None, timeout=20):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        given = dict(headers or {})
        if body is not None:
            given.setdefault("Content-Length", str(len(body)))
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, dict((name.lower(), value) for name, value in answer.getheaders()), answer.read()
    finally:
        connection.close()


def raw(port, text, timeout=8):
    """Bytes as they are; the answer's status, head and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(text)
        got = b""
        try:
            while more := connection.recv(65536):
                got += more
        except OSError:
            pass
    head, _, body = got.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]) if head else 0, head.lower(), body


def at_once(readers, work):
    with concurrent.futures.ThreadPoolExecutor(readers) as pool:
        return list(pool.map(work, range(readers)))


def timed(port, path, headers=None):
    begun = time.monotonic()
    try:
        status, _, body = ask(port, "GET", path, headers=headers)
    except OSError as error:
        status, body = 0, repr(error).encode()
    return status, time.monotonic() - begun, body


def hides_operators(front, stub):
    for path in OPERATORS:
        for form in ("{}", *DISGUISES):
            target = form.format(path)
            for method in ("GET", "POST"):
                request = f"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                before = len(stub.asked)
                status, _, body = raw(front.port, request.encode())
                # A path that the program does not know may reach it: not as an absolute form, and not as an operator's.
                reached = [asked for _, _, asked, _ in stub.asked[before:]]
                if status not in (400, 404) and not reached:
                    wrong(front, f"{method} {target} is answered {status} {body[:80]}")
                for asked in reached:
                    if not asked.startswith("/") or asked.partition("#")[0].partition("?")[0] == path.partition("?")[0]:
                        wrong(front, f"{method} {target} reaches the origin as {asked}")
    # One that rides along with a stream of statuses.
    pair = b"GET /v1/orders/status/t/events HTTP/1.1\r\nHost: a\r\n\r\n"
    pair += b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    raw(front.port, pair, timeout=2)
    if stub.count("/metrics"):
        wrong(front, "an operator's address is reached behind a stream")


def keeps_addresses_apart(front, stub):
    """No address and encoding together are another address."""
    for path, wish in (("/s/ab", "br"), ("/s/abbr", ""), ("/s/agzip", ""), ("/s/a", "gzip")):
        body = ask(front.port, "GET", path, headers={"Accept-Encoding": wish})[2]
        if wish != "gzip" and f'"{path}"'.encode() not in body:
            wrong(front, f"{path} is answered with {body}")


def makes_few_copies(front, stub):
    """Sixty spellings of what a browser takes are three copies at most, and nobody gets what they refuse."""
    spellings = [wish + " " * spaces + more for wish in WISHES for spaces in (0, 1) for more in ("", ", x", ",y;q=0.5")]
    tags, path, begun = {}, "/s/copies", time.monotonic()
    for spelling in (*spellings, *REFUSALS):
        status, headers, body = ask(front.port, "GET", path, headers={"Accept-Encoding": spelling})
        got = headers.get("content-encoding", "")
        words = [part.strip() for part in spelling.split(",")]
        if status != 200 or headers.get("vary") != "Accept-Encoding" or headers["etag"].startswith("W/"):
            wrong(front, f"{path} with Accept-Encoding '{spelling}': {status} {headers}")
        expected = "br" if "br" in words else "gzip" if "gzip" in words else ""
        if got != expected or body.startswith(b"br ") != (got == "br"):
            wrong(front, f"{path} with Accept-Encoding '{spelling}' is answered with '{got}', not '{expected}': {body[:20]}")
        tags.setdefault(got, set()).add(headers["etag"])
        # Slowly, so that it is not for the moment alone that there are few.
        time.sleep(0.04)
    if len(tags) != 3 or any(len(each) != 1 for each in tags.values()):
        wrong(front, f"encodings and their tags: {tags}")
    # A page lives for five seconds.
    most = 3 * (1 + int((time.monotonic() - begun) / 5))
    if stub.count(path) > most:
        wrong(front, f"{len(spellings)} spellings of Accept-Encoding are {stub.count(path)} requests at the origin, not {most}")


def refuses_spellings(front, stub):
    before = len(stub.asked)
    for path in ("/v1/sales/%73", "/s/%73?x", "/s/a%2d", "/assets/x%2ejs", "/problems/%61"):
        status, headers, _ = ask(front.port, "GET", path)
        if status not in (400, 404) or headers.get("content-type") != "application/problem+json":
            wrong(front, f"{path} is answered {status} {headers}")
    reached = [path for _, _, path, _ in stub.asked[before:]]
    if reached:
        wrong(front, f"spellings reach the origin: {reached}")
    # What is not read is the gateway's to refuse, in its own words.
    for path in ("/v1/sales/No%20Sale/checkout", "/v1/sales/No%20Sale", "/v1/sales/a%2Fb"):
        if ask(front.port, "POST", path, b"{}")[0] != 200 or not stub.count(path):
            wrong(front, f"POST {path} is not passed on")
    # One that a proxy resolves by itself is no way to put another answer in the place of a page.
    raw(front.port, b"GET /nosuch/../s/resolved HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    raw(front.port, b"GET //s/resolved HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    if ask(front.port, "GET", "/s/resolved")[0] != 200:
        wrong(front, "a page is spoiled by another spelling of it")


def keeps_what_is_not_there(front, stub):
    """A wrong link is asked for once a second, and nobody waits in a row."""
    stub.slow_s = 0.02
    try:
        for path in ("/s/nosuch", "/v1/sales/nosuch"):
            for _ in range(2):
                before, begun = stub.count(path), time.monotonic()
                answers = at_once(HERD, lambda _: ask(front.port, "GET", path))
                took = time.monotonic() - begun
                reached = stub.count(path) - before
                if any(status != 404 or headers.get("cache-control") != "no-store" for status, headers, _ in answers):
                    wrong(front, f"{path}: {[(status, headers) for status, headers, _ in answers][:2]}")
                if reached > 2 + took or took > 3:
                    wrong(front, f"{HERD} readers of {path} at once: {reached} requests at the origin, {took:.1f} s")
                # The copy is no longer given, nor is there anything that is newer.
                time.sleep(2.5)
    finally:
        stub.slow_s = 0


def is_fresh(front, stub):
    """After nobody has read for a while, a herd sees what is new; and what is read all the time is a second old at most."""
    path = "/v1/sales/fresh"
    ask(front.port, "GET", path)
    stub.version += 1
    time.sleep(9)
    before, told = stub.count(path), f'"version": {stub.version}'.encode()
    first = at_once(HERD, lambda _: ask(front.port, "GET", path))
    if front.waits_for_the_new and any(told not in body for _, _, body in first):
        wrong(front, "a copy is given that is older than stale-while-revalidate allows")
    if stub.count(path) - before > 2:
        wrong(front, f"a herd after a pause is {stub.count(path) - before} requests at the origin")
    if any(told not in body for _, _, body in at_once(HERD, lambda _: ask(front.port, "GET", path))):
        wrong(front, "a herd after a pause is told what was before it")
    for _ in range(3):
        stub.version += 1
        told, begun = f'"version": {stub.version}'.encode(), time.monotonic()
        while told not in ask(front.port, "GET", path)[2]:
            if time.monotonic() - begun > 1.5:
                wrong(front, "a document that is read all the time is more than a second old")
            time.sleep(0.02)


def keeps_copies_of_answers_alone(front, stub):
    """A refusal that one reader's request drew is not put in the place of a copy."""
    ask(front.port, "GET", "/v1/sales/limited")
    time.sleep(1.2)
    stub.refuses = True
    seen = []
    for _ in range(20):
        seen.append(ask(front.port, "GET", "/v1/sales/limited")[0])
        time.sleep(0.05)
    stub.refuses = False
    if set(seen) != {200}:
        wrong(front, f"readers are refused for somebody else: {seen}")


def bears_an_origin_that_hangs(front, stub):
    """Nobody who reads sees it, and nearly nothing is sent to it."""
    paths = ("/s/held", "/v1/sales/held")
    quiet = "/v1/sales/quiet"
    for path in (*paths, quiet):
        ask(front.port, "GET", path)
    # Also a copy older than stale-while-revalidate is good while the origin hangs.
    time.sleep(7)
    for path in paths:
        ask(front.port, "GET", path)
    time.sleep(0.3)
    stub.hang()
    begun = time.monotonic()
    try:
        first = at_once(HERD, lambda _: timed(front.port, quiet))

        def read(at):
            seen = []
            while time.monotonic() - begun < HANGING_S:
                seen.append(timed(front.port, paths[at % 2]))
                time.sleep(0.1)
            return seen

        reads = [one for seen in at_once(HERD, read) for one in seen]
        took = time.monotonic() - begun
        reached = {path: stub.count(path, begun) for path in (*paths, quiet)}
        slowest = max(each[1] for each in first + reads)
        seen = f"{len(first) + len(reads)} reads in {took:.1f} s, the slowest {slowest:.2f} s, at the origin {reached}"
        if any(status != 200 for status, _, _ in first + reads):
            wrong(front, f"an origin that hangs is seen: {seen}; {[one for one in first + reads if one[0] != 200][:2]}")
        # A request to it lasts two seconds at most, and there is one at a time.
        if any(count > took / 2 + 2 for count in reached.values()):
            wrong(front, f"an origin that hangs is asked again and again: {seen}")
        waits = [each[1] for each in reads]
        if max(each[1] for each in first) > 5 or max(waits) > 2.5 or statistics.quantiles(waits, n=100)[98] > 0.5:
            wrong(front, f"an origin that hangs makes readers wait: {seen}")
        # What was never here cannot be given: said soon, not after half a minute.
        status, waited, body = timed(front.port, "/s/never")
        if status != 503 or json.loads(body)["code"] != "unavailable" or waited > 5:
            wrong(front, f"a page that is not here, of an origin that hangs: {status} after {waited:.1f} s: {body[:80]}")
    finally:
        stub.version += 1
        stub.wake()
    time.sleep(3)
    told = f'"version": {stub.version}'.encode()
    for path in (*paths, quiet):
        ask(front.port, "GET", path)
        time.sleep(0.2)
        if told not in ask(front.port, "GET", path)[2]:
            wrong(front, f"{path} is old after the origin is awake again")
    return f"{seen}"


def tells_the_time(front, stub):
    """By its own clock, in UTC, wherever the machine is."""
    before = len(stub.asked)
    told = json.loads(ask(front.port, "GET", "/v1/time?x")[2])["server_time"]
    at = datetime.datetime.strptime(told, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    if abs((datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()) > 1 or len(stub.asked) > before:
        wrong(front, f"the time is {told}, after {len(stub.asked) - before} requests at the origin")


def speaks_of_its_own_errors(front, _stub):
    status, headers, _ = ask(front.port, "OPTIONS", "/v1/time")
    if status != 204:
        wrong(front, f"OPTIONS /v1/time: {status} {headers}")
    status, headers, body = ask(front.port, "POST", "/v1/time", b"")
    if status != 405 or headers["content-type"] != "application/problem+json" or b"method-not-allowed" not in body:
        wrong(front, f"POST /v1/time: {status} {headers} {body}")
    status, headers, _ = ask(front.port, "POST", "/v1/sales/own", b"{}")
    if status != 200 or headers.get("cache-control") != "no-store":
        wrong(front, f"POST of an address that is kept for readers: {status} {headers}")
    status, headers, _ = ask(front.port, "HEAD", "/v1/time")
    if status != 200 or headers.get("cache-control") != "no-store":
        wrong(front, f"HEAD /v1/time: {status} {headers}")
    tries = {
        b"GET /admin HTTP/1.1\r\nHost: a\r\n": (404, "not-found", "/admin"),
        **front.own_errors,
    }
    for request, (status, code, instance) in tries.items():
        got, head, body = raw(front.port, request + b"Connection: close\r\n\r\n")
        try:
            problem = json.loads(body)
            right = problem["type"] == f"/problems/{code}" and problem["status"] == got and problem["instance"] == instance
        except (ValueError, KeyError):
            right = False
        told = all(line in head for line in (b"content-type: application/problem+json", b"cache-control: no-store"))
        if got != status or not right or not told:
            wrong(front, f"{request[:60]} is answered {head} {body[:200]}")


def refuses_large_bodies(front, stub):
    """By the announced length, in the contract's words, however much of it is sent; what a webhook may have is passed on."""
    path = "/v1/payments/webhooks/stripe"
    if ask(front.port, "POST", path, b"x" * 65_536)[0] != 200:
        wrong(front, "a body of 65536 bytes is not passed on")
    before = len(stub.asked)
    # The second number is how much of it is sent.
    for length, sent in ((65_537, 65_537), (65_537, 0), (1_500_000, 1_500_000), (3_000_000, 3_000_000), (999_999_999, 9_000)):
        for _ in range(5):
            status, headers, body = ask(front.port, "POST", path, b"x" * sent, {"Content-Length": str(length)})
            problem = json.loads(body)
            told = problem["code"], problem["status"], problem["instance"], headers["content-type"]
            if status != 413 or told != ("body-too-large", 413, path, "application/problem+json"):
                wrong(front, f"a body of {length} bytes, {sent} of them sent, is answered {status} {headers} {body[:200]}")
    for length in ("1" * 10, "9" * 19, "9" * 30, "-1", "0x1"):
        request = f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        if raw(front.port, request.encode())[0] not in (400, 413):
            wrong(front, f"a body of {length} bytes is not refused")
    if len(stub.asked) > before:
        wrong(front, f"bodies that are too large reach the origin: {len(stub.asked) - before}")


def forgives(front, stub):
    """What comes back is used at once."""
    whole = b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    if raw(front.port, whole)[0] != 200:
        wrong(front, "a body in chunks is not passed on")
    for path in ("/s/s", "/v1/sales/s"):
        ask(front.port, "GET", path)
    stub.kill()
    for _ in range(40):
        for path in ("/s/s", "/v1/sales/s", "/s/away"):
            ask(front.port, "GET", path)
        time.sleep(0.1)
    status, headers, body = ask(front.port, "POST", "/v1/sessions", b"{}")
    if status != 503 or headers.get("retry-after") != "2" or json.loads(body)["code"] != "unavailable":
        wrong(front, f"without an origin: {status} {headers} {body}")
    stub.start()
    begun = time.monotonic()
    while ask(front.port, "POST", "/v1/sessions", b"{}")[0] != 200:
        if time.monotonic() - begun > 1.2:
            wrong(front, "an origin that is back is not used for more than a second")
        time.sleep(0.02)


def purges(front, stub):
    """A purge takes every encoding of an address, whatever its query, and is taken from its own listener only."""
    if front.purge_port is None:
        return
    if ask(front.port, "PURGE", "/s/purged")[0] != 403:
        wrong(front, "everybody may purge, behind a TLS terminator on the same machine")
    wishes = [{"Accept-Encoding": wish} for wish in ("br", "gzip", "")]
    for wish in wishes:
        ask(front.port, "GET", "/s/purged", headers=wish)
    before = stub.count("/s/purged")
    if ask(front.purge_port, "PURGE", "/s/purged?utm=1")[0] != 200:
        wrong(front, "a purge from this machine is refused")
    for wish in wishes:
        ask(front.port, "GET", "/s/purged", headers=wish)
    if stub.count("/s/purged") - before != 3:
        wrong(front, f"a purge leaves copies: {stub.count('/s/purged') - before} of 3 are asked for anew")


CASES = (
    hides_operators,
    keeps_addresses_apart,
    makes_few_copies,
    refuses_spellings,
    purges,
    tells_the_time,
    speaks_of_its_own_errors,
    keeps_what_is_not_there,
    is_fresh,
    keeps_copies_of_answers_alone,
    refuses_large_bodies,
    forgives,
)


def prove(make, stub, folder, more):
    front = make(folder, stub)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                if ask(front.port, "GET", "/s/s")[0] == 200:
                    break
            except OSError:
                pass
            if time.monotonic() > end:
                wrong(front, "does not answer")
            time.sleep(0.1)
        for case in (*CASES, *more):
            case(front, stub)
        hung = bears_an_origin_that_hangs(front, stub)
        # Nothing that clients did, and nothing that an origin did that was away, is worth a line.
        if front.lines():
            wrong(front, f"{len(front.lines())} lines are logged: {front.lines()[:2]}")
    finally:
        front.stop()
        stub.wake()
        stub.kill()
    return [f"{front.name}, while the origin hangs: {hung}"]
