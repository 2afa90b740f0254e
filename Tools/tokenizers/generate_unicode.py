#!/usr/bin/env python3
"""Writes UnicodeData.swift and UnicodeScriptData.swift: the Unicode facts that tokenizers depend on.

Model vocabularies were trained with HuggingFace `tokenizers`, whose components were each built against a fixed Unicode
version. The tables are therefore asked from that package, scalar by scalar, and only the structure of compositions
comes from Python's unicodedata (filtered by what the package really does).

usage: generate_unicode.py Sources/Tokenizers/Unicode        needs: pip install tokenizers
"""
import sys
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

SCALARS = [i for i in range(0x110000) if not 0xD800 <= i < 0xE000]
TEXT = "".join(map(chr, SCALARS))
CATEGORIES = ["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",
              "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"]
SCRIPTS = ["Han", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Latin", "Greek", "Cyrillic", "Arabic", "Hebrew", "Thai",
           "Devanagari", "Common", "Inherited"]
CONTROL_SPACE = len(CATEGORIES)  # white space among the controls, told apart so that \s is a set of categories


def removed(pre_tokenizer):
    kept = set()
    for piece, _ in pre_tokenizer.pre_tokenize_str(TEXT):
        kept.update(piece)
    return [i for i in SCALARS if chr(i) not in kept]


def ranges(values):
    result = []
    for value in values:
        if result and result[-1][1] == value - 1:
            result[-1][1] = value
        else:
            result.append([value, value])
    return result


def category_runs():
    table = [CATEGORIES.index("Cn")] * 0x110000
    for index, name in enumerate(CATEGORIES):
        if name in ("Cs", "Cn"):
            continue
        for scalar in removed(pre_tokenizers.Split(Regex(r"\p{%s}" % name), "removed")):
            table[scalar] = index
    for scalar in range(0xD800, 0xE000):
        table[scalar] = CATEGORIES.index("Cs")
    for scalar in [9, 10, 11, 12, 13, 0x85]:
        table[scalar] = CONTROL_SPACE
    runs = []
    for scalar, category in enumerate(table):
        if not runs or runs[-1] & 0xFF != category:
            runs.append(scalar << 8 | category)
    return runs


def dropped(normalizer):
    return [i for i in SCALARS if normalizer.normalize_str("a" + chr(i) + "a") == "aa"]


def decompositions(form):
    """scalar, length, scalars... of the full decomposition, Hangul syllables left out."""
    normalizer = getattr(normalizers, form)()
    flat = []
    for scalar in SCALARS:
        text = normalizer.normalize_str(chr(scalar))
        if text != chr(scalar) and not 0xAC00 <= scalar < 0xD7A4:
            flat += [scalar << 8 | len(text), *map(ord, text)]
    return flat


def combining_classes():
    """scalar << 8 | class, where the package reorders the scalar."""
    nfd = normalizers.NFD()
    result = []
    for scalar in SCALARS:
        combining = unicodedata.combining(chr(scalar))
        if combining == 0:
            continue
        low, high = "\u0334" + chr(scalar), chr(scalar) + "\u0345"  # classes 1 and 240
        swaps = [nfd.normalize_str(chr(scalar) + "\u0334") != chr(scalar) + "\u0334", nfd.normalize_str("\u0345" + chr(scalar)) != "\u0345" + chr(scalar)]
        if any(swaps):
            result.append(scalar << 8 | combining)
    return result


def compositions():
    """first, second, composed for every primary composite."""
    nfc = normalizers.NFC()
    flat = []
    for scalar in SCALARS:
        parts = unicodedata.decomposition(chr(scalar)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first, second = (int(part, 16) for part in parts)
            if nfc.normalize_str(chr(first) + chr(second)) == chr(scalar):
                flat += [first, second, scalar]
    return flat


def lowercase():
    normalizer = normalizers.Lowercase()
    flat = []
    for scalar in SCALARS:
        text = normalizer.normalize_str(chr(scalar))
        if text != chr(scalar):
            flat += [scalar << 8 | len(text), *map(ord, text)]
    return flat


def lines(values, indent):
    """Hexadecimal numbers in lines of at most 120 columns."""
    result, line = [], indent
    for value in values:
        item = f"{value:x} "
        if len(line) + len(item) > 121:
            result.append(line.rstrip())
            line = indent
        line += item
    result.append(line.rstrip())
    return "\n".join(result)


def swift(name, comment, values):
    # A text, as the compiler takes seconds for array literals of this size.
    return f'    /// {comment}\n    static let {name} = numbers(\n        """\n{lines(values, " " * 8)}\n        """)\n'


def flat_ranges(values):
    return [bound for pair in ranges(values) for bound in pair]


def main():
    bert = lambda **flags: normalizers.BertNormalizer(**{**dict(
        clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False), **flags})
    tables = [
        swift("categoryRuns", "Start of a run of scalars << 8 | index into `GeneralCategory`.", category_runs()),
        swift("punctuation", "Ranges (first, last) of what Punctuation and the BERT components split off.",
              flat_ranges(removed(pre_tokenizers.Punctuation("removed")))),
        swift("bertControls", "Ranges of what BERT's text cleaning removes.", flat_ranges(dropped(bert(clean_text=True)))),
        swift("bertAccents", "Ranges of the nonspacing marks that BERT's accent stripping removes.",
              flat_ranges([i for i in dropped(bert(strip_accents=True))])),
        swift("combiningMarks", "Ranges of what StripAccents removes.", flat_ranges(dropped(normalizers.StripAccents()))),
        swift("canonicalDecompositions", "Scalar << 8 | count, then `count` scalars: full canonical decomposition.",
              decompositions("NFD")),
        swift("compatibilityDecompositions", "Scalar << 8 | count, then `count` scalars: full compatibility decomposition.",
              decompositions("NFKD")),
        swift("compositions", "First, second, composed.", compositions()),
        swift("combiningClasses", "Scalar << 8 | canonical combining class, where it is not 0.", combining_classes()),
        swift("lowercase", "Scalar << 8 | count, then `count` scalars.", lowercase()),
    ]
    head = "// Generated by Tools/tokenizers/generate_unicode.py; do not edit.\n// swift-format-ignore-file\n\n"
    with open(sys.argv[1] + "/UnicodeData.swift", "w") as file:
        file.write(head + "/// Unicode tables as the reference implementation of tokenizers has them.\nenum UnicodeData {\n"
                   + "\n".join(tables) + "}\n")
    with open(sys.argv[1] + "/UnicodeScriptData.swift", "w") as file:
        file.write(head + "/// Ranges (first, last) of the scripts that patterns name.\nenum UnicodeScriptData {\n"
                   "    static let scripts: [String: [UInt32]] = [\n")
        for name in SCRIPTS:
            bounds = flat_ranges(removed(pre_tokenizers.Split(Regex(r"\p{%s}" % name), "removed")))
            file.write(f'        "{name.lower()}": UnicodeData.numbers(\n            """\n{lines(bounds, " " * 12)}\n            """),\n')
        file.write("    ]\n}\n")


main()
