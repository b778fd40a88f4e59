"""An origin that counts what reaches it, and that can hang or be away: for what the program cannot be made to do at will.

It answers as the contract says: lifetimes, `Vary`, an `ETag` an encoding, 404s that nobody is to keep.
"""

import gzip
import http.server
import json
import socket
import threading
import time

DOCUMENT = "public, max-age=1, s-maxage=1, stale-while-revalidate=5, stale-if-error=60"
PAGE = "public, max-age=1, s-maxage=5, stale-while-revalidate=5, stale-if-error=60"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_args):
        pass

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline() or b"0", 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self):
        stub = self.server.stub
        # As it was sent: the library takes slashes off.
        self.path = self.requestline.split(" ")[1]
        if self.path != "/healthz":
            stub.asked.append((time.monotonic(), self.command, self.path, self.headers.get("Accept-Encoding", "")))
            stub.heads.append((self.path, [(name.lower(), value) for name, value in self.headers.items()]))
        try:
            self.read_body()
        except ValueError:
            self.close_connection = True
            return
        stub.awake.wait()
        if stub.slow_s:
            time.sleep(stub.slow_s)
        status, headers, body = self.content(stub)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def content(self, stub):
        if stub.refuses and self.path.endswith("/limited"):
            return 429, {"Cache-Control": "no-store"}, b"{}"
        parts = self.path.split("?")[0].split("/")[1:]
        problem = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
        if self.path == "/v1/time" and self.command == "OPTIONS":
            return 204, {}, b""
        if self.path == "/v1/time" and self.command != "GET":
            return 405, problem, b'{"code":"method-not-allowed"}'
        if self.command != "GET":
            return 200, {"Cache-Control": "no-store"}, b"{}"
        if parts[0] in ("admin", "console", "metrics", "readyz", "healthz"):
            return 200, {"Cache-Control": "no-store"}, b"for operators"
        if parts == [""] or parts[0] == "s" or parts[:2] == ["v1", "sales"]:
            if parts[-1].startswith("nosuch"):
                return 404, problem, b'{"code":"unknown-sale"}'
            encoding = self.headers.get("Accept-Encoding", "").split(",")[0].strip()
            body = json.dumps({"path": self.path, "version": stub.version}).encode()
            headers = {"Cache-Control": DOCUMENT if parts[0] == "v1" else PAGE, "Vary": "Accept-Encoding"}
            headers["ETag"] = f'"{stub.version}-{encoding}"'
            if encoding in ("br", "gzip"):
                headers["Content-Encoding"] = encoding
                # Nobody here unpacks br.
                body = gzip.compress(body) if encoding == "gzip" else b"br " + body
            return 200, headers, body
        return 404, problem, b'{"code":"not-found"}'

    do_GET = do_HEAD = do_POST = do_OPTIONS = do_PUT = do_DELETE = answer


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def process_request(self, request, client_address):
        self.stub.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, _request, _client_address):
        """A proxy that has given up."""


class Stub:
    def __init__(self):
        self.port, self.asked, self.heads, self.connections = 0, [], [], []
        self.version, self.slow_s, self.refuses, self.awake = 1, 0, False, threading.Event()
        self.awake.set()
        self.start()

    def start(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.stub = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def kill(self):
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.connections.clear()

    def hang(self):
        self.awake.clear()

    def wake(self):
        self.awake.set()

    def count(self, target, since=0.0):
        return sum(at >= since and path == target for at, _, path, _ in list(self.asked))
