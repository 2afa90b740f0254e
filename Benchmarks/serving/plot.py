#!/usr/bin/env python3
"""Draws docs/figures/*.svg from the output of ServingBenchmark.

usage: plot.py RESULTS.txt FOLDER        needs nothing but Python 3
"""
import math
import pathlib
import re
import sys

COLORS = ["#8a8f98", "#2f6fde", "#e07b39", "#3aa56b"]
LINE = re.compile(r"^(?P<name>[^:]+): (?P<values>.*)$")


def read(path):
    results = {}
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        values = {}
        for part in match["values"].split(", "):
            found = re.match(r"^(.*?) (-?[0-9.]+(?:e-?[0-9]+)?)(?: (.*))?$", part)
            if found:
                scale = 1000 if found[3] == "s" else 1
                values[found[1]] = float(found[2]) * scale
        results[match["name"]] = values
    return results


def bars(title, unit, groups, logarithmic):
    """One row of bars for each group: (label, [(series, value)])."""
    width, left, row, gap = 760, 210, 20, 14
    height = 56 + sum(len(values) * row + gap for _, values in groups)
    top = max(value for _, values in groups for _, value in values)
    low = min(value for _, values in groups for _, value in values)
    floor = 10 ** math.floor(math.log10(low) - 0.3) if logarithmic else 0

    def length(value):
        room = width - left - 110
        if not logarithmic:
            return room * value / top
        return room * (math.log10(value) - math.log10(floor)) / (math.log10(top) - math.log10(floor))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
           f'viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13">',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           f'<text x="12" y="24" font-size="15" font-weight="600" fill="#1b1f24">{title}</text>']
    y = 44
    for label, values in groups:
        out.append(f'<text x="12" y="{y + 14}" fill="#1b1f24">{label}</text>')
        for index, (series, value) in enumerate(values):
            color = COLORS[index % len(COLORS)]
            shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
            out.append(f'<text x="{left - 8}" y="{y + 14}" text-anchor="end" fill="#57606a">{series}</text>')
            out.append(f'<rect x="{left}" y="{y + 2}" width="{max(length(value), 1):.1f}" height="{row - 5}" rx="2" fill="{color}"/>')
            out.append(f'<text x="{left + max(length(value), 1) + 6:.1f}" y="{y + 14}" fill="#1b1f24">{shown} {unit}</text>')
            y += row
        y += gap
    if logarithmic:
        out.append(f'<text x="{width - 12}" y="24" text-anchor="end" fill="#57606a">logarithmic</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def pick(results, prefix, keys, label):
    groups = []
    for name, values in results.items():
        if name.startswith(prefix):
            groups.append((label(name[len(prefix):].strip()), [(key, values[key]) for key in keys if key in values]))
    return groups


def main():
    results, folder = read(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "first-token.svg": ("Time to first token behind a shared prompt", "ms", True,
                            pick(results, "ttft", ["cold", "warm", "one token"], lambda name: name)),
        "interference.svg": ("Time between tokens while a long prompt is computed", "ms", True,
                             pick(results, "interference chunk", ["quiet p50", "during p50", "during p99"],
                                  lambda name: "in one piece" if name == "0" else f"chunks of {name}")),
        "memory.svg": ("Requests at a time in the same memory", "requests", False,
                       pick(results, "memory block", ["contiguous", "paged"], lambda name: f"blocks of {name}")),
        "batching.svg": ("Tokens in a second, requests of unequal lengths", "tokens/s", False,
                         pick(results, "batching", ["static", "continuous"], lambda name: name)),
    }
    for name, (title, unit, logarithmic, groups) in figures.items():
        if groups:
            (folder / name).write_text(bars(title, unit, groups, logarithmic), encoding="utf-8")


if __name__ == "__main__":
    main()
