#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""Makes the tables of docs/performance.md and its charts from docs/performance.json.

usage: report.py [--check] [FILE]

FILE, from bench/run.py, takes the place of docs/performance.json first. --check writes nothing:
exit status 1 if a table or a chart is not what the figures make it.
"""
import argparse
import json
import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import chart  # noqa: E402

DOCS = Path(__file__).resolve().parent.parent / "docs"
VENDORS = {"arm-smmuv3-ril": "SMMUv3", "intel-vtd-legacy": "VT-d", "amd-vi-generic": "AMD-Vi"}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "| --- |" + " ---: |" * (len(head) - 1)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return lines


def percent(value):
    if value == 0:
        return "0"
    if value >= 1e5:
        return f"10^{len(str(int(value))) - 1} %"
    return f"{value:.2f} %" if value < 10 else f"{value:.0f} %"


def machine_lines(data):
    return [f"Machine: {data['machine']}. Compiler: {data['compiler']}."]


def unmap_lines(data):
    return table(["one page unmapped", "commands", "instructions", "in a ring, with a report", "ns",
                  "ratio to the bare builder"],
                 [[e["case"].removeprefix("unmap "), e["commands"], e["instructions"],
                   e["ring_instructions"], round(e["ns"], 1), e["ratio"]]
                  for e in data["calls"]["unmap"]])


def page_lines(data):
    return table(["a page's words alone", "commands", "instructions", "ns", "bare builder, ns", "ratio"],
                 [[e["case"].removeprefix("page "), e["commands"], e["instructions"],
                   round(e["ns"], 1), e["bare_ns"], e["ratio"]] for e in data["calls"]["page"]])


def plan_lines(data):
    return table(["planned anew", "commands", "instructions", "ns", "ratio to the bare builder"],
                 [[e["case"].removeprefix("plan "), e["commands"], e["instructions"],
                   round(e["ns"]), e["ratio"]] for e in data["calls"]["plan"]])


def further_lines(data):
    return table(["range on", "commands", "instructions", "for each command beyond a page's"],
                 [[e["platform"], e["commands"], e["total"], round(e["instructions"])]
                  for e in data["calls"]["further"]])


def decode_lines(data):
    return table(["a command to fields", "instructions", "ns"],
                 [[e["case"].removeprefix("decode "), e["instructions"], round(e["ns"])]
                  for e in data["calls"]["decode"]])


def replay_lines(data):
    return table(["recording, platform", "policy", "commands", "syncs", "pages asked", "extra pages",
                  "ms"],
                 [[f"{e['capture']}, {e['platform']}", e["policy"], e["commands"], e["syncs"],
                   e["pages_asked"], e["pages_extra"], round(e["ms"])]
                  for e in data["replay"]])


SHOWN = (("driver", "pow2", "one covering block"), ("driver", "pow2", "aligned pieces"),
         ("xinv", "pow2", "exact"), *(("xinv", "pow2", f"at-most:{k}") for k in (2, 3, 4, 6, 8, 16)),
         ("xinv", "pow2", "latency"),
         ("driver", "scaled", "windows of five bits"), ("xinv", "scaled", "exact"),
         ("xinv", "scaled", "latency"),
         ("driver", "page", "page by page"), ("xinv", "page", "exact"))


def strategy_lines(data):
    cells = {}
    sizes = []
    for e in data["strategies"][1:]:
        cells[e["who"], e["blocks"], e["strategy"], e["pages"]] = (
            f"{e['commands']:.2f}; 0" if not e["waste_most"] else
            f"{e['commands']:.2f}; {percent(e['waste_mean'])} ({percent(e['waste_median'])})")
        if e["pages"] not in sizes:
            sizes.append(e["pages"])
    return table(["pages, any alignment", *sizes],
                 [[chart.BLOCKS[blocks] + ", " + (f"*{name}*" if who == "driver" else f"`{name}`"),
                   *(cells[who, blocks, name, pages] for pages in sizes)]
                  for who, blocks, name in SHOWN])


def batch_lines(data):
    return table(["kicks with UNMAPs", "policy", "UNMAPs", "kicks", "syncs", "other commands",
                  "pages asked", "pages extra"],
                 [[f"{e['capture']}, {e['platform']}", e["policy"], e["unmaps"], e["kicks"],
                   e["syncs"], e["commands"], e["pages_asked"], e["pages_extra"]]
                  for e in data["batches"]])


def growth_lines(data):
    curves = {}
    for e in data["growth"]:
        curves.setdefault((e["curve"], e["n"]), {})[e["platform"]] = e
    order = list(dict.fromkeys(curve for curve, _ in curves))
    def microseconds(ns):
        return f"{ns / 1000:.3f}" if ns < 100 else f"{ns / 1000:.1f}"

    return table(["operation", "n", *(f"{name}, us" for name in VENDORS.values()), "commands"],
                 [[curve, n, *(microseconds(by[p]["ns"]) for p in VENDORS),
                   by["arm-smmuv3-ril"]["commands"]] for (curve, n), by in
                  sorted(curves.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))])


def size_lines(data):
    sizes = data["sizes"]
    lines = table(["at -Os, bytes", "text", "rodata"],
                  [[group, size["text"], size["rodata"]]
                   for group, size in sorted(sizes["groups"].items())] +
                  [["one platform, at most", 0, sizes["platform"][0]]])
    lines += [""] + table(["a program with one platform that calls only", "text of the core"],
                          sorted(sizes["uses"].items(), key=lambda item: item[1]))
    lines += [""] + table(["deepest chain of calls from", "bytes of stack"],
                          [[e["chain"][0].partition(":")[2], e["stack"]]
                           for e in sizes["chains"][:10]])
    lines += [""] + table(["largest stack frames", "bytes"],
                          [[e["name"], e["stack"]] for e in sizes["frames"][:8]])
    return lines


TABLES = {"machine": machine_lines, "unmap": unmap_lines, "page": page_lines,
          "plan": plan_lines, "further": further_lines,
          "decode": decode_lines, "replay": replay_lines, "strategies": strategy_lines,
          "batches": batch_lines, "growth": growth_lines, "sizes": size_lines}


def page(data, text):
    """The page with each generated part between its marks made anew."""
    def part(match):
        return "\n".join([match[1], *TABLES[match[2]](data), match[3]])

    return re.sub(r"(<!-- from performance.json: (\w+) -->)\n.*?(<!-- end -->)", part, text,
                  flags=re.S)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("file", nargs="?", type=Path)
    options = parser.parse_args()
    if options.file:
        shutil.copyfile(options.file, DOCS / "performance.json")
    data = json.loads((DOCS / "performance.json").read_text())
    made = {DOCS / "performance.md": page(data, (DOCS / "performance.md").read_text()),
            DOCS / "charts/waste.svg": chart.waste(data["strategies"][1:]),
            DOCS / "charts/growth.svg": chart.growth(data["growth"], VENDORS)}
    status = 0
    for path, text in made.items():
        if not options.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path}: not what docs/performance.json makes it; run bench/report.py")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
