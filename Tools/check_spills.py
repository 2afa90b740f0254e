#!/usr/bin/env python3
"""Fails where the loop of a product keeps a vector on the stack: such a kernel runs at half its speed or less.

usage: check_spills.py OBJECT...    (objects of Sources/CKernels/isa, x86-64; needs objdump)

Looks at the innermost loops of `product_*`, `dot_group_*` and `tile_sums_*` that multiply, and counts what they write to the
stack. Loops of tiles may load a tile for each product at most and store none, but for groups of int4, whose integers leave the
tiles.
"""
import re
import subprocess
import sys

MULTIPLIES = re.compile(r"vdpb|vfmadd|vpmadd|tdpb")
SPILLS = re.compile(r"\t(v?mov\S*)\s+%[xyz]mm\d+,-?(0x[0-9a-f]+)?\(%r[sb]p\)")
FUNCTIONS = ("product_", "dot_group_", "tile_sums_")
JUMP = re.compile(r"\tj\w+\s+([0-9a-f]+) ")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:")


def functions(path):
    """Names and instructions, as (address, text)."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True)
    name, body = None, []
    for line in listing.stdout.splitlines():
        if match := FUNCTION.match(line):
            yield name, body
            name, body = match.group(1), []
        elif "\t" in line:
            address, _, text = line.partition(":")
            body.append((int(address, 16), text))
    yield name, body


def innermost_loops(body):
    """Stretches that end with a jump back to their start and hold no other such stretch."""
    index = {address: i for i, (address, _) in enumerate(body)}
    loops = []
    for i, (_, text) in enumerate(body):
        match = JUMP.search(text)
        start = index.get(int(match.group(1), 16)) if match else None
        if start is not None and start <= i and not any(start <= a and b <= i for a, b in loops):
            loops.append((start, i))
    return [[text for _, text in body[start : end + 1]] for start, end in loops]


def wasted_tiles(name, loop):
    """Stores, and loads beyond one for each product, where the loop leaves its sums in tiles."""
    count = lambda what: sum(f"\t{what}" in text for text in loop)
    if not name.startswith("tile_sums_") or name.startswith("tile_sums_groups"):
        return 0
    # One block of rows has two sums and needs three loads.
    products = count("tdpb")
    return count("tilestored") + max(0, count("tileload") - (4 if products == 4 else products + 1))


def main(paths):
    loops = bad = 0
    for path in paths:
        for name, body in functions(path):
            if not name or not name.startswith(FUNCTIONS):
                continue
            for loop in innermost_loops(body):
                if sum(bool(MULTIPLIES.search(text)) for text in loop) < 2:
                    continue
                loops += 1
                spills = sum(bool(SPILLS.search(text)) for text in loop) + wasted_tiles(name, loop)
                if spills:
                    bad += 1
                    print(f"{path}: {name} keeps {spills} vectors or tiles in memory in a loop of {len(loop)} instructions")
    print(f"{loops} loops, {bad} that spill")
    return 1 if bad or not loops else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
