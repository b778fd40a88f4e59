"""How long a shard is closed when the Redis primary that has it is killed."""

import itertools
import subprocess
import threading
import time

from side_by_side import Api, spread
from stores import ask, owner

ROUNDS = 5
EVERY = 0.01
ASKING = 16
PATIENCE = 60


class Watch:
    """Asks every 10 ms until it is stopped; keeps what was answered, and when."""

    def __init__(self, question, threads=1):
        self.question, self.seen, self.over = question, [], threading.Event()
        self.turns, self.lock, self.began = itertools.count(), threading.Lock(), time.monotonic()
        self.threads = [threading.Thread(target=self.work) for _ in range(threads)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while not self.over.is_set():
            with self.lock:
                due = self.began + next(self.turns) * EVERY
            time.sleep(max(0, due - time.monotonic()))
            sent = time.monotonic()
            answer = self.question()
            self.seen.append((sent, time.monotonic(), answer))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        return sorted(self.seen, key=lambda each: each[0])


def first(seen, after, wanted):
    """When the first answer came that is wanted, of questions that were sent after an instant."""
    came = [done for sent, done, answer in seen if sent > after and wanted(answer)]
    return min(came, default=None)


def checkouts(program, users, prefix):
    """A question that buys one unit with a key of its own; each thread has its own connection."""
    numbers, own = itertools.count(), threading.local()

    def question():
        user, token = users[next(numbers) % len(users)]
        if not hasattr(own, "api"):
            own.api = Api(program.port)
        body = {"user_id": user, "product_id": "p", "idempotency_key": f"{prefix}{next(numbers)}"}
        try:
            return own.api.ask("POST", "/v1/sales/failover/checkout", body, token)[0]
        except OSError:
            del own.api
            return 0

    return question


def shards(program):
    api = program.operator()

    def question():
        status, body = api.ask("GET", "/admin/v1/shards")
        return status == 200 and next(each["open"] for each in body["shards"] if each["sale_id"] == "failover")

    return question


def promoted(others, slot, killed):
    def question():
        for node in others:
            try:
                return owner(ask(node, "CLUSTER NODES"), slot) not in (None, killed)
            except OSError:
                continue
        return False

    return question


def one_round(program, stores, services, users, number):
    primary = stores.primary("failover")
    others = [node for node in stores.redis if node != primary]
    slot = int(ask(primary, "CLUSTER KEYSLOT {failover.0}"))
    watches = [
        Watch(checkouts(program, users, f"round-{number}-"), ASKING),
        Watch(shards(program)),
        Watch(promoted(others, slot, primary)),
    ]
    time.sleep(1)
    killed = time.monotonic()
    subprocess.run([*services, "kill", stores.name(primary)], check=True, capture_output=True)
    # Before anybody has noticed, answers may still be good: the end is the first good one after a bad one.
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not sold_again(watches[0].seen, killed):
        time.sleep(EVERY)
    time.sleep(1)
    bought, listed, moved = (watch.stop() for watch in watches)
    again, renamed = sold_again(bought, killed), first(moved, killed, lambda there: there)
    closed = first(listed, killed, lambda there: not there)
    opened = closed and first(listed, closed, lambda there: there)
    subprocess.run([*services, "restart", stores.name(primary)], check=True, capture_output=True)
    if None in (again, renamed, closed, opened):
        raise SystemExit(f"round {number}: the shard did not close and open again within {PATIENCE} s")
    return {"no 202": again - killed, "redis": renamed - killed, "after": again - renamed, "listed": opened - closed}


def sold_again(seen, killed):
    bad = first(list(seen), killed, lambda status: status != 202)
    return bad and first(list(seen), bad, lambda status: status == 202)


def run(program, stores, services):
    timeout = config(stores, "cluster-node-timeout")
    program.open_sale("failover", 20_000, 100)
    users = program.sessions(200)
    rounds = [one_round(program, stores, services, users, number) for number in range(ROUNDS)]
    print(f"\nseconds that a shard is closed when its Redis primary is killed, asked every {EVERY * 1000:.0f} ms, {ROUNDS} rounds: median (min – max)")
    titles = {
        "no 202": "from the kill to the first 202 after it",
        "redis": f"of that until Redis has a new primary (its node timeout is {timeout} ms)",
        "after": "of that from the new primary to the first 202",
        "listed": "closed in GET /admin/v1/shards",
    }
    for key, title in titles.items():
        print(f"{title:<72} {spread([each[key] for each in rounds]):>24}", flush=True)


def config(stores, name):
    text = open(stores.folder / "redis/1/redis.conf").read()
    return next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} "))
