#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""Runs the benchmarks of a build, prints tables, and writes everything as JSON.

usage: run.py [--json FILE] [--machine TEXT] [BUILD]

BUILD (build-release) holds bench/ and bin/xinv. FILE (BUILD/bench.json) is what bench/report.py
makes docs/performance.md and its charts from. Instructions are exact and compare everywhere; times
are those of this machine with whatever else runs on it, and so compare within one run.
"""
import argparse
import json
import platform
import resource
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import sizes  # noqa: E402

ROOT = sizes.ROOT
CAPTURES = ("viommu-x86-6.12-strict", "viommu-x86-6.12-lazy", "viommu-arm64-6.12-strict")
PLATFORMS = ("arm-smmuv3-ril", "arm-smmuv3-generic", "intel-vtd-legacy", "intel-vtd-scalable",
             "amd-vi-generic")
BATCHED = ("arm-smmuv3-ril", "intel-vtd-legacy", "amd-vi-generic")
POLICIES = ("exact", "at-most:2", "at-most:4", "latency")
TRIES = 3


def lines(*command):
    """The JSON objects that a program prints, a line each."""
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def instructions(build):
    table = subprocess.run(["sh", str(ROOT / "scripts/check-call-cost.sh"), "--table",
                            str(build / "bench/calls")], stdout=subprocess.PIPE, text=True)
    if table.returncode == 77:
        return {}
    table.check_returncode()
    return {case: (int(commands), int(count)) for case, commands, count in
            (line.split("\t") for line in table.stdout.splitlines())}


def calls(build):
    """(a), (b), (c): a page unmapped, each further command, a command decoded."""
    counts = instructions(build)
    timed = lines(str(build / "bench/calls"))
    for entry in timed:
        entry["instructions"] = counts.get(entry["case"], (0, None))[1]
        kind, _, name = entry["case"].partition(" ")
        if kind == "unmap":
            entry["ring_instructions"] = counts.get("ring " + name, (0, None))[1]
    further = []
    for case, (commands, count) in counts.items():
        kind, _, name = case.partition(" ")
        if kind == "longer":
            one, least = counts["unmap " + name]
            further.append({"platform": name, "commands": commands, "total": count,
                            "instructions": round((count - least) / (commands - one), 1)})
    return {"unmap": [e for e in timed if e["case"].startswith("unmap")],
            "page": [e for e in timed if e["case"].startswith("page")],
            "plan": [e for e in timed if e["case"].startswith("plan")],
            "further": further,
            "decode": [e for e in timed if e["case"].startswith("decode")]}


def processor_time(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return output, sum(getattr(after, key) - getattr(before, key)
                       for key in ("ru_utime", "ru_stime"))


def replay(build):
    """(d): recorded guests end to end: file in, commands out."""
    result = []
    for capture in CAPTURES:
        path = ROOT / "tests/data/captures" / (capture + ".requests.gz")
        for name in PLATFORMS:
            for policy in POLICIES:
                command = [str(build / "bin/xinv"), "replay", str(path), "--platform", name,
                           "--policy", policy, "--json"]
                runs = [processor_time(command) for _ in range(TRIES)]
                one = json.loads(runs[0][0])["platforms"][0]
                result.append({
                    "capture": capture, "platform": name, "policy": policy,
                    "requests": one["requests"]["total"], "unmaps": one["requests"]["UNMAP"],
                    "commands": one["commands"]["total"], "syncs": one["syncs"],
                    "pages_asked": one["pages_asked"], "pages_extra": one["pages_extra"],
                    "ms": round(1000 * min(seconds for _, seconds in runs), 1)})
    return result


def batches(build):
    """The same guests with the requests of a kick together: what is left for their UNMAPs."""
    result = []
    for capture in CAPTURES:
        path = ROOT / "tests/data/captures" / (capture + ".requests.gz")
        for name in BATCHED:
            command = [str(build / "bin/xinv"), "replay", str(path), "--platform", name, "--batch",
                       "--json", *(part for p in POLICIES for part in ("--policy", p))]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            for one in json.loads(output)["platforms"]:
                unmaps = one["unmaps"]
                result.append({
                    "capture": capture, "platform": name, "policy": one["policy"],
                    "unmaps": one["requests"]["UNMAP"], "kicks": unmaps["lists"],
                    "syncs": unmaps["syncs"],
                    "commands": sum(unmaps["commands"].values()) - unmaps["syncs"],
                    "pages_asked": one["pages_asked"], "pages_extra": one["pages_extra"]})
    return result


def rows(head, table):
    """Columns as wide as their widest cell; numbers to the right."""
    text = [[str(cell) for cell in row] for row in [head, *table]]
    widths = [max(len(row[i]) for row in text) for i in range(len(head))]
    for row in text:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    print()


def show(result):
    rows(["one page unmapped", "commands", "instructions", "ns", "bare ns", "ratio"],
         [[e["case"][6:], e["commands"], e["instructions"], e["ns"], e["bare_ns"], e["ratio"]]
          for e in result["calls"]["unmap"]])
    rows(["planned anew", "commands", "instructions", "ns", "bare ns", "ratio"],
         [[e["case"][5:], e["commands"], e["instructions"], e["ns"], e["bare_ns"], e["ratio"]]
          for e in result["calls"]["plan"]])
    rows(["each further command", "of", "instructions"],
         [[e["platform"], e["commands"], e["instructions"]] for e in result["calls"]["further"]])
    rows(["a command to fields", "instructions", "ns"],
         [[e["case"][7:], e["instructions"], e["ns"]] for e in result["calls"]["decode"]])
    rows(["replay", "platform", "policy", "commands", "syncs", "extra pages", "ms"],
         [[e["capture"], e["platform"], e["policy"], e["commands"], e["syncs"], e["pages_extra"],
           e["ms"]] for e in result["replay"]])
    rows(["kicks with UNMAPs", "platform", "policy", "UNMAPs", "syncs", "commands", "extra pages"],
         [[e["capture"], e["platform"], e["policy"], e["unmaps"], e["syncs"], e["commands"],
           e["pages_extra"]] for e in result["batches"]])
    rows(["growth", "platform", "n", "us", "commands"],
         [[e["curve"], e["platform"], e["n"], round(e["ns"] / 1000, 1), e["commands"]]
          for e in result["growth"]])
    rows(["pages", "blocks", "who", "strategy", "commands", "waste %", "median %", "most %"],
         [[e["pages"], e["blocks"], e["who"], e["strategy"], e["commands"], e["waste_mean"],
           e["waste_median"], e["waste_most"]] for e in result["strategies"][1:]])
    sizes.table(result["sizes"])


def compiler(build):
    for line in (build / "CMakeCache.txt").read_text().splitlines():
        if line.startswith("CMAKE_C_COMPILER:"):
            text = subprocess.run([line.partition("=")[2], "--version"], stdout=subprocess.PIPE,
                                  text=True).stdout
            return text.splitlines()[0]
    return "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, default=None)
    parser.add_argument("--machine", default=f"{platform.machine()}, {platform.system()}")
    parser.add_argument("build", nargs="?", type=Path, default=ROOT / "build-release")
    options = parser.parse_args()
    result = {
        "machine": options.machine,
        "compiler": compiler(options.build),
        "calls": calls(options.build),
        "replay": replay(options.build),
        "batches": batches(options.build),
        "growth": [e for name in ("growth", "batch")
                   for e in lines(str(options.build / "bench" / name))],
        "strategies": lines(str(options.build / "bench/strategies")),
        "sizes": sizes.measure("gcc"),
    }
    show(result)
    target = options.json or options.build / "bench.json"
    target.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\n{target}")


if __name__ == "__main__":
    main()
