"""Random templates over the variables of `snippets.py`: valid syntax, values of every kind in every place."""

import re

NAMES = ["s", "empty", "u", "pad", "q", "both", "ctl", "html", "ml", "n", "neg", "zero", "f", "t", "no", "z", "l", "el",
         "words", "nested", "d", "ed", "mixed", "rows", "messages", "nothing", "x", "y", "v"]
LITERALS = ["0", "1", "2", "-1", "3", "10", "2.5", "-0.5", "1e3", "true", "false", "none", "''", "'a'", "'ab c'", "'%s'",
            "\"it's\"", "'é\\n'", "'-'", "[]", "[1, 2, 3]", "['b', 'A', none]", "{}", "{'a': 1, 'b': [2]}", "(1, 'x')", "'l'"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
FILTERS = ["abs", "capitalize", "count", "d('D')", "default('D', true)", "dictsort", "e", "first", "float", "int", "join",
           "join('-')", "last", "length", "list", "lower", "upper", "title", "trim", "trim('ab ')", "reverse", "reverse | list",
           "round", "round(1)", "sort", "sort(reverse=true)", "string", "sum", "tojson", "tojson(indent=2)", "unique | list",
           "map('string') | list", "map('upper') | join(',')", "map(attribute='name') | list", "select | list",
           "reject('none') | list", "select('string') | list", "selectattr('name') | list | length", "batch(2) | list",
           "slice(2) | list", "items | list", "min", "max", "replace('a', 'b')", "replace('l', 'LL', 1)", "indent(2)",
           "indent('> ', true, true)", "truncate(5, true, '', 0)", "truncate(6)", "wordcount", "urlencode", "center(9)",
           "safe", "striptags", "format('x')", "groupby('ok') | length", "wordwrap(5)"]
TESTS = ["defined", "undefined", "none", "string", "mapping", "sequence", "iterable", "number", "integer", "float", "boolean",
         "true", "false", "odd", "even", "lower", "upper", "callable", "divisibleby 3", "in [1, 'a']", "eq 1", "gt 1",
         "sameas none", "not none", "not defined", "not string", "filter", "test"]
METHODS = ["upper()", "lower()", "strip()", "strip('H d')", "lstrip()", "rstrip('o')", "split()", "split('o')", "split(' ', 1)",
           "rsplit('l', 1)", "rsplit(none, 1)", "splitlines()", "splitlines(true)", "replace('o', '0')", "startswith('H')",
           "endswith(('d', 'é'))", "find('o')", "rfind('o')", "count('l')", "title()", "capitalize()", "swapcase()", "isdigit()",
           "isalpha()", "isupper()", "partition(' ')", "rpartition('l')", "zfill(8)", "center(12, '*')", "ljust(9)",
           "removeprefix('H')", "items() | list", "keys() | list", "values() | list", "get('a')", "get('q', 0)", "copy()",
           "index(1)", "count(1)", "format(1, n)", "join(['a', 'b'])", "casefold()", "expandtabs(3)", "istitle()", "bit_length()"]
ATTRIBUTES = ["a", "b", "name", "role", "content", "items", "missing", "0", "1", "_x", "__class__", "append"]
SLICES = ["[0]", "[-1]", "[1:]", "[:2]", "[::-1]", "[::2]", "[-2:]", "[1:3]", "[5:1:-2]", "['a']", "['name']", "[n]", "[:-1]", "[99]"]


def pick(r, options):
    return options[r.randrange(len(options))]


def varying(r, inner):
    """Jinja evaluates operations on constants early, in another way: keeps those out where the results differ."""
    return inner if any(re.search(rf"\b{name}\b", inner) for name in NAMES) else pick(r, NAMES)


def expression(r, depth=3):
    if depth <= 0 or r.random() < 0.2:
        return pick(r, NAMES) if r.random() < 0.6 else pick(r, LITERALS)
    kind = r.randrange(13)
    inner = expression(r, depth - 1)
    if kind <= 2:
        return f"({inner}) {pick(r, BINARY)} ({expression(r, depth - 1)})"
    if kind <= 5:
        return f"({inner}) | {pick(r, FILTERS)}"
    if kind == 6:
        return f"({inner}) is {pick(r, TESTS)}"
    if kind == 7:
        return f"({inner}).{pick(r, METHODS)}"
    if kind == 8:
        return f"({varying(r, inner)}).{pick(r, ATTRIBUTES)}"
    if kind == 9:
        return f"({varying(r, inner)}){pick(r, SLICES)}"
    if kind == 10:
        return f"({inner} if {expression(r, depth - 1)} else {expression(r, depth - 1)})"
    if kind == 11:
        return pick(r, ["not ({})", "-({})", "[{}, 1]", "{{'k': {}}}", "({},)", "dict(k={})", "({}) ~ '|'"]).format(inner)
    return f"[{inner}, {expression(r, depth - 1)}] | {pick(r, FILTERS)}"


def blank(r):
    return pick(r, ["", "", "", " ", "\n", "  ", "\n  ", " \n", "\n\n", "a", " b ", "\nc\n", "é"])


def tag(r, content):
    return "{%" + pick(r, ["", "", "", "-", "+"]) + f" {content} " + pick(r, ["", "", "", "-", "+"]) + "%}"


def statement(r, depth=3):
    if depth <= 0 or r.random() < 0.35:
        text = "{{" + pick(r, ["", "", "-"]) + " " + expression(r, 2) + " " + pick(r, ["", "", "-"]) + "}}"
        return text if r.random() < 0.8 else "{#" + pick(r, ["", "-"]) + " note " + pick(r, ["", "-"]) + "#}"
    body = block(r, depth - 1)
    other = block(r, depth - 1)
    kind = r.randrange(12)
    if kind <= 1:
        return tag(r, f"if {expression(r, 2)}") + body + (tag(r, "else") + other if r.random() < 0.5 else "") + tag(r, "endif")
    if kind == 2:
        return tag(r, f"if {expression(r, 1)}") + body + tag(r, f"elif {expression(r, 1)}") + other + tag(r, "endif")
    if kind <= 5:
        target, source = pick(r, [("x", expression(r, 1)), ("x", "l"), ("x", "words"), ("x", "rows"), ("x, y", "d.items()"),
                                  ("x", "range(4)"), ("m", "messages")])
        loop = pick(r, ["", "", "{{ loop.index }}", "{{ loop.last }}{{ loop.length }}", "{{ loop.previtem is defined }}",
                        "{{ loop.cycle('a', 'b') }}", "{{ loop.revindex0 }}"])
        end = pick(r, ["", "", "", "{% if loop.index > 1 %}{% break %}{% endif %}", "{% if x is odd %}{% continue %}{% endif %}"])
        test = pick(r, ["", "", "", f" if {expression(r, 1)}", " if x"])
        return (tag(r, f"for {target} in {source}{test}") + end + loop + body
                + (tag(r, "else") + other if r.random() < 0.3 else "") + tag(r, "endfor"))
    if kind == 6:
        return tag(r, f"set {pick(r, ['x', 'y', 'v', 'n'])} = {expression(r, 2)}")
    if kind == 7:
        return tag(r, f"set {pick(r, ['x', 'y', 'v'])}{pick(r, ['', ' | upper', ' | trim'])}") + body + tag(r, "endset")
    if kind == 8:
        return (tag(r, "set ns = namespace(a=" + expression(r, 1) + ")") + tag(r, "for x in l")
                + tag(r, f"set ns.a = {expression(r, 1)}") + tag(r, "endfor") + "{{ ns.a }}")
    if kind == 9:
        name = pick(r, ["m1", "m2"])
        return (tag(r, f"macro {name}(x, y={expression(r, 1)})") + body + pick(r, ["", "{{ kwargs }}", "{{ varargs }}", "{{ caller is defined }}"])
                + tag(r, "endmacro") + "{{ " + f"{name}({expression(r, 1)}{pick(r, ['', ', 2', ', y=3'])})" + " }}")
    if kind == 10:
        return tag(r, f"with v = {expression(r, 1)}") + body + tag(r, "endwith")
    return tag(r, f"filter {pick(r, ['upper', 'trim', 'indent(2)', 'length', 'reverse', 'title'])}") + body + tag(r, "endfilter")


def block(r, depth):
    return "".join(blank(r) + statement(r, depth) for _ in range(r.randrange(1, 4))) + blank(r)


def template(r):
    return block(r, 3) if r.random() < 0.7 else "{{ " + expression(r, 4) + " }}"
