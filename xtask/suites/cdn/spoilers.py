"""Readers who send what a gateway refuses: no such read may reach it, and nobody else may wait for it."""

import socket
import threading
import time

import edge

# All send the same head at a time, so that no good read of theirs mends what they spoil.
SPOILERS, EACH_S = 16, 1.5
# How long an honest reader waits at most, and how many requests a second may reach the origin: one an address.
WAIT_S, REACHING_PER_S = 1.5, 2
PATHS = ("/v1/sales/s", "/s/s")


def lines(count):
    return b"Host: a\r\n" + b"".join(b"X-%d: x\r\n" % at for at in range(count - 1))


# Heads that are too long, have too many lines, or say what no head may say; each by itself would be refused by a gateway, or
# by a proxy that is nearly as strict.
HEADS = (
    b"Host: a\r\n" + b"".join(b"X-%d: " % at + b"x" * 5_500 + b"\r\n" for at in range(3)),
    b"Host: a\r\n" + b"".join(b"X-%d: " % at + b"x" * 2_000 + b"\r\n" for at in range(8)),
    b"Host: a\r\n" + b"".join(b"X-%d: " % at + b"x" * 6_500 + b"\r\n" for at in range(2)),
    *(lines(count) for count in (56, 57, 58, 63, 64, 65, 90)),
    b"Host: a/b\r\n",
    b"Host: a\r\nX: \x01\r\n",
    b"Host: a\r\nForwarded: for=\"_\"\r\nX-Forwarded-For: x\r\nProxy-Authorization: x\r\nRange: bytes=0-0\r\n",
)


def spoil(front, at, begun):
    connection, sent = None, at
    while (turn := int((time.monotonic() - begun) / EACH_S)) < len(HEADS):
        request = b"GET " + PATHS[sent % 2].encode() + b" HTTP/1.1\r\n" + HEADS[turn] + b"\r\n"
        sent += 1
        try:
            connection = connection or socket.create_connection(("127.0.0.1", front.port), timeout=5)
            connection.sendall(request)
            got = connection.recv(65_536)
        except OSError:
            got = b""
        # Another connection where this one ends, or may hold the rest of an answer.
        if b" 200 " not in got[:20] or sent % 8 == 0:
            if connection:
                connection.close()
            connection = None


def asked_at(origin):
    """Requests for what is kept, and heads that were refused, by the program's own count."""
    text = edge.ask(origin.port, "GET", "/metrics")[2].decode()
    dropped = [line for line in text.splitlines() if line.startswith("tzero_dropped_total{")]
    return origin.reads() + sum(int(line.rsplit(" ", 1)[1]) for line in dropped)


def prove(front, origin):
    """Spoils reads for a while; what reached the origin meanwhile, and how long an honest reader waited."""
    waits, before, begun = [], asked_at(origin), time.monotonic()
    threads = [threading.Thread(target=spoil, args=(front, at, begun)) for at in range(SPOILERS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for path in PATHS:
            status, waited, body = edge.timed(front.port, path)
            waits.append(waited)
            if status != 200:
                edge.wrong(front, f"{path} is answered {status} while others spoil reads: {body[:80]}")
        time.sleep(0.2)
    took, reached = time.monotonic() - begun, asked_at(origin) - before
    told = f"while {SPOILERS} connections spoil reads for {took:.0f} s, {reached} requests reached the origin; "
    told += f"of {len(waits)} honest reads the slowest took {max(waits):.2f} s"
    if reached > took * REACHING_PER_S + 4 or max(waits) > WAIT_S:
        edge.wrong(front, told)
    return told


KNOWN = ("Accept", "Authorization", "Content-Type", "Cookie", "Forwarded", "If-Match", "If-Modified-Since", "If-None-Match")
KNOWN += ("Origin", "Proxy-Authorization", "Referer", "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto")
KNOWN += ("Challenge-Solution", "Idempotency-Key", "Last-Event-ID", "Accept-Language", "Via")


def brings_nothing(front, stub):
    """Of what a reader says about themselves nothing reaches the origin, nor their body; what is not read keeps all of it."""
    told = {name: "from-the-reader" for name in KNOWN}
    for method, body, kept in (("GET", b"abc", False), ("POST", b"abc", True), ("OPTIONS", b"", True)):
        stub.heads.clear()
        edge.ask(front.port, method, f"/v1/sales/nothing-{method.lower()}", body, told)
        heads = [head for head in stub.heads if "nothing" in head[0]]
        if len(heads) != 1:
            edge.wrong(front, f"{method} is {len(heads)} requests at the origin")
        mine = "from-the-reader", f"127.0.0.1:{front.port}"
        brought = {name for name, value in heads[0][1] if any(each in value for each in mine)}
        length = dict(heads[0][1]).get("content-length", "0")
        if not kept and (brought or length != "0"):
            edge.wrong(front, f"of a reader the origin is told {brought}, and of a body of {length} bytes")
        # An OPTIONS needs these to be answered.
        if kept and not {"origin", "x-forwarded-for", "user-agent"} <= brought:
            edge.wrong(front, f"of a {method} only {brought} reaches the origin")
    # Nor does whoever reads, so that no gateway refuses a read for the reader's sake.
    stub.heads.clear()
    edge.ask(front.port, "GET", "/s/nothing-of-the-address")
    if any("127.0.0.1" in value for _, head in stub.heads for name, value in head if name == "x-forwarded-for"):
        edge.wrong(front, "a reader's address reaches the origin")


def bounds_heads(front, stub):
    """What is not read reaches the origin with a head that a gateway takes, or not at all."""
    for size in range(12_000, 17_000, 250):
        stub.heads.clear()
        head = b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n"
        while len(head) < size:
            head += b"X-%d: " % len(head) + b"x" * min(6_000, size - len(head)) + b"\r\n"
        edge.raw(front.port, head + b"\r\n")
        for _, reaching in stub.heads:
            reached = sum(len(name) + len(value) + 4 for name, value in reaching) + 60
            if reached > 16_384:
                edge.wrong(front, f"a head of {reached} bytes reaches the origin")
        if size <= 13_000 and not stub.heads:
            edge.wrong(front, f"a head of {size} bytes is refused")
