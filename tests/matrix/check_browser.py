#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""The page of the matrix in Chromium, wide and narrow, light and dark: no errors, nothing clipped, cells that open."""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOOL = os.environ.get("XINV", "build/bin/xinv")
SIZES = [(1280, 900), (400, 800)]

BEFORE = """<script>
const problems = [];
addEventListener("error", (e) => problems.push("error: " + e.message));
for (const level of ["error", "warn"]) console[level] = (...a) => problems.push(level + ": " + a.join(" "));
</script>"""

# Runs in the page: what a person would see go wrong, as a list of texts.
AFTER = """<script>
const seen = (e) => e.getClientRects().length > 0;
const frame = document.querySelector(".frame");
const clipped = (e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1;

function within(inner, outer, text) {
  const a = inner.getBoundingClientRect(), b = outer.getBoundingClientRect();
  if (a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1)
    problems.push(text + " reaches out of its cell");
}

function luminance(colour) {
  const [r, g, b] = colour.match(/[\\d.]+/g).map((v) => {
    const c = v / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(e) {
  const a = luminance(getComputedStyle(e).color), b = luminance(getComputedStyle(e).backgroundColor);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function check() {
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) problems.push("the page is wider than the window");
  for (const td of document.querySelectorAll("td")) {
    const button = td.firstElementChild;
    if (!button.textContent.trim()) problems.push("an empty cell: " + button.title);
    if (clipped(button)) problems.push("clipped: " + button.title);
    for (const e of button.children) within(e, td, button.title);
  }
  for (const th of document.querySelectorAll("thead tr:last-child th, tbody th"))
    for (const e of th.children) within(e, th, th.textContent);
  for (const status of ["exact", "widened", "impossible", "nothing"]) {
    const e = document.querySelector("td." + status);
    if (contrast(e) < 4.5) problems.push(status + ": contrast of " + contrast(e).toFixed(2));
  }
  frame.scrollTo(600, 600);
  const box = frame.getBoundingClientRect();
  const corner = document.querySelector(".corner").getBoundingClientRect();
  const last = document.querySelector("tbody tr:last-child th").getBoundingClientRect();
  if (!frame.scrollLeft || !frame.scrollTop) problems.push("the frame does not scroll");
  if (Math.abs(corner.top - box.top) > 2 || Math.abs(corner.left - box.left) > 2 || Math.abs(last.left - box.left) > 2)
    problems.push("headings do not stay in place");
  frame.scrollTo(0, 0);
  const dialog = document.getElementById("detail");
  const details = new Set();
  for (const button of document.querySelectorAll("td button")) {
    const detail = button.dataset.cell.split(" ")[2];
    if (details.has(detail)) continue;
    details.add(detail);
    button.click();
    if (!dialog.open || !document.querySelector("#detail-body .value").textContent)
      problems.push("no detail: " + button.title);
    if (dialog.scrollWidth > dialog.clientWidth) problems.push("the detail is too wide: " + button.title);
    dialog.close();
  }
  for (const input of document.querySelectorAll("fieldset input")) {
    input.click();
    const vendor = input.id.replace("show-", "");
    for (const e of document.querySelectorAll("thead [data-v], tbody tr:last-child [data-v]"))
      if (seen(e) !== (vendor === "all" || e.dataset.v === vendor))
        problems.push("shown or hidden wrongly with " + vendor + ": " + e.textContent);
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const isDark = luminance(getComputedStyle(document.body).backgroundColor) < 0.2;
  if (dark !== isDark) problems.push("the colours are not those of the scheme");
  return {problems: problems.slice(0, 20), width: innerWidth, dark: dark,
          cells: document.querySelectorAll("td").length};
}

const result = parent.document.createElement("pre");
result.id = "result";
result.textContent = JSON.stringify(check());
parent.document.body.append(result);
</script>"""

# A window of Chromium is at least 500 pixels wide, a frame in it is not.
AROUND = """<!DOCTYPE html><title>around</title><body style="margin: 0">
<iframe src="matrix.html" style="width: %dpx; height: %dpx; border: 0"></iframe></body>"""


def run(chromium, home, size, dark):
    with open(os.path.join(home, "around.html"), "w", encoding="utf-8") as f:
        f.write(AROUND % size)
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--no-first-run", "--disable-background-networking", "--disable-component-update",
               "--allow-file-access-from-files", f"--user-data-dir={home}/profile", "--window-size=1400,1000",
               "--dump-dom", f"file://{home}/around.html"]
    if dark:
        command.insert(1, "--force-dark-mode")
    out = subprocess.run(command, capture_output=True, timeout=300, check=True).stdout.decode("utf-8")
    found = re.search(r'<pre id="result">(.*?)</pre>', out, re.S)
    return json.loads(html.unescape(found.group(1))) if found else {"problems": ["the page's script did not end"]}


def main():
    chromium = sys.argv[1] if len(sys.argv) > 1 else shutil.which("chromium")
    page = subprocess.run([TOOL, "matrix", "--html"], capture_output=True, check=True).stdout.decode("utf-8")
    page = page.replace("<head>", "<head>" + BEFORE, 1).replace("</body>", AFTER + "</body>", 1)
    failures = 0
    with tempfile.TemporaryDirectory() as home:
        with open(os.path.join(home, "matrix.html"), "w", encoding="utf-8") as f:
            f.write(page)
        for size in SIZES:
            for dark in (False, True):
                result = run(chromium, home, size, dark)
                if result.get("width") != size[0] or result.get("dark") != dark:
                    result["problems"].append(f"not the window that was asked for: {result}")
                for text in result["problems"]:
                    print(f"{size[0]} {'dark' if dark else 'light'}: {text}")
                failures += len(result["problems"])
    print(f"{2 * len(SIZES)} windows, {failures} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
