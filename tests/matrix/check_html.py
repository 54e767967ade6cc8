#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""The page of the matrix: well-formed, of itself alone, a cell for each kind on each platform."""
import json
import os
import subprocess
import sys
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "hr", "img"}
URLS = {"href", "src", "srcset", "action", "data", "poster", "formaction", "background"}
TOOL = os.environ.get("XINV", "build/bin/xinv")


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.errors, self.open, self.ids = [], [], set()
        self.columns, self.rows, self.data = [], [], ""

    def error(self, text):
        self.errors.append(f"{self.getpos()[0]}:{self.getpos()[1]}: {text}")

    def handle_starttag(self, tag, attrs):
        self.check_attributes(tag, attrs)
        attributes = dict(attrs)
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.rows[-1].append({"status": attributes.get("class"), "text": ""})
        elif tag == "button" and self.inside("td"):
            self.rows[-1][-1].update(title=attributes.get("title", ""), cell=attributes.get("data-cell"))
        if tag not in VOID:
            self.open.append((tag, attributes))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.error(f"</{tag}> closes {self.open[-1][0] if self.open else 'nothing'}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.inside("td"):
            self.rows[-1][-1]["text"] += data.strip() + " "
        elif self.inside("th") and self.inside("span") and self.open[-2][1].get("scope") == "col":
            self.columns.append(data)
        elif self.open and self.open[-1][1].get("id") == "data":
            self.data += data

    def inside(self, tag):
        return any(name == tag for name, _ in self.open)

    def check_attributes(self, tag, attrs):
        for name, value in attrs:
            if name in URLS and not (value or "").startswith(("data:", "#")):
                self.error(f"<{tag} {name}={value}> leads elsewhere")
            if name == "id" and value in self.ids:
                self.error(f"id {value} twice")
            if name == "id":
                self.ids.add(value)


def check_cell(cell, expected, detail):
    """What a cell shows against the same cell in JSON."""
    tags = ", ".join(expected["widened"])
    shown = {
        "exact": str(expected["commands"]) + (" + register" if expected["registers"] else ""),
        "widened": f"{expected['commands']} {tags}",
        "nothing": "nothing",
    }.get(expected["status"], None)
    errors = []
    if cell["status"] != expected["status"]:
        errors.append(f"class {cell['status']}")
    if shown is not None and cell["text"].strip() != shown:
        errors.append(f"shows '{cell['text'].strip()}', not '{shown}'")
    if expected["status"] == "impossible" and (
            not cell["text"].strip() or expected["reason"] not in cell["title"]):
        errors.append("shows no reason")
    if detail["rows"] != expected["rows"] or "\n".join(detail["reason"]) != expected["reason"]:
        errors.append("has the detail of another")
    if expected["commands"] and len(detail["steps"]) < expected["commands"]:
        errors.append("lists too few commands")
    return errors


def main():
    html = subprocess.run([TOOL, "matrix", "--html"], capture_output=True, check=True).stdout.decode("utf-8")
    matrix = json.loads(subprocess.run([TOOL, "matrix", "--json"], capture_output=True, check=True).stdout)
    page = Page()
    page.feed(html)
    page.close()
    errors = page.errors
    if page.open:
        errors.append(f"left open: {[tag for tag, _ in page.open]}")
    for bad in ("http:", "https:", "//cdn", "@import", "url("):
        if bad in html:
            errors.append(f"'{bad}' is in the page")
    if not html.startswith("<!DOCTYPE html>"):
        errors.append("no doctype")
    if page.columns != [p["platform"] for p in matrix["platforms"]]:
        errors.append("the columns are not the platforms")
    details = json.loads(page.data)["details"]
    cells = [cell for row in page.rows for cell in row]
    if len(cells) != len(matrix["cells"]) or [len(r) for r in page.rows if r] != [len(page.columns)] * len(
            matrix["kinds"]):
        errors.append(f"{len(cells)} cells, {len(matrix['cells'])} expected")
    for index, (cell, expected) in enumerate(zip(cells, matrix["cells"])):
        k, p, detail = map(int, cell["cell"].split())
        if k * len(page.columns) + p != index:
            errors.append(f"cell {index} says that it is {k}, {p}")
        for text in check_cell(cell, expected, details[detail]):
            errors.append(f"{expected['kind']} on {expected['platform']}: {text}")
    for text in errors:
        print(text)
    print(f"{len(cells)} cells, {len(details)} details, {len(html)} bytes, {len(errors)} failures")
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
