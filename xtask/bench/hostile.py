"""Measures what hostile buyers cost the honest ones: `tzero rehearse` without and with a tenth of the buyers hostile, A B A B,
five pairs after a warm-up, against one `tzero serve`.

Called by `cargo xtask bench hostile` with the built program as its argument, and with pairs, buyers and milliseconds over which
they come, where others are wanted. Server on core 0, herd on core 1. Limits are on, as by default: buyers have addresses of
their own in X-Forwarded-For. Every run is a sale of its own, and must find no violation. Printed are the 99th percentile of the honest
buyers' checkouts, counted from the instant at which each was due, its ratio in each pair, and the server's resident memory. How
late the herd itself was stands beside it, and is part of the latency: its timer's millisecond or two, and more where its core was
too slow; then the ratio says little about the server.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

SHARE = 0.1
GRACE_MS = 1_000
# The longest hold of a buyer who abandons it, and what is left of the run after the last buyer has come.
HOLD_MS = 2_000
REST_MS = 60_000


def pinned(core, *command, **more):
    return subprocess.Popen(["taskset", "-c", str(core), *command], **more)


def start(program, folder):
    settings = [f"expiration.grace_ms={GRACE_MS}", "log.level=error"]
    flags = [part for each in settings for part in ("--set", each)]
    command = [program, "serve", "--listen", "127.0.0.1:0", "--data", folder, *flags]
    process = pinned(0, *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    url = process.stdout.readline().strip().removeprefix("listening on ")
    if not url:
        raise SystemExit("the server did not start")
    return process, url


def memory_mib(pid, name):
    """`VmRSS` is resident now, `VmHWM` the most that ever was."""
    return int(re.search(rf"{name}:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) / 1024


def rehearse(program, folder, url, buyers, over_ms, share):
    file = os.path.join(folder, "rehearsal.json")
    flags = {
        "url": url, "data": folder, "report": file, "hostile": share, "buyers": buyers, "stock": buyers // 10,
        "hold-ms": HOLD_MS, "grace-ms": GRACE_MS, "limit-ms": over_ms + REST_MS,
    }
    if over_ms:
        flags["ramp-ms"] = over_ms
    command = [program, "rehearse", *(f"--{name}={value}" for name, value in flags.items())]
    ended = pinned(1, *command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    said, _ = ended.communicate()
    if ended.returncode:
        raise SystemExit(f"the rehearsal found something wrong:\n{said}")
    return json.load(open(file))


def line(name, report, before, after):
    answers, behind, hostile = report["answers"], report["herd_behind"], report["hostile"]
    text = (
        f"{name:<10} honest p99 {answers['p99_ms']:8.2f} ms  p50 {answers['p50_ms']:7.2f} ms  of {answers['count']:>7}"
        f"  herd behind p99 {behind['p99_ms']:7.2f} ms  resident {before:6.1f} -> {after:6.1f} MiB"
    )
    if hostile:
        cut = sum(kind["connections_cut"] for kind in hostile["kinds"].values())
        text += (
            f"  hostile: {hostile['sent']} checkouts, {cut} connections cut,"
            f" units {hostile['units_share']:.1%} of {hostile['buyers_share']:.1%} of buyers"
        )
    print(text, flush=True)


def measured(name, server, *rehearsal):
    before = memory_mib(server.pid, "VmRSS")
    report = rehearse(*rehearsal)
    line(name, report, before, memory_mib(server.pid, "VmRSS"))
    return report["answers"]["p99_ms"]


def main():
    program = sys.argv[1]
    pairs, buyers, over_ms = (int(each) for each in sys.argv[2:5])
    print(f"{pairs} pairs, {buyers} buyers over {over_ms} ms, {SHARE:.0%} of them hostile in every other run", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server, url = start(program, folder)
        try:
            ratios = []
            first = memory_mib(server.pid, "VmRSS")
            for share in (0, SHARE):
                measured("warm-up", server, program, folder, url, buyers, over_ms, share)
            for _ in range(pairs):
                without = measured("without", server, program, folder, url, buyers, over_ms, 0)
                besieged = measured("with", server, program, folder, url, buyers, over_ms, SHARE)
                ratios.append(besieged / without)
            print(
                f"honest p99, with over without: median {statistics.median(ratios):.2f}"
                f" (min {min(ratios):.2f}, max {max(ratios):.2f}) of {pairs} pairs"
            )
            last, most = memory_mib(server.pid, "VmRSS"), memory_mib(server.pid, "VmHWM")
            print(f"server resident: {first:.1f} MiB before, {last:.1f} MiB after, {most:.1f} MiB at most")
        finally:
            server.terminate()
            server.wait()


main()
