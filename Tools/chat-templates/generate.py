"""Records what jinja2, set up as transformers sets it up, makes of many templates: the fixtures of ChatTemplatesTests.

    python generate.py                       # writes Tests/ChatTemplatesTests/Fixtures
    python generate.py --random 20000 --seed 7 --lines > cases.jsonl    # only random templates, for a longer comparison

Needs transformers 5.23 and jinja2 3.1.6.
"""

import argparse
import copy
import datetime
import json
import pathlib
import random
import re

import jinja2
import transformers
from transformers.utils import chat_template_utils

import grammar
import snippets


class FrozenTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 1, 15, 9, 30, 0)


chat_template_utils.datetime = FrozenTime


def lines(text):
    """One template per line; a line that ends in a backslash goes on."""
    return re.split(r"(?<!\\)\n", text.strip("\n"))


def record(template, variables):
    case = {"template": template}
    try:
        compiled = chat_template_utils._cached_compile_jinja_template(template)
        output = compiled.render(**copy.deepcopy(variables))
        output.encode()
        case["output"] = output
    except jinja2.TemplateSyntaxError as error:
        case["error"] = "syntax"
        case["line"] = error.lineno
    except jinja2.UndefinedError:
        case["error"] = "undefined"
    except jinja2.exceptions.SecurityError:
        case["error"] = "security"
    except Exception as error:
        case["error"] = "raised" if type(error) is jinja2.TemplateError else "runtime"
        if case["error"] == "raised":
            case["message"] = str(error)
    return case


def usable(case):
    """Python shows addresses of objects, which cannot be compared."""
    return not re.search(r" at 0x[0-9a-f]{6}", case.get("output", ""))


def written():
    groups = {}
    for name in ["OUTPUT", "OPERATORS", "ACCESS", "STRING_METHODS", "FILTERS", "TESTS", "ERRORS"]:
        groups[name] = lines(getattr(snippets, name))
    for name in ["STATEMENTS", "WHITESPACE", "SYNTAX_ERRORS"]:
        groups[name] = getattr(snippets, name)
    cases = []
    for name, templates in groups.items():
        for template in templates:
            cases.append(record(template, snippets.VARIABLES) | {"group": name.lower()})
    return cases


def generated(count, seed):
    source = random.Random(seed)
    cases = []
    while len(cases) < count:
        case = record(grammar.template(source), snippets.VARIABLES)
        if usable(case) and len(case.get("output", "")) < 3000:
            cases.append(case)
    return cases


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--random", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lines", action="store_true", help="print only random cases, one per line")
    options = parser.parse_args()
    if options.lines:
        for case in generated(options.random, options.seed):
            print(json.dumps(case))
        return
    folder = pathlib.Path(__file__).parents[2] / "Tests/ChatTemplatesTests/Fixtures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, cases in [("written", written()), ("random", generated(options.random, options.seed))]:
        fixture = {
            "reference": f"jinja2 {jinja2.__version__} as in transformers {transformers.__version__}",
            "now": "2026-01-15T09:30:00", "variables": snippets.VARIABLES, "cases": cases,
        }
        (folder / f"{name}.json").write_text(json.dumps(fixture, ensure_ascii=False, indent=0) + "\n")


if __name__ == "__main__":
    main()
