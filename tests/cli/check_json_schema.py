#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""docs/*.schema.json against the tool: they take what it takes and prints, and nothing else."""

import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

XINV = os.environ["XINV"]
GOLDEN = sorted(pathlib.Path("tests/golden").glob("*.requests"))

# Keys that may be missing; the samples of checks have no name.
OPTIONAL = {"id", "stream"}
# Objects whose keys are names from tables: one more, or one fewer, is as good.
OPEN = {"fields", "registers", "features", "tag_bits", "requests", "commands", "known", "classes", "sources", "rows"}
# Objects that say what is known of an endpoint.
SOME = {"attachments[]"}

failures = []
seen = {"request": set(), "answer": set()}


def complain(text):
    failures.append(text)


def pairs(items):
    keys = [key for key, _ in items]
    if len(set(keys)) != len(keys):
        complain(f"a key comes twice: {keys}")
    return dict(items)


def load(text):
    return json.loads(text, object_pairs_hook=pairs)


def validator(name):
    schema = load(pathlib.Path(f"docs/{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


REQUEST = validator("request")
ANSWER = validator("answer")
KINDS = {
    kind: jsonschema.Draft202012Validator({**ANSWER.schema, "oneOf": [{"$ref": f"#/$defs/{kind}"}]})
    for kind in ("translation", "error", "platforms", "replay", "check", "explanation", "matrix")
}


def note_keys(where, value):
    if isinstance(value, dict):
        seen[where].update(value)
        for part in value.values():
            note_keys(where, part)
    elif isinstance(value, list):
        for part in value:
            note_keys(where, part)


def take(kind, answer, what):
    """The answer is of this kind and of no other."""
    note_keys("answer", answer)
    error = jsonschema.exceptions.best_match(KINDS[kind].iter_errors(answer))
    if error:
        complain(f"{what}: {kind}: {error.json_path}: {error.message[:300]}")
    return error is None


def run(*args, stdin=b"", status=0):
    done = subprocess.run([XINV, *map(str, args)], input=stdin, capture_output=True, check=False)
    if done.returncode != status or done.stderr:
        complain(f"{args}: exit status {done.returncode}, {done.stderr.decode()}")
    return done.stdout.decode()  # strict: every output is UTF-8


def translate(lines):
    text = "\n".join(lines) + "\n"
    output = run("translate", "--jsonl", stdin=text.encode("utf-8", "surrogateescape"))
    answers = [load(line) for line in output.splitlines()]
    if len(answers) != len(lines):
        complain(f"{len(lines)} requests have {len(answers)} answers")
    for line, answer in zip(lines, answers):
        take("error" if "error" in answer else "translation", answer, line[:80])
    return answers


# ---- Requests ----


def check_case(case, line, answer):
    expected = case.get("error")
    wrong_request = expected is not None and expected[0] in ("JSON", "REQUEST")
    refuses = {"takes": False, "refuses": True}.get(case.get("schema"), wrong_request)
    got = None
    try:
        request = json.loads(line.encode("utf-8", "surrogateescape").decode())
    except ValueError:
        request = None
    if request is not None:
        error = jsonschema.exceptions.best_match(REQUEST.iter_errors(request))
        if (error is not None) != refuses:
            complain(f"{case['name']}: {error.message if error else 'the schema takes it'}")
        if error is None:
            note_keys("request", request)
        if isinstance(request, dict) and ("id" in request) != ("id" in answer):
            complain(f"{case['name']}: the id is not that of the request")
        elif isinstance(request, dict) and request.get("id") != answer.get("id"):
            complain(f"{case['name']}: the id is not that of the request")
    if "error" in answer:
        got = [answer["error"][key] for key in ("code", "path", "text")]
    if got != expected:
        complain(f"{case['name']}: {got}, expected {expected}")


def check_cases():
    cases = load(pathlib.Path("tests/data/json/requests.json").read_text())
    lines = [case["line"] if "line" in case else json.dumps(case["request"]) for case in cases]
    answers = translate(lines)
    for number, (case, line, answer) in enumerate(zip(cases, lines, answers), 1):
        check_case(case, line, answer)
        if "error" in answer and answer["error"]["line"] != number:
            complain(f"{case['name']}: line {answer['error']['line']} is {number}")
    return answers


def check_kinds(platforms):
    """Every kind of request."""
    text = pathlib.Path("cli/kinds.c").read_text()
    kinds = re.findall(r'^    \{"([a-z0-9-]+)", "', text, re.MULTILINE)
    requests = [{"platform": p, "kind": k, "id": f"{p} {k}"} for p in platforms for k in kinds]
    answers = translate([json.dumps(request) for request in requests])
    return sum("error" not in answer for answer in answers)


def check_documentation():
    """Examples are requests, each with the answer that it gets."""
    text = pathlib.Path("docs/json.md").read_text()
    blocks = [load(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    requests = [block for block in blocks if "attachments" in block or "kind" in block]
    answers = [block for block in blocks if block not in requests]
    for request in requests:
        note_keys("request", request)
        error = jsonschema.exceptions.best_match(REQUEST.iter_errors(request))
        if error:
            complain(f"docs/json.md: {error.message}")
    got = translate([json.dumps(request) for request in requests])
    if not requests or got != answers:
        complain(f"docs/json.md: the answers are {json.dumps(got)}")
    words = set(re.findall(r"[a-zA-Z0-9_]+", text))
    for name, schema in (("request", REQUEST.schema), ("answer", ANSWER.schema)):
        for key in sorted(set(properties(schema)) - words):
            complain(f"docs/json.md says nothing of {key}, a key of {name}.schema.json")


# ---- Other documents ----


def capture_of(paths, target):
    """The requests of tests/data/requests as a capture: each with a response that none gives."""
    lines = ["kick"]
    for path in paths:
        for line in path.read_text().splitlines():
            columns = line.split()
            if not line or line[0] in "#@" or columns[1] == "-":
                continue
            room = int(columns[2].split("..")[-1])
            if room >= 4:
                lines.append(f"0.1 {columns[1].replace('_', '')} {'ff' * room}")
    target.write_text("\n".join(lines) + "\n")
    return len(lines) - 1


def check_replays(work):
    documents = []
    capture = work / "bytes"
    n = capture_of(sorted(pathlib.Path("tests/data/requests").glob("*.txt")), capture)
    topology = work / "endpoints.yaml"
    topology.write_text(
        "name: four endpoints\nother_endpoints: absent\n"
        "endpoints: [{id: 8}, {id: 9}, {id: 0x10}, {id: 0x18}]\n"
    )
    for platform in ("arm-smmuv3-ril", "intel-vtd-rwbf", "amd-vi-generic"):
        options = ("replay", "--json", "--commands", "--platform", platform, "--topology", topology)
        for file in [*GOLDEN, capture]:
            documents.append(load(run(*options, file)))
            take("replay", documents[-1], f"{file} on {platform}")
    for file in GOLDEN:
        batched = load(run(*options, "--batch", "--policy", "latency", "--policy", "at-most:16", file))
        take("replay", batched, f"{file} in batches")
        documents.append(batched)
    topology = "tests/data/topologies/stage1-ats.yaml"
    for file in GOLDEN:
        documents.append(load(run("replay", "--json", file, "--topology", topology)))
        take("replay", documents[-1], f"{file} everywhere")
    done = documents[len(GOLDEN)]["platforms"][0]["requests"]["total"]
    if done != n or n < 100:
        complain(f"{done} of {n} requests of tests/data/requests were replayed")
    return documents


def check_tables(work):
    wrong = work / "wrong.yaml"
    wrong.write_text("platform: x\n")
    odd = work / "odd.yaml"
    odd.write_text(
        pathlib.Path("schema/platforms/intel-vtd-legacy.yaml").read_text()
        + 'quirks: [{text: "x", uncovered: {stage2_pte: [stage2]}, source: "x"}]\n'
    )
    broken = work / "\udcff.yaml"
    files = (*sorted(pathlib.Path("schema").rglob("*.yaml")), wrong, odd, broken)
    lines = run("check", "--json", *files, status=1).splitlines()
    answers = [load(line) for line in lines]
    for file, answer in zip(files, answers):
        take("check", answer, f"check {file}".encode(errors="replace"))
    results = [answer["result"] for answer in answers]
    expected = ["clean"] * (len(files) - 3) + ["errors", "warnings", "errors"]
    if results != expected:
        complain(f"results of checks: {results}")
    return answers


def check_explanations(work):
    """A request of each status, one with many attachments, and one of a kind."""
    documents = []
    endpoints = [
        {"stage": "nested", "rid": 16 * i, "did": 7 + i, "ats": i > 1, "pasids_unknown": i == 2, "pasid_enabled": i == 3}
        for i in range(4)
    ]
    change = {"what": "stage2_pte", "first": 0x40000000, "last": 0x40000FFF, "leaf_only": True}
    requests = [
        {"platform": "intel-vtd-scalable", "attachments": endpoints, "change": change},
        {"platform": "amd-vi-generic", "attachments": endpoints, "change": change},
        {"platform": "intel-vtd-rwbf", "attachments": [{"stage": "stage2", "rid": 8, "did": 3}],
         "change": {**change, "from": "not_present"}},
        {"platform": "arm-smmuv3-ril", "attachments": [{"stage": "stage1", "rid": 8, "pasid": 1, "asid": 3, "vmid": 0}],
         "change": {"what": "stage1_pte", "enumerated": True}},
        {"platform": "arm-smmuv3-ril", "kind": "s2-map"},
    ]
    for request in requests:
        file = work / "request.json"
        file.write_text(json.dumps(request))
        documents.append(load(run("explain", "--json", "--input", file)))
        take("explanation", documents[-1], f"explain {request['platform']}")
    statuses = [document["status"] for document in documents]
    if statuses != ["widened", "impossible", "exact", "exact", "nothing"]:
        complain(f"explained as {statuses}")
    return documents


def check_matrix():
    document = load(run("matrix", "--json"))
    take("matrix", document, "matrix")
    cells = {cell["status"]: cell for cell in document["cells"]}
    return {**document, "cells": list(cells.values()), "platforms": document["platforms"][:1], "kinds": document["kinds"][:1]}


# ---- The schemas themselves ----


def properties(schema):
    if isinstance(schema, dict):
        for key, part in schema.get("properties", {}).items():
            if isinstance(part, dict):
                yield key
        for part in schema.values():
            yield from properties(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from properties(part)


def check_descriptions(name, schema):
    if isinstance(schema, dict):
        for key, part in schema.get("properties", {}).items():
            described = not isinstance(part, dict) or "description" in part
            # below `if` and `then` keys are only looked at
            if not described and set(part) - {"enum", "const", "items"}:
                complain(f"{name}: {key} has no description")
        for part in schema.values():
            check_descriptions(name, part)
    elif isinstance(schema, list):
        for part in schema:
            check_descriptions(name, part)


def mutations(value, where="$", name=""):
    """(what, copy) for each: a key taken away, one too many, a value of another type."""
    if isinstance(value, dict):
        for key, part in value.items():
            less = {k: v for k, v in value.items() if k != key}
            if name not in OPEN | SOME and key not in OPTIONAL:
                yield f"{where} without {key}", less
            if key == "id":
                continue
            for what, changed in mutations(part, f"{where}.{key}", key):
                yield what, {**value, key: changed}
        if name not in OPEN:
            yield f"{where} with another key", {**value, "frobnicate": 1}
        yield f"{where} as a list", [value]
    elif isinstance(value, list):
        for i, part in enumerate(value):
            for what, changed in mutations(part, f"{where}[{i}]", name + "[]"):
                yield what, value[:i] + [changed] + value[i + 1 :]
        yield f"{where} as an object", {"0": value}
    elif isinstance(value, str):
        if value != "unbounded":
            yield f"{where} as a number", 7
        yield f"{where} as null", None
    else:
        yield f"{where} as a text", str(value)
        yield f"{where} as null", None


tried = set()


def check_mutations(kind, answer):
    """Each of them once, whatever the place in a list."""
    n = 0
    status = answer.get("status") if isinstance(answer, dict) else None
    for what, changed in mutations(copy.deepcopy(answer)):
        which = (kind, status, re.sub(r"\[[0-9]+\]", "[]", what))
        if which in tried:
            continue
        tried.add(which)
        n += 1
        if KINDS[kind].is_valid(changed):
            complain(f"{kind}: {what} is taken")
    return n


def samples(translations, platforms, replays, checks):
    # short ones, and one with a register write
    for answer in translations:
        size = len(json.dumps(answer))
        if "error" not in answer and (size < 700 or (size < 2000 and '"poll"' in json.dumps(answer))):
            yield "translation", answer
    yield "error", translations[-1]
    yield "platforms", platforms[:1]
    for document in replays[: 2 * len(GOLDEN) + 2]:
        short = copy.deepcopy(document)
        stream = {item["kind"]: item for item in short["platforms"][0]["stream"]}
        short["platforms"][0]["stream"] = list(stream.values())
        yield "replay", short
    everywhere = replays[-1]
    refused = [p for p in everywhere["platforms"] if "error" in p][:1]
    unbounded = [p for p in everywhere["platforms"] if p.get("pages_extra") == "unbounded"][:1]
    yield "replay", {**everywhere, "platforms": refused + unbounded}
    for answer in checks[-3:]:
        yield "check", {key: part for key, part in answer.items() if key != "name"}


def main():
    check_descriptions("request", REQUEST.schema)
    check_descriptions("answer", ANSWER.schema)
    translations = check_cases()
    check_documentation()
    platforms = load(run("platforms", "--json"))
    take("platforms", platforms, "platforms")
    answered = check_kinds([p["platform"] for p in platforms][::3])
    with tempfile.TemporaryDirectory() as work:
        replays = check_replays(pathlib.Path(work))
        checks = check_tables(pathlib.Path(work))
        explanations = check_explanations(pathlib.Path(work))
    matrix = check_matrix()
    mutated = 0
    others = [("explanation", document) for document in explanations[:4]] + [("matrix", matrix)]
    for kind, sample in [*samples(translations, platforms, replays, checks), *others]:
        if take(kind, sample, "sample"):
            mutated += check_mutations(kind, sample)
    for name, schema in (("request", REQUEST.schema), ("answer", ANSWER.schema)):
        for key in sorted(set(properties(schema)) - seen[name]):
            complain(f"{name}.schema.json: {key} is in no example")
    for failure in failures[:40]:
        print(failure)
    print(
        f"{len(translations)} requests judged, {answered} kinds answered, "
        f"{mutated} changed answers refused, {len(failures)} wrong"
    )
    return bool(failures) or len(translations) < 80 or answered < 200 or mutated < 1000


if __name__ == "__main__":
    sys.exit(main())
