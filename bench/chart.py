# SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause
"""The charts of docs/performance.md as SVG: plain, without anything from elsewhere, in the reader's
light or dark."""
import math
from xml.sax.saxutils import escape

BLOCKS = {"page": "single pages", "pow2": "aligned blocks", "scaled": "NUM and SCALE"}

STYLE = """
  :root { --back: #ffffff; --ink: #1f2328; --soft: #59636e; --grid: #e3e6ea; --a: #1f6fc4;
          --b: #c2500a; --c: #1a7f54 }
  @media (prefers-color-scheme: dark) {
    :root { --back: #14181d; --ink: #e6edf3; --soft: #9aa5b1; --grid: #2c333b; --a: #58a6ff;
            --b: #f0883e; --c: #3fb950 }
  }
  .back { fill: var(--back) }
  text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: var(--ink) }
  .title { font-size: 15px; font-weight: 600 }
  .panel { font-weight: 600 }
  .soft { fill: var(--soft) }
  .tick { font-size: 11px; fill: var(--soft) }
  .grid { stroke: var(--grid); stroke-width: 1 }
  .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .a { --own: var(--a) } .b { --own: var(--b) } .c { --own: var(--c) }
  .line.a, .line.b, .line.c { stroke: var(--own) }
  .dot { fill: var(--own); stroke: var(--back); stroke-width: 1.5 }
  .hollow { fill: var(--back); stroke: var(--own); stroke-width: 2 }
  .named { fill: var(--own) }
"""


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Canvas:
    def __init__(self, width, height, title, what):
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(what)}">',
            f"<title>{escape(title)}</title>", f"<style>{STYLE}</style>",
            f'<rect class="back" width="{width}" height="{height}"/>']
        self.text(20, 28, title, "title")

    def text(self, x, y, text, kind="", anchor="start"):
        self.parts.append(f'<text x="{number(x)}" y="{number(y)}" class="{kind}" '
                          f'text-anchor="{anchor}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2):
        self.parts.append(f'<line class="grid" x1="{number(x1)}" y1="{number(y1)}" '
                          f'x2="{number(x2)}" y2="{number(y2)}"/>')

    def path(self, points, kind):
        self.parts.append(f'<polyline class="line {kind}" points="' +
                          " ".join(f"{number(x)},{number(y)}" for x, y in points) + '"/>')

    def dot(self, x, y, kind, radius=4.5):
        self.parts.append(f'<circle class="{kind}" cx="{number(x)}" cy="{number(y)}" '
                          f'r="{radius}"/>')

    def square(self, x, y, kind, half=4.5):
        self.parts.append(f'<rect class="{kind}" x="{number(x - half)}" y="{number(y - half)}" '
                          f'width="{2 * half}" height="{2 * half}"/>')

    def done(self):
        return "\n".join(self.parts) + "\n</svg>\n"


class Panel:
    """A plot with logarithmic axes; where `zero` is given, values of 0 stand so far below the
    lowest."""

    def __init__(self, canvas, box, xs, ys, zero=0):
        self.canvas = canvas
        self.left, self.top, self.width, self.height = box
        self.xs, self.ys, self.zero = xs, ys, zero

    def x(self, value):
        low, high = (math.log10(v) for v in self.xs)
        return self.left + self.width * (math.log10(value) - low) / (high - low)

    def y(self, value):
        if value < self.ys[0] and self.zero:
            return self.top + self.height
        low, high = (math.log10(v) for v in self.ys)
        usable = self.height - self.zero
        return self.top + usable * (1 - (math.log10(value) - low) / (high - low))

    def axes(self, title, xticks, yticks):
        c = self.canvas
        c.text(self.left, self.top - 12, title, "panel")
        for value, label in xticks:
            c.line(self.x(value), self.top, self.x(value), self.top + self.height)
            c.text(self.x(value), self.top + self.height + 17, label, "tick", "middle")
        for value, label in yticks:
            c.line(self.left, self.y(value), self.left + self.width, self.y(value))
            c.text(self.left - 8, self.y(value) + 4, label, "tick", "end")


def decades(low, high, text):
    return [(10 ** e, text(10 ** e)) for e in range(low, high + 1)]


def thousands(value):
    return f"{value:,.0f}".replace(",", " ")


# Where a point's name stands: dx, dy, anchor.
NAMES = {
    ("pow2", "exact"): ("exact", 12, -6, "start"),
    ("pow2", "at-most:2"): ("2 blocks", 9, -5, "start"),
    ("pow2", "at-most:4"): ("4", 9, -4, "start"),
    ("pow2", "at-most:8"): ("8", 9, -4, "start"),
    ("pow2", "one covering block"): ("one covering block: driver, and latency", 12, 4, "start"),
    ("scaled", "latency"): ("latency", -7, -10, "start"),
    ("scaled", "exact"): ("", 0, 0, "start"),
    ("page", "page by page"): ("page by page", 0, -26, "middle"),
}


def waste_panel(panel, entries):
    mine = {(e["blocks"], e["strategy"]): e for e in entries if e["who"] == "xinv"}
    drivers = {(e["blocks"], e["strategy"]): e for e in entries if e["who"] == "driver"}
    curve = [mine["pow2", f"at-most:{k}"] for k in range(1, 17)] + [mine["pow2", "exact"]]

    def place(e):
        return panel.x(e["commands"]), panel.y(e["waste_mean"])

    def name(key, e, kind):
        text, dx, dy, anchor = NAMES.get(key, ("", 0, 0, "start"))
        if text:
            x, y = place(e)
            panel.canvas.text(x + dx, y + dy, text, kind, anchor)

    panel.canvas.path([place(e) for e in curve], "a")
    for e in curve[1:]:
        panel.canvas.dot(*place(e), "dot a", 3.5)
    for e in drivers.values():
        panel.canvas.square(*place(e), "hollow b", 6)
    for key in (("scaled", "exact"), ("scaled", "latency")):
        panel.canvas.dot(*place(mine[key]), "dot c")
    for key, e in mine.items():
        name(key, e, "named c" if key[0] == "scaled" else "named a")
    for key, e in drivers.items():
        name(key, e, "named b")
    windows = drivers["scaled", "windows of five bits"]
    exact = mine["scaled", "exact"]
    y = place(exact)[1]
    panel.canvas.text(panel.left + 2, y - 27, f"exact {exact['commands']:.2f}", "named c")
    panel.canvas.text(panel.left + 2, y - 12, f"driver {windows['commands']:.2f}", "named b")


def waste(entries):
    """Commands against waste, for two sizes of ranges."""
    canvas = Canvas(860, 460, "Commands and waste for ranges of any alignment",
                    "Mean waste against mean commands of each policy and of drivers' strategies")
    x = 20
    for kind, shape, text in (("dot a", "dot", "aligned blocks: at most k, exact"),
                              ("dot c", "dot", "NUM and SCALE: exact, latency"),
                              ("hollow b", "square", "drivers of today")):
        getattr(canvas, shape)(x + 5, 49, kind)
        canvas.text(x + 16, 53, text)
        x += 235
    for i, pages in enumerate(("1-512", "1-65536")):
        panel = Panel(canvas, (70 + 410 * i, 100, 350, 300), (0.7, 100000), (0.01, 10000), 34)
        panel.axes(f"{pages.replace('-', ' to ')} pages: extra over asked, mean",
                   decades(0, 5, thousands),
                   [(0, "0")] + decades(-2, 4, lambda v: (thousands(v) if v >= 1 else f"{v:g}") +
                                        " %"))
        waste_panel(panel, [e for e in entries if e["pages"] == pages])
        canvas.text(panel.left + panel.width / 2, 440, "commands for a range, mean", "soft",
                    "middle")
    return canvas.done()


GROWTH = (("attachments, one tag", "Attachments with one tag: us for an unmap"),
          ("attachments, one tag, prepared", "The same by a prepared list"),
          ("attachments, device TLBs", "Attachments with device TLBs: us for an unmap"),
          ("attachments, device TLBs, prepared", "The same by a prepared list"),
          ("requests of one batch, apart", "UNMAPs of one batch, pages apart: us for all"),
          ("endpoints of one session", "Endpoints, 16 in a domain: us for an unmap"))


def growth(entries, vendors):
    """Each curve, a line for each vendor."""
    canvas = Canvas(860, 1040, "How costs grow (both axes logarithmic)", "Time against size")
    kinds = dict(zip(vendors, "abc"))
    for i, (platform, name) in enumerate(vendors.items()):
        canvas.dot(25 + 110 * i, 49, "dot " + kinds[platform])
        canvas.text(36 + 110 * i, 53, name)
    for i, (curve, title) in enumerate(GROWTH):
        own = [e for e in entries if e["curve"] == curve]
        sizes = sorted({e["n"] for e in own})
        times = [max(e["ns"], 1) / 1000 for e in own]
        low = math.floor(math.log10(min(times)))
        high = max(math.ceil(math.log10(max(times))), low + 2)
        panel = Panel(canvas, (80 + 410 * (i % 2), 110 + 320 * (i // 2), 340, 230),
                      (sizes[0] * 0.8, sizes[-1] * 1.25), (10 ** low, 10 ** high))
        panel.axes(title, [(n, thousands(n)) for n in sizes],
                   decades(low, high, lambda v: thousands(v) if v >= 1 else f"{v:g}"))
        for platform in vendors:
            line = [(panel.x(e["n"]), panel.y(e["ns"] / 1000)) for e in own
                    if e["platform"] == platform]
            canvas.path(line, kinds[platform])
            for x, y in line:
                canvas.dot(x, y, "dot " + kinds[platform], 3.5)
    return canvas.done()
