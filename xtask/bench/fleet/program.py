"""The program on the three stores: every role in one process."""

import subprocess
import sys
import time

from side_by_side import Api, sale

SETTINGS = [
    "limits.user_per_s=0",
    "limits.network_per_s=0",
    # The load that finds the capacity never stops asking: it is not sent away, but waits.
    "limits.checkout_wait_ms=2000",
    "processor.rate_per_s=1000000",
    "processor.concurrency=1",
    "sandbox.timeout_rate=1.0",
    "processor.payment_address_deadline_ms=86400000",
    "log.level=error",
]


class Program:
    def __init__(self, program, stores, folder):
        flags = [part for each in SETTINGS for part in ("--set", each)]
        command = [program, "serve", "--listen", "127.0.0.1:0", "--config", stores.file, "--data", folder, *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])
        self.token = open(f"{folder}/admin-token").read().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def operator(self):
        return Api(self.port, self.token)

    def open_sale(self, name, stock, limit):
        api = self.operator()
        sale(api, name, "2020-01-01T00:00:00Z", stock, limit)
        for _ in range(600):
            if shard(api, name)["open"]:
                return
            time.sleep(0.05)
        raise SystemExit(f"the shard of {name} does not open")

    def sessions(self, count):
        guest = Api(self.port)
        made = [guest.ask("POST", "/v1/sessions")[1] for _ in range(count)]
        return [(each["user_id"], each["session_token"]) for each in made]

    def taken_in(self, name):
        """Waits until every claim of a sale was taken in."""
        api = self.operator()
        while shard(api, name)["claims_waiting"] != 0:
            time.sleep(0.2)


def shard(api, name):
    _, body = api.ask("GET", "/admin/v1/shards")
    return next(each for each in body["shards"] if each["sale_id"] == name)
