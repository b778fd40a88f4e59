"""The stores of a run: where they answer, which process has a sale, and the CPU time that each has used."""

import os
import pathlib
import socket
import subprocess
import tomllib

TICK = os.sysconf("SC_CLK_TCK")


class Stores:
    """What `cargo xtask services up` wrote of them."""

    def __init__(self, file):
        self.file = file
        self.folder = pathlib.Path(file).with_suffix("")
        named = tomllib.loads(pathlib.Path(file).read_text())
        self.redis = named["redis"]["nodes"]
        self.postgres = named["postgres"]["url"]

    def primary(self, sale):
        """The node that has the keys of a sale, as the first node that answers sees it."""
        for node in self.redis:
            try:
                slot = int(ask(node, f"CLUSTER KEYSLOT {{{sale}.0}}"))
                return owner(ask(node, "CLUSTER NODES"), slot)
            except OSError:
                continue
        raise SystemExit("no node of the Redis Cluster answers")

    def name(self, node):
        """What `cargo xtask services` calls a node."""
        return f"redis-{self.redis.index(node) + 1}"

    def postmaster(self):
        return int((self.folder / "postgres/pid").read_text())


def ask(node, command):
    """One command of Redis, sent as a line."""
    host, port = node.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=1) as connection:
        connection.sendall(f"{command}\r\n".encode())
        answers = connection.makefile("rb")
        head = answers.readline().decode().strip()
        if not head:
            raise OSError("no answer")
        return answers.read(int(head[1:])).decode() if head[0] == "$" else head[1:]


def owner(nodes, slot):
    """Who has a slot, of what CLUSTER NODES says; None where a node that failed has it."""
    for line in nodes.splitlines():
        _, address, flags, *rest = line.split()
        ranges = [part for part in rest[5:] if not part.startswith("[")]
        if "master" in flags and "fail" not in flags and any(within(slot, part) for part in ranges):
            return address.split("@")[0]
    return None


def within(slot, part):
    first, _, last = part.partition("-")
    return int(first) <= slot <= int(last or first)


def process_of(node):
    said = dict(line.split(":", 1) for line in ask(node, "INFO server").splitlines() if ":" in line)
    return int(said["process_id"])


def stat(pid):
    return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()


def cpu_of(pid):
    """User and system time of one process, seconds."""
    fields = stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICK


def cpu_of_family(pid):
    """The same of a process, of its children, and of its children that have ended."""
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    total = sum(int(field) for field in stat(pid)[11:15]) / TICK
    for child in children:
        try:
            total += cpu_of(child)
        except FileNotFoundError:
            pass
    return total
