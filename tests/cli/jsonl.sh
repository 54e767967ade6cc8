#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
# xinv translate --jsonl as a service: an answer before the next request, memory that does not grow.
. "$(dirname "$0")/lib.sh"
cd "$(dirname "$0")/../.."

name="one request after the other"
python3 - "$xinv" <<'PY' || complain "see above"
import json, subprocess, sys
tool = subprocess.Popen([sys.argv[1], "translate", "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for i in range(3):
    request = {"id": i, "platform": "amd-vi-generic", "kind": "s2-page"}
    tool.stdin.write(json.dumps(request).encode() + b"\n")
    tool.stdin.flush()
    assert json.loads(tool.stdout.readline())["id"] == i
tool.stdin.close()
assert tool.stdout.read() == b"" and tool.wait() == 0
PY

# What a sanitizer keeps of freed memory is bounded, so that growth is the tool's own.
name="the peak of memory after a tenth of the lines is that after nine tenths"
ASAN_OPTIONS=quarantine_size_mb=1 python3 - "$xinv" "$work/lines" <<'PY' || complain "see above"
import json, subprocess, sys
LINES = 40000
WRONG = ["{", '{"platform": "pdp11"}', '{"platform": "intel-vtd-legacy", "kind": "s1-page"}', ""]
KINDS = ["s2-page", "s2-all-ats", "s2-ragged", "everything", "dev-s2-remove-ats"]
with open(sys.argv[2], "w") as f:
    for i in range(LINES):
        kind = {"id": i, "platform": "intel-vtd-scalable", "kind": KINDS[i % len(KINDS)]}
        f.write((WRONG[i // 8 % len(WRONG)] if i % 8 == 0 else json.dumps(kind)) + "\n")
tool = subprocess.Popen([sys.argv[1], "translate", "--jsonl"], stdin=open(sys.argv[2]), stdout=subprocess.PIPE)
def peak():
    with open(f"/proc/{tool.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
answers = 0
for _ in tool.stdout:
    answers += 1
    if answers == LINES // 10:
        early = peak()
    if answers == LINES // 10 * 9:
        late = peak()
blank = sum(1 for i in range(0, LINES, 8) if not WRONG[i // 8 % len(WRONG)])
assert tool.wait() == 0 and answers == LINES - blank, answers
assert late <= early + 512, f"{early} KiB, then {late} KiB"
PY

name="a reader that goes away"
yes '{"platform":"amd-vi-generic","kind":"s2-page"}' | head -n 20000 |
    "$xinv" translate --jsonl 2>"$work/err" | head -n 1 >"$work/out"
has '^{"platform":"amd-vi-generic"'
[ ! -s "$work/err" ] || complain "stderr: $(cat "$work/err")"
name="input that cannot be read"
"$xinv" translate --jsonl <. >"$work/out" 2>"$work/err"
[ $? -eq 1 ] || complain "exit status is not 1"
[ "$(cat "$work/err")" = "xinv: standard input: cannot be read: Is a directory" ] ||
    complain "stderr: $(cat "$work/err")"
empty
finish
