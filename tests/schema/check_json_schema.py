#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""The JSON Schemas take every shipped table, and refuse those of tests/data/schema/refused.yaml."""

import json
import pathlib
import re
import sys

import jsonschema
import yaml

DATA = pathlib.Path("tests/data/schema")


class Loader(yaml.SafeLoader):
    """Plain types as editors have them (YAML 1.2): `no` is a word, and a key stands once."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if not isinstance(key, str) or keys.count(key) > 1:
                raise yaml.YAMLError(f"key {key!r}")
        return super().construct_mapping(node, deep)

    def construct_integer(self, node):
        return int(node.value, 16 if "x" in node.value else 10)


Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), "tf")
Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|)$"), ["~", "n", ""])
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?([0-9]+|0x[0-9a-fA-F]+)$"), "-0123456789"
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), "-0123456789"
)
Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_integer)


def validator(name):
    schema = json.loads(pathlib.Path("schema", name).read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def complaint(schema, text):
    """What is wrong with a text, or None."""
    try:
        table = yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError) as error:
        return str(error)
    error = jsonschema.exceptions.best_match(schema.iter_errors(table))
    return error and f"{error.json_path}: {error.message}"


def keys(schema):
    """Every key that a schema knows."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from keys(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from keys(part)


def main():
    vendor = validator("vendor.schema.json")
    platform = validator("platform.schema.json")
    failures = []

    taken = [(vendor, path) for path in pathlib.Path("schema").glob("*.yaml")]
    taken += [(platform, path) for path in pathlib.Path("schema/platforms").glob("*.yaml")]
    taken += [(vendor, DATA / "small.yaml"), (platform, DATA / "small-platform.yaml")]
    for schema, path in taken:
        error = complaint(schema, path.read_text())
        if error:
            failures.append(f"{path}: {error}")

    cases = yaml.load((DATA / "refused.yaml").read_text(), Loader)
    for case in cases:
        text = (DATA / case["file"]).read_text().replace(case["replace"], case["with"], 1)
        error = complaint(vendor if case["file"] == "small.yaml" else platform, text)
        if (error is None) != (case.get("json_schema") == "passes"):
            failures.append(f"{case['group']}, {case['name']}: {error or 'passes'}")

    words = set(re.findall(r"[a-z0-9_]+", pathlib.Path("schema/README.md").read_text()))
    for key in sorted(set(keys(vendor.schema)) | set(keys(platform.schema))):
        if not set(key.split(">")) <= words:
            failures.append(f"schema/README.md says nothing of {key}")

    for failure in failures:
        print(failure)
    print(f"{len(taken)} tables taken, {len(cases)} judged, {len(failures)} wrong")
    return bool(failures) or len(taken) < 10 or len(cases) < 100


if __name__ == "__main__":
    sys.exit(main())
