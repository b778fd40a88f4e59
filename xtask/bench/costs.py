"""Writes what was measured as a file that `tzero plan --costs` reads.

A file of this machine keeps the figures that this run did not take; one of another machine is written anew.
"""

import json
import os
import re
import time
import tomllib


def machine():
    model = re.search(r"^model name\s*:\s*(.+)$", open("/proc/cpuinfo").read(), re.MULTILINE)
    return f"{model.group(1).strip() if model else os.uname().machine}, {os.cpu_count()} cores"


def known(path, here):
    """The figures of the file by name, where it is of this machine."""
    if not os.path.exists(path):
        return {}
    with open(path, "rb") as file:
        told = tomllib.load(file)
    return {each["name"]: each for each in told["figures"]} if told["machine"] == here else {}


def write(path, figures):
    """`figures` are (name, value, unit, what was measured)."""
    here, day = machine(), time.strftime("%Y-%m-%d", time.gmtime())
    kept = known(path, here)
    for name, value, unit, what in figures:
        kept[name] = {"name": name, "value": round(float(value), 3), "unit": unit, "source": f"cargo xtask bench, {day}: {what}"}
    lines = ["# Costs of tzero, measured by `cargo xtask bench`, for `tzero plan --costs`.", f"machine = {text(here)}"]
    for each in kept.values():
        lines.append("\n[[figures]]")
        lines += [f"{member} = {text(value)}" for member, value in each.items()]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    print(f"\nwrote {path}: {', '.join(name for name, *_ in figures)}", flush=True)


def text(value):
    """As TOML, whose numbers and texts in quotes are those of JSON."""
    return json.dumps(value, ensure_ascii=False)
