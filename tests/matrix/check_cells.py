#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""The matrix says what was assembled by hand (tests/data/matrix/cells.tsv), and leaves no cell open."""
import json
import os
import subprocess
import sys

CELLS = "tests/data/matrix/cells.tsv"
COLUMNS = ("platform", "kind", "status", "widened", "commands", "pin", "why", "comment")
failures = []


def fail(cell, text):
    failures.append(f"{cell['platform']} {cell['kind']}: {text}")


def read_cells():
    with open(CELLS, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line.startswith("#"):
                continue
            fields = line.rstrip("\n").split("\t")
            if len(fields) != len(COLUMNS) or not all(fields):
                sys.exit(f"{CELLS}:{number}: {len(fields)} columns; expected {', '.join(COLUMNS)}")
            yield dict(zip(COLUMNS, fields))


def commands_of(cell):
    if cell["status"] == "impossible":
        return "-"
    return str(cell["commands"]) + (" + register" if cell["registers"] else "")


def check_complete(matrix):
    """Every kind on every platform, and a reason wherever something is lost."""
    wanted = [(p["platform"], k["kind"]) for k in matrix["kinds"] for p in matrix["platforms"]]
    if [(c["platform"], c["kind"]) for c in matrix["cells"]] != wanted:
        failures.append("the cells are not each kind on each platform, once, in order")
    for cell in matrix["cells"]:
        impossible, widened = cell["status"] == "impossible", cell["status"] == "widened"
        if cell["status"] not in ("exact", "widened", "impossible", "nothing"):
            fail(cell, f"status {cell['status']}")
        if widened != bool(cell["widened"]):
            fail(cell, f"{cell['status']}, and the tags {cell['widened']}")
        if (impossible or widened) != bool(cell["reason"] and cell["source"]):
            fail(cell, f"{cell['status']} because of '{cell['reason']}', source '{cell['source']}'")
        if impossible and cell["reason"] == "malformed argument":
            fail(cell, "the request is refused as malformed")
        if (cell["status"] == "nothing") != (not impossible and commands_of(cell) == "0"):
            fail(cell, f"{cell['status']} with {commands_of(cell)} commands")
        if bool(cell["rows"]) != (cell["status"] in ("exact", "widened")) or not all(cell["rows"].values()):
            fail(cell, f"rows {cell['rows']}")


def check_by_hand(matrix, by_hand):
    cells = {(c["platform"], c["kind"]): c for c in matrix["cells"]}
    for hand in by_hand:
        cell = cells.get((hand["platform"], hand["kind"]))
        if cell is None:
            fail(hand, "no such cell")
            continue
        tags = [] if hand["widened"] == "-" else hand["widened"].split(",")
        expected = (hand["status"], sorted(tags), hand["commands"])
        found = (cell["status"], sorted(cell["widened"]), commands_of(cell))
        if found != expected:
            fail(hand, f"{found}, by hand {expected}: {hand['why']}")


def main():
    tool = os.environ.get("XINV", "build/bin/xinv")
    run = subprocess.run([tool, "matrix", "--json"], capture_output=True, check=True)
    matrix = json.loads(run.stdout)
    by_hand = list(read_cells())
    pins = sum(cell["pin"] == "pin" for cell in by_hand)
    if pins != 60 or len({(c["platform"], c["kind"]) for c in by_hand}) != len(by_hand):
        failures.append(f"{pins} pinned cells in {CELLS}, or one of its cells comes twice")
    check_complete(matrix)
    check_by_hand(matrix, by_hand)
    for line in failures:
        print(line)
    print(f"{len(matrix['cells'])} cells, {len(by_hand)} of them by hand, {len(failures)} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
