#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""Sizes of the library: text, read-only data, stack of each function and of each chain of calls.

usage: sizes.py [--cc CC] [--json] [--check]

Compiles the library's sources at -Os, freestanding, as one vendor's embedder would, and reads the
objects and the call graph that gcc writes (-fcallgraph-info). --check prints one line, and ends
with status 1 if a figure is above its limit.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ("-std=c11 -Os -ffreestanding -fno-common -ffunction-sections -fdata-sections "
         "-fvisibility=hidden -fno-pic -fno-pie -fno-stack-protector "
         "-fno-asynchronous-unwind-tables -fcallgraph-info=su").split()

# What the calls through a pointer in a file can reach: functions of these files that nothing calls
# by name.
THROUGH_POINTERS = {
    "backends/amdvi/decode.c": r"core/judge\.c",
    "backends/smmuv3/decode.c": r"core/judge\.c",
    "backends/vtd/decode.c": r"core/judge\.c",
    "backends/vtd_hwpt/decode.c": r"core/judge\.c",
    "core/emit.c": r"backends/.*/encode\.c",
    "core/filter.c": r"backends/.*/filter\.c",
    "core/iommu.c": r"backends/.*/encode\.c",
    "core/decode.c": r"backends/.*/decode\.c|core/judge\.c",
    "core/encode.c": r"core/judge\.c",
    "core/judge.c": r"backends/.*/decode\.c",
    "core/prepare.c": r"backends/.*/encode\.c",
    "core/prepared.c": r"backends/.*/encode\.c",
    "core/removal.c": r"backends/.*/read\.c",
    "core/session_flush.c": r"backends/.*/encode\.c",
    "core/session_send.c": r"core/session.*\.c",
}

# Where that says too much or too little, the functions that are meant.
CALLBACKS = {
    "core/plan.c": r"core/\w+\.c:(keep|count_blocks)",
    "core/translate.c": r"core/\w+\.c:((rewind|next)_(single|count)|(pte|batch)_(rewind|next)|"
                        r"xinv_prepared_add)",
}

# An embedder with one platform that calls one of these alone links so much of the core.
USES = ("xinv_iommu_init", "xinv_iommu_prepare", "xinv_prepare", "xinv_prepared_write",
        "xinv_prepared_emit", "xinv_translate", "xinv_session_request",
        "xinv_decode", "xinv_encode", "xinv_removes", "xinv_filter")

# The platform of such a program.
PLATFORM = "xinv_platform_arm_smmuv3_ril"

# What a change of a page goes through once its list is prepared.
HOT = "xinv_prepared_write"

MOST = 25  # of each list

# bytes; --check fails above these
LIMITS = {"text of the core": 56 << 10, "text of a backend": 8 << 10, "data of a platform": 2 << 10,
          "stack of a chain of calls": 4 << 10, "stack of a frame": 1 << 10, "writable data": 0,
          "text with HOT": 6 << 10, "stack of HOT": 512}
DEEP = 512  # chains below are left out of the table


def sources():
    for pattern in ("core/*.c", "backends/*/*.c", "schema/generated/*.c"):
        yield from sorted(ROOT.glob(pattern))


def compile_all(cc, out):
    def one(source):
        name = str(source.relative_to(ROOT))
        target = out / (name.replace("/", "_")[:-2] + ".o")
        subprocess.run([cc, *FLAGS, '-DXINV_BUILD_VERSION="0"', f"-I{ROOT}", f"-I{ROOT}/include",
                        "-c", str(source), "-o", str(target)], check=True,
                       env=dict(os.environ, CCACHE_DISABLE="1"))  # which drops the call graph
        return name, target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(pool.map(one, sources()))


def sections(obj):
    """Bytes by kind of section."""
    total = {"text": 0, "rodata": 0, "written": 0}
    text = subprocess.run(["size", "-A", str(obj)], check=True, capture_output=True, text=True)
    for line in text.stdout.splitlines():
        parts = line.split()
        if len(parts) != 3:
            continue
        if parts[0].startswith(".text"):
            total["text"] += int(parts[1])
        elif parts[0].startswith(".rodata"):
            total["rodata"] += int(parts[1])
        elif re.match(r"\.(data|bss|tdata|tbss)", parts[0]):
            total["written"] += int(parts[1])
    return total


def symbols(obj):
    """(name, kind, bytes) of what an object defines."""
    text = subprocess.run(["nm", "-S", "-t", "d", str(obj)], check=True, capture_output=True,
                          text=True)
    for line in text.stdout.splitlines():
        parts = line.split()
        if len(parts) == 4:
            yield parts[3], parts[2], int(parts[1])


class Calls:
    """Stack of each function, and who calls whom. A function is "file:name"."""

    def __init__(self, graphs):
        self.stack = {}
        self.calls = {}
        self.indirect = {}
        home = {}
        edges = []
        for name, path in graphs.items():
            for line in path.read_text().splitlines():
                node = re.match(r'node: { title: "([^"]+)" label: "[^"]*\\n([^"\\]*) bytes', line)
                edge = re.match(r'edge: { sourcename: "([^"]+)" targetname: "([^"]+)"', line)
                if node:
                    title = node[1].rpartition(":")[2]
                    key = f"{name}:{title}"
                    home[node[1]] = key
                    self.stack[key] = int(node[2])
                elif edge:
                    edges.append((name, edge[1], edge[2]))
        for name, source, target in edges:
            source = home[source]
            if target == "__indirect_call":
                self.indirect[source] = name
            elif target in home:
                self.calls.setdefault(source, set()).add(home[target])
        called = set().union(*self.calls.values())
        for source, name in self.indirect.items():
            for key in self.stack:
                static = ":xinv_" not in key
                if name in CALLBACKS:
                    meant = re.fullmatch(CALLBACKS[name], key)
                else:
                    meant = (static and key not in called and
                             re.fullmatch(THROUGH_POINTERS[name], key.partition(":")[0]))
                if meant:
                    self.calls.setdefault(source, set()).add(key)
        self.memo = {}

    def deepest(self, key, above=()):
        """Bytes of the deepest chain from a function on, and that chain."""
        if key in above:
            return 0, []  # a callback table that leads back here: each of its functions is counted once
        if key not in self.memo:
            below = max((self.deepest(callee, above + (key,)) for callee in self.calls.get(key, ())),
                        default=(0, []))
            self.memo[key] = (self.stack[key] + below[0], [key] + below[1])
        return self.memo[key]


def public_functions():
    names = set()
    for header in (ROOT / "include/xinv").glob("*.h"):
        names.update(re.findall(r"\b(xinv_\w+)\(", header.read_text()))
    return names


def linked_text(objects, use):
    """Bytes of the core's text in a program that has one platform and calls one function: what the
    linker keeps, the vendor's codec among it."""
    with tempfile.NamedTemporaryFile() as program:
        result = subprocess.run(["ld", "--gc-sections", "--unresolved-symbols=ignore-all",
                                 "--print-map", "-u", PLATFORM, "-e", use, "-o", program.name,
                                 *map(str, objects.values())],
                                check=True, capture_output=True, text=True)
    kept = result.stdout.partition("Linker script and memory map")[2]
    return sum(int(size, 16) for size in
               re.findall(r"^ \.text\S*\s+0x[0-9a-f]+\s+(0x[0-9a-f]+)\s+\S*/core_\w+\.o$", kept,
                          re.M))


def groups(objects):
    """Bytes of text and rodata by part of the library."""
    total = {}
    for name, obj in objects.items():
        parts = name.split("/")
        group = {"core": "core", "backends": f"backend {parts[1]}"}.get(parts[0], "tables")
        if group == "tables":
            group = "platforms" if "platforms" in name else f"table {parts[2][:-2]}"
        into = total.setdefault(group, {"text": 0, "rodata": 0, "written": 0})
        for kind, size in sections(obj).items():
            into[kind] += size
    return total


def largest_platform(objects):
    """Bytes of the read-only data that one platform has for itself: its struct and its registers'
    and features' lists."""
    by_platform = {}
    for name, obj in objects.items():
        if "generated/platforms" not in name:
            continue
        found = list(symbols(obj))
        names = [s[len("xinv_platform_"):] for s, _, _ in found if s.startswith("xinv_platform_")]
        for symbol, _, size in found:
            owners = [n for n in names if symbol.endswith("_" + n)]
            if owners:
                owner = max(owners, key=len)
                by_platform[owner] = by_platform.get(owner, 0) + size
    return max((size, name) for name, size in by_platform.items())


def measure(cc):
    with tempfile.TemporaryDirectory() as directory:
        objects = compile_all(cc, Path(directory))
        calls = Calls({name: obj.with_suffix(".ci") for name, obj in objects.items()})
        functions = sorted(((size, f"{name}:{symbol}") for name, obj in objects.items()
                            for symbol, kind, size in symbols(obj) if kind in "tT"), reverse=True)
        public = public_functions()
        chains = sorted((calls.deepest(key) for key in calls.stack
                         if key.partition(":")[2] in public), reverse=True)
        uses = {use: linked_text(objects, use) for use in USES}
        return {
            "uses": uses,
            "hot": {"text": uses[HOT],
                    "stack": max(size for size, chain in chains if chain[0].endswith(":" + HOT))},
            "groups": groups(objects),
            "platform": largest_platform(objects),
            "functions": [{"name": name, "text": size} for size, name in functions[:MOST]],
            "frames": [{"name": name, "stack": size} for name, size in
                       sorted(calls.stack.items(), key=lambda item: -item[1])[:MOST]],
            "chains": [{"stack": size, "chain": chain} for size, chain in chains[:MOST]],
        }


def table(result):
    print(f"{'at -Os, bytes':<24}{'text':>8}{'rodata':>8}")
    for group, size in sorted(result["groups"].items()):
        print(f"{group:<24}{size['text']:>8}{size['rodata']:>8}")
    size, name = result["platform"]
    print(f"one platform, at most   {'':>8}{size:>8}  {name}")
    print(f"\n{'text of the core with':<24}{'text':>8}")
    for use, size in sorted(result["uses"].items(), key=lambda item: item[1]):
        print(f"{use:<24}{size:>8}")
    print(f"\n{'largest functions':<60}{'text':>8}")
    for entry in result["functions"]:
        print(f"{entry['name']:<60}{entry['text']:>8}")
    print(f"\n{'largest stack frames':<60}{'bytes':>8}")
    for entry in result["frames"]:
        print(f"{entry['name']:<60}{entry['stack']:>8}")
    print(f"\n{'deepest chain of calls from':<60}{'bytes':>8}")
    for entry in result["chains"]:
        if entry["stack"] > DEEP:
            print(f"{entry['chain'][0]:<60}{entry['stack']:>8}")
    print(f"{HOT:<60}{result['hot']['stack']:>8}")
    deepest = result["chains"][0]
    print("\nthe deepest: " + " > ".join(key.partition(":")[2] for key in deepest["chain"]))


def check(result):
    """Every figure with a limit, and whether all keep to it."""
    by_group = result["groups"]
    figures = {
        "text of the core": by_group["core"]["text"],
        "text of a backend": max(size["text"] for group, size in by_group.items()
                                 if group.startswith("backend")),
        "data of a platform": result["platform"][0],
        "stack of a chain of calls": result["chains"][0]["stack"],
        "stack of a frame": result["frames"][0]["stack"],
        "writable data": sum(size["written"] for size in by_group.values()),
        "text with HOT": result["hot"]["text"],
        "stack of HOT": result["hot"]["stack"],
    }
    print("bytes: " + ", ".join(f"{name.replace('HOT', HOT)} {size} (limit {LIMITS[name]})"
                                for name, size in figures.items()))
    return all(size <= LIMITS[name] for name, size in figures.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    result = measure(options.cc)
    if options.check:
        sys.exit(0 if check(result) else 1)
    if options.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    else:
        table(result)


if __name__ == "__main__":
    main()
