"""Hand-written template snippets, one or more per feature of the language. `generate.py` records what jinja2 makes of them."""

VARIABLES = {
    "s": "Hello World",
    "empty": "",
    "u": "naïve café 🤖 ÉÀ ß",
    "pad": "  \t padded \n ",
    "q": "it's",
    "qq": 'say "hi"',
    "both": "it's \"both\"",
    "ctl": "a\tb\nc\\d\x01\x7f\u00a0\u200b\u2028é",
    "html": "<b>&\"'</b>",
    "ml": "line1\nline2\n\n  line4\r\nline5",
    "n": 7,
    "neg": -7,
    "zero": 0,
    "f": 2.5,
    "big": 1e300,
    "small": 0.00001234,
    "t": True,
    "no": False,
    "z": None,
    "l": [3, 1, 2],
    "el": [],
    "words": ["banana", "Apple", "cherry", "apple", "Banana"],
    "nested": [1, [2, [3, []]], {"k": [None, True, "x"]}],
    "d": {"a": 1, "b": {"c": [1, 2]}, "items": "shadow", "1": "one"},
    "ed": {},
    "mixed": [1, "a", None, True, 2.5, {"k": "v"}, [1]],
    "rows": [
        {"name": "x", "age": 3, "tags": ["p", "q"], "ok": True},
        {"name": "Y", "age": 1, "tags": [], "ok": False},
        {"name": "z", "age": 2, "ok": True},
    ],
    "tree": [{"v": 1, "kids": [{"v": 2, "kids": [{"v": 3}]}, {"v": 4}]}, {"v": 5, "kids": []}],
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": " Hi <|x|> "},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    "add_generation_prompt": True,
    "bos_token": "<s>",
}

OUTPUT = """
{{ s }}|{{ n }}|{{ neg }}|{{ f }}|{{ t }}|{{ no }}|{{ z }}|{{ l }}|{{ d }}|{{ nothing }}
{{ nested }}{{ mixed }}{{ ed }}{{ el }}{{ () }}{{ (1,) }}{{ (1, 'a') }}
{{ [q, qq, both, ctl, u, html] }}
{{ 1.0 }} {{ 1e16 }} {{ 1e15 }} {{ 123456789012345680.0 }} {{ 1e-4 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ big }} {{ small }}
{{ 1.5e300 * 1e10 }} {{ -0.0 }} {{ 100.0 }} {{ 1/3 }} {{ 2/3 }} {{ 1e22 }} {{ 5e-324 }} {{ 1.7976931348623157e308 }}
{{ 1_000 }} {{ 0x1F }} {{ 0b101 }} {{ 0o17 }} {{ 1_0.5 }} {{ 1e3 }} {{ 1E-2 }} {{ 00 }}
{{ 'a' 'b' "c" }} {{ "a\\nb" }} {{ 'it\\'s' }} {{ "\\x41\\u00e9\\U0001F916\\101\\7" }} {{ '\\d\\q' }} {{ "tab\\there" }}
{{ '\\é' }}{{ 'é' }}{{ "line\\
continued" }}
{{ true }}{{ True }}{{ false }}{{ False }}{{ none }}{{ None }}
{{ {'a': 1, 2: 'b', none: true, 1.5: [], (1, 2): 'tuple'} }}
{{ {1: 'a', 1.0: 'b', true: 'c'} }}
{{ {'x': {'y': "q'q"}} }}{{ ["a'b", 'a"b', 'a\\'b"c'] }}
{{ [1, 2,] }}{{ {'a': 1,} }}{{ (1, 2,) }}{{ 1, 2 }}
{{ [] is sequence }}{{ {}|string }}{{ ''|string|length }}
{{ [true, false, none, 1.0, -0.0, 1e100] }}
"""

OPERATORS = """
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 // -2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 7.5 % -2 }}
{{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }} {{ (-2) ** 3 }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }}
{{ 1 + 2 * 3 - 4 }} {{ (1 + 2) * 3 }} {{ 1 - 2 - 3 }} {{ 2 * 3 % 4 }} {{ -n }} {{ +n }} {{ - -n }} {{ 1 - -1 }}
{{ 'a' + 'b' }} {{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ 'a' * 0 }} {{ 'a' * -1 }} {{ [1] * 3 }} {{ [1] + [2] }} {{ (1,) + (2,) }} {{ (1, 2) * 2 }}
{{ 1 ~ 2 }} {{ 'a' ~ 1 ~ none ~ true ~ nothing ~ 1.0 }} {{ 1 ~ 2 * 3 }}
{{ true + true }} {{ true * 3 }} {{ -true }} {{ true / 2 }} {{ not true }} {{ not 0 }} {{ not '' }} {{ not none }}
{{ 1 < 2 }} {{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ 1 == '1' }} {{ 1 != 2 }} {{ 3 >= 3 }} {{ 'a' < 'b' }} {{ 'B' < 'a' }}
{{ [1, 2] < [1, 3] }} {{ (1, 2) < (1, 2, 0) }} {{ [1] == [1.0] }} {{ [1] == (1,) }} {{ {'a': 1} == {'a': 1.0} }} {{ none == none }} {{ true == 1 }}
{{ 1 in [1, 2] }} {{ 3 not in [1, 2] }} {{ 'a' in 'cat' }} {{ '' in 'cat' }} {{ 'a' in d }} {{ 'z' in d }} {{ 1 in (1,) }} {{ 5 in range(10) }} {{ 1.0 in range(3) }}
{{ 'x' in nothing }} {{ nothing == nothing2 }} {{ nothing != 1 }} {{ none in [none] }} {{ true in [1] }}
{{ 1 and 2 }} {{ 0 and 2 }} {{ 1 or 2 }} {{ 0 or '' }} {{ '' or 'x' }} {{ none or nothing or 'd' }} {{ 1 and 0 or 3 }} {{ not 1 == 2 }} {{ not (1 and 0) }}
{{ 'yes' if t else 'no' }} {{ 'yes' if no else 'no' }} {{ 'yes' if no }}| {{ 1 if 0 else 2 if 0 else 3 }} {{ ('a' if t) ~ 'b' }}
{{ '%s is %d' % ('x', 3) }} {{ '%s' % 'a' }} {{ '%5d|%-5d|%05d|%+d|% d' % (42, 42, 42, 42, 42) }} {{ '%.2f %e %g %G' % (3.14159, 31415.9, 0.00001, 1e20) }}
{{ '%x %X %o %#x %#o' % (255, 255, 8, 255, 8) }} {{ '%r %s %a' % ('é', 'é', 'é') }} {{ '%%' % () }} {{ '%(a)s-%(b)05.1f' % {'a': 1, 'b': 2.25} }} {{ '%c%c' % (65, 'B') }}
{{ '%*d|%-*d' % (5, 42, 5, 42) }} {{ '%.3s|%10.2s|' % ('abcdef', 'xyz') }} {{ '%s' % [1, 2] }} {{ '%s' % none }} {{ '%d' % 3.99 }} {{ '%i' % true }} {{ '%s' % nothing }}|
{{ '%s %s' % (l, d) }} {{ '%s' % {'a': 1} }} {{ '%5.1f%%' % 99.55 }} {{ '%010.3f' % -3.14159 }} {{ '%+.0e' % 12345 }} {{ '%#.0f' % 3 }} {{ '%g %g' % (100000, 1000000) }}
{{ 7 is odd }} {{ 5 > 3 and 2 > 1 or false }} {{ 1 + 1 == 2 }} {{ 'a' ~ 'b' == 'ab' }} {{ 1 if 'a' in 'b' or true else 2 }}
{{ 2.0 ** 3 }} {{ 10 // 3.0 }} {{ -10 // 3.0 }} {{ 1e308 * 10 }} {{ -1e308 * 10 }} {{ 0.5 % 1 }} {{ -0.5 % 1 }} {{ 5.0 // 0.3 }} {{ 1.0 % 0.1 }}
{{ 9007199254740993 == 9007199254740992.0 }} {{ 9007199254740993 > 9007199254740992.0 }} {{ 1 < 1.5 }} {{ 2 > 1.5 }}
"""

ACCESS = """
{{ d.a }} {{ d['a'] }} {{ d.b.c[0] }} {{ d['b']['c'][-1] }} {{ d.items() | list }} {{ d['items'] }} {{ d.missing }}| {{ d['missing'] }}| {{ d.get('x', 'dflt') }} {{ d.get('a') }} {{ d.get('x') }}
{{ l[0] }} {{ l[-1] }} {{ l[9] }}| {{ l.0 }} {{ s[0] }} {{ s[-1] }} {{ s[99] }}| {{ l['x'] }}| {{ (1, 2)[1] }} {{ u[2] }} {{ u[-1] }}
{{ l[:2] }} {{ l[1:] }} {{ l[::-1] }} {{ l[-2:] }} {{ l[5:] }} {{ l[:-1] }} {{ s[::2] }} {{ s[::-1] }} {{ s[1:8:3] }} {{ s[8:1:-3] }} {{ u[2:5] }} {{ u[::-1] }} {{ (1, 2, 3)[1:] }}
{{ s[none:3] }} {{ s[:none] }} {{ l[true:] }} {{ s[-100:100] }} {{ s[100:-100:-1] }} {{ range(10)[2:8:2] | list }} {{ range(10)[::-3] | list }} {{ range(5)[-1] }}
{{ d.keys() }} {{ d.values() }} {{ d.items() }} {{ d.keys() | list }} {{ d.keys() | length }} {{ 'a' in d.keys() }} {{ 1 in d.values() }} {{ ('a', 1) in d.items() }}
{{ d.copy() == d }} {{ l.copy() }} {{ l.count(1) }} {{ l.index(2) }} {{ (1, 2, 1).count(1) }} {{ (1, 2).index(2) }} {{ ed.keys() | list }} {{ dict(a=1).items() | first }}
{{ s.upper is defined }} {{ s.nope is defined }} {{ l.append is defined }} {{ s.__class__ is defined }} {{ d._x is defined }} {{ n.real }} {{ f.is_integer() }} {{ n.bit_length() }}
{{ messages[0].role }} {{ messages[-1]['tool_calls'][0].function.name }} {{ messages[0]['content'] | trim }} {{ messages | length }} {{ messages[1:] | length }}
{{ d['a'] is defined }} {{ d.a is defined }} {{ d.zzz is defined }} {{ d.zzz is none }} {{ messages[2].content is none }} {{ rows[2].tags is defined }}
{{ 'abc'.1 }} {{ [1, 2].0 }} {{ {'1': 'x'}['1'] }} {{ {1: 'x'}[1] }} {{ {1: 'x'}[1.0] }} {{ {1: 'x'}[true] }} {{ d[1] }}|{{ {(1,2): 3}[1, 2] }}
{{ range(3) }} {{ range(1, 7, 2) }} {{ range(3) | list }} {{ range(5, 0, -2) | list }} {{ range(0) | list }} {{ range(3).count(1) }} {{ range(3).index(2) }} {{ range(3).stop }}
{{ z.x }}|{{ n.x }}|{{ z['x'] }}|{{ t.real }}|{{ true.numerator }}
"""

STRING_METHODS = """
{{ s.upper() }} {{ s.lower() }} {{ s.title() }} {{ s.swapcase() }} {{ s.capitalize() }} {{ u.upper() }} {{ u.lower() }} {{ u.title() }} {{ u.capitalize() }} {{ u.casefold() }} {{ u.swapcase() }}
{{ 'ΑΣ ΣΑΣ Σ'.lower() }} {{ "they're bill's".title() }} {{ 'ǆ'.title() }} {{ 'ŉ'.upper() }} {{ 'İ'.lower() | length }} {{ 'ﬁ'.capitalize() }}
[{{ pad.strip() }}] [{{ pad.lstrip() }}] [{{ pad.rstrip() }}] [{{ 'xxaxx'.strip('x') }}] [{{ 'xyaxy'.lstrip('yx') }}] [{{ 'éaé'.strip('é') }}] [{{ 'a'.strip('') }}] [{{ ' a '.strip(none) }}]
{{ 'a,b,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ ' a  b '.split() }} {{ ' a  b c '.split(none, 1) }} {{ ' a  b c '.rsplit(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'aXXbXXc'.split('XX') }} {{ 'aaa'.split('aa') }} {{ 'aaa'.rsplit('aa') }} {{ 'a b'.split(sep=' ', maxsplit=1) }} {{ 'abc'.split('abc') }} {{ 'a,b'.split(',', 0) }} {{ ' a b '.split(none, 0) }} {{ ' a b '.rsplit(none, 0) }}
{{ ml.splitlines() }} {{ ml.splitlines(true) }} {{ 'a\\x0bb\\x0cc\\x1cd\\x85e\\u2028f'.splitlines() }} {{ ''.splitlines() }} {{ 'a\\n'.splitlines() }} {{ '\\n'.splitlines() }}
{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'abc'.partition('-') }} {{ 'abc'.rpartition('-') }}
{{ s.startswith('He') }} {{ s.startswith(('x', 'H')) }} {{ s.startswith('l', 2) }} {{ s.endswith('ld') }} {{ s.endswith(('a', 'd')) }} {{ s.startswith('') }} {{ s.endswith('o', 0, 5) }} {{ s.startswith(()) }} {{ s.startswith('', 99) }}
{{ s.replace('l', 'L') }} {{ s.replace('l', 'L', 2) }} {{ s.replace('', '-') }} {{ s.replace('', '-', 3) }} {{ s.replace('zz', 'y') }} {{ 'aaa'.replace('aa', 'b') }} {{ u.replace('é', 'e') }}
{{ ','.join(['a', 'b']) }} {{ ''.join([]) }} {{ ', '.join(d) }} {{ '-'.join('abc') }} {{ '-'.join(words | map('lower')) }}
{{ s.find('o') }} {{ s.find('o', 5) }} {{ s.rfind('o') }} {{ s.find('zz') }} {{ s.index('W') }} {{ s.rindex('l') }} {{ s.count('l') }} {{ s.count('') }} {{ u.find('🤖') }} {{ u.rfind('é') }} {{ s.find('', 99) }} {{ s.find('') }} {{ s.find('o', -5) }} {{ s.count('o', 5) }} {{ 'aaaa'.count('aa') }} {{ s.find('H', -99, -1) }}
[{{ 'ab'.center(7) }}] [{{ 'ab'.center(6, '*') }}] [{{ 'abc'.center(6, '*') }}] [{{ 'ab'.ljust(5, '.') }}] [{{ 'ab'.rjust(5) }}] [{{ '-42'.zfill(6) }}] [{{ '42'.zfill(1) }}] [{{ '+'.zfill(3) }}] [{{ 'a\\tb\\n\\tc'.expandtabs(4) }}] [{{ 'é'.center(4, 'ü') }}]
{{ 'abc'.isalpha() }} {{ 'ab1'.isalnum() }} {{ '12'.isdigit() }} {{ '²'.isdigit() }} {{ '²'.isdecimal() }} {{ '½'.isnumeric() }} {{ ' \\t'.isspace() }} {{ 'Ab'.istitle() }} {{ 'ab'.islower() }} {{ 'AB'.isupper() }} {{ 'a b'.isidentifier() }} {{ 'é'.isascii() }} {{ ''.isalpha() }} {{ ''.isascii() }} {{ '日本'.isalpha() }} {{ 'a\\x00'.isprintable() }} {{ '1'.islower() }} {{ 'ǅ'.istitle() }} {{ 'x1'.isidentifier() }} {{ '٣'.isdecimal() }} {{ '一'.isnumeric() }}
{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ 'x'.removeprefix('y') }} {{ 'x'.removesuffix('') }}
{{ '{} {}'.format(1, 'a') }} {{ '{1} {0}'.format(1, 2) }} {{ '{a} {b!r}'.format(a='x', b='y') }} {{ '{0[k]} {0.k}'.format({'k': 'v'}) }} {{ '{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{{}}'.format() }} {{ '{:05d} {:+d} {:,} {:_}'.format(42, 42, 1234567, 1234567) }} {{ '{:.2f} {:e} {:g} {:%} {:.0%}'.format(3.14159, 1234.5, 0.0001, 0.25, 0.5) }} {{ '{:x} {:#x} {:b} {:#b} {:o} {:X}'.format(255, 255, 5, 5, 8, 255) }} {{ '{:{w}}|'.format('a', w=5) }} {{ '{!s:>4}'.format(1) }} {{ '{:c}'.format(65) }} {{ '{:.3}'.format('abcdef') }} {{ '{:010,}'.format(1234567) }} {{ '{:,.2f}'.format(1234567.891) }}
{{ '{}'.format(none) }} {{ '{}'.format([1]) }} {{ '{0}{0}'.format('x') }} {{ '{:.3}'.format(3.14159) }} {{ '{:.1}'.format(123.0) }} {{ '{:6}|'.format(1.5) }} {{ '{:=+6}'.format(5) }} {{ '{:n}'.format(5) }} {{ '{a}'.format_map({'a': 1}) }} {{ '{:<06}'.format(5) }} {{ '{:d}'.format(true) }} {{ '{}'.format(true) }} {{ '{:5}|'.format(true) }}
{{ s.encode is defined }} {{ 'a'.join(['x', 'y', 'z']) }} {{ s.split('o') | join('0') }} {{ 'A'.lower().upper() }} {{ ('a' + 'b').upper() }} {{ ('%s' % 'x').upper() }}
"""

FILTERS = """
{{ -5 | abs }} {{ -2.5 | abs }} {{ neg | abs + 1 }} {{ true | abs }}
{{ d | attr('items') is defined }} {{ d | attr('a') }}| {{ s | attr('upper') is callable }} {{ s | attr('nope') }}|
{{ range(7) | batch(3) | list }} {{ range(7) | batch(3, 'x') | list }} {{ [] | batch(2) | list }} {{ range(7) | slice(3) | list }} {{ range(7) | slice(3, '-') | list }} {{ range(2) | slice(4, 0) | list }}
{{ 'hELLO' | capitalize }} {{ 5 | capitalize }} [{{ 'a' | center(5) }}] {{ 'hello wORLD-foo (bar) [baz' | title }} {{ u | title }} {{ none | upper }} {{ l | upper }}
{{ l | count }} {{ s | length }} {{ u | length }} {{ d | length }} {{ nothing | length }} {{ '' | count }}
{{ nothing | default('x') }} {{ nothing | d }}| {{ '' | default('x') }}| {{ '' | default('x', true) }} {{ none | default('x') }} {{ none | d('x', boolean=true) }} {{ 0 | default(1, true) }} {{ nothing | default }}| {{ d.zz | default('q') }}
{{ d | dictsort }} {{ {'b': 1, 'A': 2, 'c': 0} | dictsort }} {{ {'b': 1, 'A': 2} | dictsort(true) }} {{ {'b': 1, 'A': 2, 'c': 0} | dictsort(by='value') }} {{ {'b': 1, 'A': 2} | dictsort(reverse=true) }} {{ {'b': 'X', 'A': 'y'} | dictsort(false, 'value') }}
{{ html | e }} {{ html | escape }} {{ html | forceescape }} {{ 5 | e }} {{ html | safe }}
{{ 1000 | filesizeformat }} {{ 1 | filesizeformat }} {{ 0 | filesizeformat }} {{ 123456789 | filesizeformat }} {{ 123456789 | filesizeformat(true) }} {{ '5000' | filesizeformat }} {{ 999 | filesizeformat }} {{ 1e30 | filesizeformat }}
{{ l | first }} {{ [] | first }}| {{ 'abc' | first }} {{ d | first }} {{ l | last }} {{ 'abc' | last }} {{ [] | last }}| {{ d | last }} {{ range(3) | last }} {{ nothing | first }}|
{{ '3.5' | float }} {{ 'x' | float }} {{ 'x' | float(1.5) }} {{ 3 | float }} {{ none | float }} {{ '1e3' | float }} {{ ' 2 ' | float }} {{ 'inf' | float }} {{ 'nan' | float }} {{ '-Infinity' | float }} {{ '1_0.5' | float }} {{ '.5' | float }} {{ '5.' | float }} {{ '' | float }} {{ l | float }} {{ 'infx' | float }}
{{ '42' | int }} {{ '42.7' | int }} {{ 'x' | int }} {{ 'x' | int(9) }} {{ 3.9 | int }} {{ -3.9 | int }} {{ none | int }} {{ 'ff' | int(base=16) }} {{ '0xff' | int(0, 16) }} {{ '0b11' | int(0, 2) }} {{ true | int }} {{ ' 7 ' | int }} {{ '1_000' | int }} {{ '-5' | int }} {{ '+5' | int }} {{ '٣' | int }} {{ '1e3' | int }} {{ 'inf' | int }} {{ '010' | int }} {{ '0x1f' | int(0, 0) }}
{{ '%s-%s' | format('a', 1) }} {{ '%(x)s' | format(x=2) }} {{ 'plain' | format }}
{% for g in rows | groupby('ok') %}{{ g.grouper }}:{{ g.list | map(attribute='name') | join(',') }};{% endfor %} {% for k, v in rows | groupby('ok') %}{{ k }}={{ v | length }} {% endfor %} {{ rows | groupby('tags.0', default='none') | map('first') | list }} {{ [{'c': 'B'}, {'c': 'a'}, {'c': 'b'}] | groupby('c') }} {{ [{'c': 'B'}, {'c': 'b'}] | groupby('c', case_sensitive=true) }}
{{ ml | indent }}|{{ ml | indent(2, true) }}|{{ ml | indent(2, blank=true) }}|{{ ml | indent('> ') }}|{{ '' | indent }}|{{ 'a' | indent(4, true) }}|{{ 'a\\n' | indent(first=true) }}|
{{ l | join }} {{ l | join(', ') }} {{ rows | join('|', attribute='name') }} {{ rows | join(attribute='age') }} {{ 'abc' | join('-') }} {{ d | join(',') }} {{ [none, true, 1.0] | join(' ') }} {{ [] | join(',') }}| {{ nothing | join }}| {{ l | join(1) }}
{{ l | list }} {{ 'abc' | list }} {{ d | list }} {{ u | list }} {{ none | string }} {{ 1.0 | string + 'x' }} {{ (1, 2) | list }}
{{ d | items | list }} {{ nothing | items | list }} {% for k, v in d | items %}{{ k }}={{ v }};{% endfor %}
{{ words | map('upper') | list }} {{ rows | map(attribute='name') | list }} {{ rows | map(attribute='tags', default='-') | list }} {{ rows | map(attribute='tags.0', default='-') | list }} {{ [[1, 2], [3]] | map('sum') | list }} {{ words | map('replace', 'a', 'o') | list }} {{ l | map('string') | join }} {{ rows | map(attribute='nope') | list }} {{ [] | map('nope') | list }} {{ [' a '] | map('trim') | first }} {{ ['x'] | map('default', 'y') | list }}
{{ l | min }} {{ l | max }} {{ words | min }} {{ words | max }} {{ words | max(case_sensitive=true) }} {{ rows | max(attribute='age') }} {{ [] | max }}| {{ rows | map(attribute='age') | min }} {{ 'hello' | max }}
{{ range(6) | select('odd') | list }} {{ range(6) | reject('odd') | list }} {{ [0, 1, '', 'a', none] | select | list }} {{ [0, 1, '', 'a', none] | reject | list }} {{ range(9) | select('divisibleby', 3) | list }} {{ l | select('>', 1) | list }} {{ l | select('in', [1, 2]) | list }} {{ mixed | select('string') | list }} {{ mixed | select('number') | list }} {{ mixed | reject('none') | list }} {{ [] | select('nope') | list }}
{{ rows | selectattr('ok') | map(attribute='name') | list }} {{ rows | rejectattr('ok') | map(attribute='name') | list }} {{ rows | selectattr('age', '>', 1) | map(attribute='age') | list }} {{ rows | selectattr('name', 'equalto', 'x') | list | length }} {{ rows | selectattr('tags', 'defined') | list | length }} {{ messages | selectattr('role', 'ne', 'system') | list | length }} {{ messages | rejectattr('role', 'in', ['user', 'system']) | map(attribute='role') | list }}
{{ s | replace('l', 'L') }} {{ s | replace('l', 'L', 1) }} {{ 5 | replace(5, 'five') }} {{ none | replace('o', 'x') }} {{ s | replace('o', 0) }} {{ s | replace('l', 'x', none) }}
{{ s | reverse }} {{ l | reverse | list }} {{ u | reverse }} {{ d | reverse | list }} {{ range(3) | reverse | list }} {{ l | map('string') | reverse | list }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 42.55 | round(1, 'floor') }} {{ 42.51 | round(1, 'ceil') }} {{ 42.55 | round | int }} {{ 1234 | round(-2) }} {{ 7 | round }} {{ 15 | round(-1) }} {{ 25 | round(-1) }} {{ -2.5 | round }} {{ 1e20 | round }} {{ 0.1 | round(20) }} {{ 1234.567 | round(-2) }} {{ 2.5 | round(0, 'ceil') }} {{ true | round }} {{ -1.05 | round(1) }}
{{ l | sort }} {{ l | sort(reverse=true) }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ rows | sort(attribute='age') | map(attribute='name') | list }} {{ rows | sort(attribute='ok,name') | map(attribute='name') | list }} {{ 'hello' | sort }} {{ d | sort }} {{ words | sort(reverse=true) }} {{ [true, 0, 2.5] | sort }} {{ [[2, 1], [1, 2], [1]] | sort }} {{ rows | sort(true, attribute='ok') | map(attribute='name') | list }}
{{ l | string }} {{ s | string }} {{ none | string | length }}
{{ '<p>a <b>b</b>  c</p><!-- x --> d' | striptags }} {{ '1 < 2' | striptags }}
{{ l | sum }} {{ rows | sum(attribute='age') }} {{ l | sum(start=10) }} {{ [] | sum }} {{ [[1], [2]] | sum(start=[]) }} {{ [0.1, 0.2] | sum }} {{ [true, 2] | sum }}
[{{ pad | trim }}] [{{ 'xxax' | trim('x') }}] [{{ 5 | trim }}] [{{ none | trim }}] [{{ nothing | trim }}]
{{ 'foo bar baz qux' | truncate(9) }} {{ 'foo bar baz qux' | truncate(9, true) }} {{ 'foo bar baz qux' | truncate(11) }} {{ 'foo bar baz qux' | truncate(11, false, '...', 0) }} {{ 'foobarbazqux' | truncate(6, end='~', leeway=0) }} {{ u | truncate(8, true, '', 0) }}
{{ words | unique | list }} {{ words | unique(case_sensitive=true) | list }} {{ rows | unique(attribute='ok') | map(attribute='name') | list }} {{ [1, 1.0, true, '1'] | unique | list }} {{ 'hello' | unique | join }}
{{ 'a b/c?d=é&f' | urlencode }} {{ {'a': 1, 'b c': 'd/e'} | urlencode }} {{ [('x', 'y z')] | urlencode }} {{ 5 | urlencode }}
{{ 'a few words, three-ish: 4 _x' | wordcount }} {{ '' | wordcount }} {{ u | wordcount }}
{{ 'The quick brown fox jumps' | wordwrap(10) }}|{{ 'averyverylongword here' | wordwrap(6) }}|{{ 'averyverylongword here' | wordwrap(6, false) }}|{{ 'a b c d' | wordwrap(3, wrapstring='/') }}|{{ 'well-known hyphen-ated' | wordwrap(8) }}|{{ ml | wordwrap(4) }}|
{{ {'class': 'a b', 'id': none, 'x': 1, 'y': html} | xmlattr }} {{ {'a': 1} | xmlattr(false) }}
{{ d | tojson }} {{ mixed | tojson }} {{ u | tojson }} {{ ctl | tojson }} {{ html | tojson }} {{ (1, 2) | tojson }} {{ 1.0 | tojson }} {{ 1e16 | tojson }} {{ none | tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }} {{ '' | tojson }} {{ [] | tojson }} {{ {} | tojson }} {{ big | tojson }} {{ ('inf' | float) | tojson }} {{ ('nan' | float) | tojson }}
{{ nested | tojson(indent=2) }} {{ ed | tojson(indent=2) }} {{ [[]] | tojson(indent=4) }} {{ l | tojson(indent=0) }} {{ d | tojson(indent='--') }} {{ l | tojson(indent=none) }}
{{ d | tojson(separators=(',', ':')) }} {{ d | tojson(indent=1, separators=[';', '=']) }} {{ {'b': 1, 'a': {'d': 1, 'c': 2}} | tojson(sort_keys=true) }} {{ u | tojson(ensure_ascii=true) }} {{ u | tojson(true) }} {{ tools | tojson(indent=4) }}
{{ l | first + 1 }} {{ -1 | abs }} {{ (-1) | abs }} {{ s | upper | lower | title }} {{ 'a' ~ 'b' | upper }} {{ ('a' ~ 'b') | upper }} {{ 'x' if t else 'y' | upper }} {{ s|length > 3 }} {{ [1, 2] | length == 2 }} {{ not s | length }}
{{ l | map('abs') is iterable }} {{ l | sort is sequence }} {{ l | select is sequence }} {{ 1 if [] | length else 2 }}
"""

TESTS = """
{{ 1 is odd }} {{ 2 is even }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(4) }} {{ s is defined }} {{ nothing is defined }} {{ nothing is undefined }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }} {{ 'x' is test }}
{{ none is none }} {{ 0 is none }} {{ true is boolean }} {{ 1 is boolean }} {{ false is false }} {{ 0 is false }} {{ true is true }} {{ 1 is true }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is integer }} {{ 1.0 is float }} {{ 'a' is lower }} {{ 'A' is upper }} {{ 5 is lower }}
{{ 'a' is string }} {{ 1 is string }} {{ {} is mapping }} {{ [] is mapping }} {{ 1 is number }} {{ 1.5 is number }} {{ true is number }} {{ '1' is number }} {{ [] is sequence }} {{ {} is sequence }} {{ 'a' is sequence }} {{ 1 is sequence }} {{ range(3) is sequence }} {{ () is sequence }} {{ d.items() is sequence }} {{ nothing is sequence }}
{{ [] is iterable }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ none is iterable }} {{ nothing is iterable }} {{ d is iterable }} {{ range is callable }} {{ s.upper is callable }} {{ s is callable }} {{ nothing is callable }} {{ dict is callable }} {{ d.items() is iterable }}
{{ none is sameas none }} {{ true is sameas(true) }} {{ 1 is sameas true }} {{ s is escaped }} {{ 1 is in [1] }} {{ 1 is in([2]) }} {{ 'a' is in 'abc' }} {{ 1 is eq 1 }} {{ 1 is equalto(2) }} {{ 1 is ne 2 }} {{ 2 is gt 1 }} {{ 2 is greaterthan 1 }} {{ 2 is ge 2 }} {{ 1 is lt 2 }} {{ 1 is lessthan(2) }} {{ 1 is le 1 }}
{{ 1 is not odd }} {{ nothing is not defined }} {{ s is not none and s is string }} {{ not s is string }} {{ 1 is odd and 2 is even }} {{ 3 is odd or false }} {{ 'x' if 3 is odd else 'y' }}
{{ n is divisibleby 7 and t }} {{ -1 is odd }} {{ 1.5 is odd }} {{ 2.0 is even }} {{ d.b is mapping }} {{ d.b.c is sequence and d.b.c is not string }} {{ messages[2].content is none }} {{ messages[0].content is string }} {{ (1 is odd) is boolean }} {{ d.a is number }}
"""

STATEMENTS = [
    "{% if t %}a{% endif %}{% if no %}b{% else %}c{% endif %}{% if no %}1{% elif t %}2{% else %}3{% endif %}{% if nothing %}x{% elif nothing2 %}y{% endif %}",
    "{% for x in l %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.cycle('a', 'b') }} {{ loop.changed(x // 2) }};{% endfor %}",
    "{% for x in [] %}a{% else %}empty{% endfor %}{% for x in nothing %}a{% else %}undef{% endfor %}{% for x in l %}{% else %}no{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in 'abc' %}{{ c }}.{% endfor %}{% for c in u %}{{ c }}|{% endfor %}",
    "{% for x in range(10) if x is odd %}{{ loop.index }}:{{ x }}/{{ loop.length }} {% endfor %}",
    "{% for x in range(10) if x > 3 if t else 0 %}{{ x }}{% endfor %}",
    "{% for x in l if x > 100 %}a{% else %}none{% endfor %}",
    "{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in l %}{% break %}{% else %}else after break{% endfor %}{% for x in l %}{% continue %}{% else %}else after continue{% endfor %}{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{% else %}E{% endfor %}",
    "{% for i in range(3) %}{% for j in range(3) %}{% if j == 1 %}{% continue %}{% endif %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
    "{% for a in [1, 2] %}{% for b in [] %}x{% else %}{% break %}{% endfor %}never{% endfor %}done",
    "{% for n in tree recursive %}{{ n.v }}@{{ loop.depth }}{{ loop.depth0 }}{% if n.kids %}({{ loop(n.kids) }}){% endif %}{% endfor %}",
    "{% for n in tree recursive %}[{{ loop.index }}/{{ loop.length }}:{{ n.v }}{{ loop(n.kids or []) }}]{% else %}-{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3)), (4, (5, 6))] %}{{ a }}{{ b }}{{ c }} {% endfor %}{% for (a, b) in [[1, 2]] %}{{ a }}{{ b }}{% endfor %}",
    "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% for x in l %}{% set outer = loop %}{% for y in 'ab' %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for m in l | map('string') %}{{ loop.length }}{{ loop.last }}{{ m }} {% endfor %}{% for m in l | map('string') %}{{ m }}{{ loop.last }}{{ loop.length }}{{ loop.nextitem }} {% endfor %}",
    "{% set x = 1 %}{% for i in l %}{% set x = i %}{{ x }}{% endfor %}{{ x }}",
    "{% for i in l %}{% if loop.first %}{% set y = 'set' %}{% endif %}[{{ y }}]{% endfor %}[{{ y }}]",
    "{% set ns = namespace(a=1, b='x') %}{% for i in l %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }}{{ ns.b }}{{ ns.c }}|{% set ns.c = [1] %}{{ ns.c }}{{ ns['a'] }}{{ ns is mapping }}{{ ns }}",
    "{% set ns = namespace() %}{% set ns.self = ns %}{{ ns }}{% set ns2 = namespace({'k': 1}, z=2) %}{{ ns2.k }}{{ ns2.z }}{{ namespace([('a', 1)]).a }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (a, b) = (b, a) %}{{ a }}{{ b }}{% set a = 1, 2 %}{{ a }}{% set ns = namespace() %}{% set ns.x, ns.y = 'pq' %}{{ ns.x }}{{ ns.y }}",
    "{% set x %}block {{ n }}{% endset %}[{{ x }}]{% set x | upper | trim %} filtered {% endset %}[{{ x }}]{% set ns = namespace() %}{% set ns.t %}in ns{% endset %}{{ ns.t }}",
    "{% if t %}{% set v = 1 %}{% else %}{% set v = 2 %}{% endif %}{{ v }}{% if no %}{% set n = 99 %}{% endif %}{{ n }}{% if no %}{% set fresh = 1 %}{% endif %}[{{ fresh }}]",
    "{{ n }}{% set n = 8 %}{{ n }}{% for i in [1] %}{{ n }}{% set n = 9 %}{{ n }}{% endfor %}{{ n }}",
    "{% for i in [1, 2] %}{{ late }}{% endfor %}{% set late = 5 %}{% for i in [1] %}{{ late }}{% endfor %}",
    "{% for i in [1] %}{{ n }}{% endfor %}{% set n = 5 %}{{ n }}",
    "{% with %}{% set w = 1 %}{{ w }}{% endwith %}[{{ w }}]{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}{% with n = 1 %}{% with m = n %}{{ m }}{% endwith %}{% endwith %}{{ n }}",
    "{% with a = 1, b = a %}[{{ b }}]{% endwith %}{% with a, b = (1, 2) %}{{ a }}{{ b }}{% endwith %}",
    "{% filter upper %}hello {{ s }}{% endfilter %}{% filter replace('a', 'b') | upper %}banana{% endfilter %}{% filter indent(2) %}a\nb{% endfilter %}",
    "{% filter upper %}{% set inner = 1 %}{% endfilter %}[{{ inner }}]",
    "{% macro m(a, b='B') %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b=3, a=4) }}{{ m() }}{{ m(a=none) }}{{ m(*[7, 8]) }}{{ m(**{'a': 9}) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m() }}{{ m(1, 2, x=3) }}{% macro k(a) %}{{ a }}{{ varargs }}{{ kwargs | tojson }}{% endmacro %}{{ k(1, 2, b='c') }}",
    "{% macro m(x) %}<{{ caller() }}{{ x }}>{% endmacro %}{% call m(1) %}body {{ n }}{% endcall %}{% macro l2(items) %}{% for i in items %}{{ caller(i, loop.index) }}{% endfor %}{% endmacro %}{% call(i, j) l2(['a', 'b']) %}({{ i }}{{ j }}){% endcall %}",
    "{% macro m(caller=none) %}{{ caller is none }}{% endmacro %}{{ m() }}{% call m() %}x{% endcall %}",
    "{% macro fact(n) %}{% if n <= 1 %}1{% else %}{{ n * fact(n - 1) | int }}{% endif %}{% endmacro %}{{ fact(5) }}",
    "{% macro a() %}A{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}{{ a.name }}{{ a.arguments }}{{ a is callable }}{{ b.catch_kwargs }}{{ a }}",
    "{% macro scope() %}[{{ n }}{% set n = 1 %}{{ n }}{{ glob }}]{% endmacro %}{% set glob = 'g' %}{{ scope() }}{{ n }}{% set glob = 'h' %}{{ scope() }}",
    "{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{% macro k(a=n, n=1) %}{{ a }}{{ n }}{% endmacro %}{{ k() }}",
    "{% set r %}{{ m2 is defined }}{% macro m2() %}x{% endmacro %}{{ m2() }}{% endset %}{{ r }}{{ m2 is defined }}",
    "{% set total = namespace(v='') %}{% macro add(x) %}{% set total.v = total.v ~ x %}{% endmacro %}{{ add(1) }}{{ add(2) }}{{ total.v }}",
    "{% generation %}gen {{ s }}{% set g = 1 %}{% endgeneration %}[{{ g }}]",
    "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.tool_calls | tojson }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}",
    "{% print s, n %}{% print 'x' %}{% autoescape false %}{{ html }}{% set ae = 1 %}{% endautoescape %}[{{ ae }}]",
    "{% set c = cycler('a', 'b', 'c') %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.current }}{% set j = joiner('; ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}{% set k = joiner() %}{{ k() }}{{ k() }}",
    "{{ dict(a=1, b=2) }}{{ dict({'a': 1}, b=3) }}{{ dict([('x', 1)]) }}{{ dict.fromkeys(['a', 'b'], 0) }}{{ {}.fromkeys('ab') }}",
    "{{ strftime_now('%Y-%m-%d %H:%M:%S %j %a %A %b %B %d %e %p %I %y %% %U %w %u %V %G %-d %D %F %T %R %f %Z%z') }}",
    "{{ strftime_now('%d %b %Y') }}",
    "{% for x in [1, 2, 3] %}{% set y = x %}{% if x == 2 %}{% break %}{% endif %}{% endfor %}[{{ y }}]",
    "{% set lst = [] %}{% for x in l %}{% set lst = lst + [x] %}{% endfor %}{{ lst }}",
    "{% if 1, %}tuple{% endif %}{% if (1, 2) == (1, 2) %}eq{% endif %}{% if not (t and no) %}x{% endif %}",
    "{% if t -%}  a  {%- endif %}{% if t +%}  b  {%+ endif %}",
    "{% set loop_messages = messages[1:] %}{% set sys = messages[0]['content'] %}{% for message in loop_messages %}{{ bos_token if loop.first }}{{ message['role'] }}{{ sys if loop.index0 == 0 else '' }}{% endfor %}",
    "{% set x = 'a' if no else 'b' %}{{ x }}{% set y = (1 if t else 2) + 1 %}{{ y }}{% set w = x if x == 'q' %}[{{ w }}]",
    "{% for x in d | dictsort %}{{ x[0] }}{{ x[1] }}{% endfor %}{% for x in (1, 2) %}{{ x }}{% endfor %}{% for x in 1, 2 %}{{ x }}{% endfor %}",
    "{% for loop_var in [1] %}{{ loop is defined }}{% endfor %}{{ loop is defined }}",
    "{% macro m() %}{{ loop is defined }}{% endmacro %}{% for x in [1] %}{{ m() }}{% endfor %}",
    "{% for x in [1, 2] %}{% macro m() %}{{ loop.index }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% for i in range(2) %}{% set v %}{{ loop.index }}{% endset %}{{ v }}{% endfor %}",
    "{% for i in range(2) %}{% filter upper %}a{{ loop.index }}{% endfilter %}{% with q = loop.index %}{{ q }}{% endwith %}{% endfor %}",
    "{% macro outer() %}{% macro inner(x) %}<{{ x }}{{ caller() if caller }}>{% endmacro %}{{ inner(1) }}{% endmacro %}{{ outer() }}",
    "{% set f = s.upper %}{{ f() }}{% set g = d.get %}{{ g('a') }}{{ range(3) | map('string') | map('upper') | list }}",
    "{% for a in [[1, 2], [3]] %}{% for b in a %}{{ loop.length }}{% endfor %}{{ loop.length }}{% endfor %}",
    "{% set it = l | map('string') %}{{ it | first }}{{ it | list }}{{ it | list }}",
    "{% for x in l %}{% set ns = namespace(i=x) %}{% for y in l if y > ns.i %}{{ y }}{% set ns.i = ns.i + 1 %}{% endfor %};{% endfor %}",
    "{{ l is defined and l }}{{ (l | length) if l else 'none' }}{{ [x, y] }}{{ {'k': nothing} }}{{ [nothing] }}",
    "{% if messages[0].role == 'system' and messages[0].content %}{{ messages[0].content }}{% endif %}{% if tools is defined and tools %}{{ tools | length }}{% endif %}{% if documents %}d{% endif %}",
    "{% set x = 0 %}{% if x is defined %}{% set x = x + 1 %}{{ x }}{% endif %}{% set x = x + 1 %}{{ x }}",
    "{% macro r(items) %}{% for i in items %}{% if i is iterable and i is not string and i is not mapping %}[{{ r(i) }}]{% else %}{{ i }}{% endif %}{% endfor %}{% endmacro %}{{ r(nested) }}",
]

WHITESPACE = [
    "  {% if t %}\n    a\n  {% endif %}\nb\n",
    "a\n  {%- if t %}\n b{% endif -%}\n\n c",
    "{% if t %}\n\n  x\n\n{% endif %}\n",
    "  {{ n }}\n  {{- n }}\n{{ n -}}  \n x",
    "  {# comment #}\n  a {# b #} c\n{#- x -#}\n d\n {#+ y +#}\n",
    " {%+ if t %}a{%+ endif %}b",
    "\t{% set x = 1 %}\n\t{% set y = 2 %}\nz",
    "a {% set x = 1 %} b\n {% set x = 1 %} c\n",
    "x\n\n{% if t %}y{% endif %}\n\nz\n\n",
    "x\r\ny\r{% if t %}\r\nz\r\n{% endif %}\r\n",
    "{% raw %}{{ not }} {% this %}{% endraw %}",
    "  {% raw %}\n  {{ x }}\n  {% endraw %}\nq",
    "a {%- raw -%}  b  {%- endraw -%}  c",
    "{% raw -%}\n x {%+ endraw +%}\n y",
    "{{ '{{' }}{{ '%}' }}{{ \"}}\" }}",
    "{{ {'a': {'b': 1}} }}{{ {'a': 1}['a'] }}{{ {} }}",
    "{ {x} } {% if t %}{ {%endif%}{%  if t%}x{%endif  %}{{n}}{{-n-}} {{+n}}",
    "{#{{ x }}{% y %}#}z{# multi\nline #}w",
    "a\u00a0{%- if t -%}\u2003b{% endif %}\u3000{{- n }}",
    "{% for x in l %}\n  {{ x }}\n{% endfor %}\n",
    "{% for x in l -%}\n  {{ x }}\n{%- endfor %}\n",
    "{%- for x in l %}\n  {%- if x == 1 %}\n    one\n  {%- else %}\n    {{ x }}\n  {%- endif %}\n{%- endfor %}\n",
    "line\n   {%- set x = 1 -%}   \nnext {%- set y = 1 %} end",
    "{% set x %}\n  a\n{% endset %}\n[{{ x }}]",
    "{% macro m() %}\n  body\n{% endmacro %}\n[{{ m() }}]\n[{{- m() -}}]",
    "\n\n{{ n }}\n\n",
    "\n",
    "",
    "no tags at all\n",
    "{{ n }}\n",
    "{{ n }}\n\n",
    "{{ ''\n }}{{ n\n\n}}\n{{ q }}",
    "{% if t %}a{% endif %}\n{% if t %}b{% endif %}\n\n{% if t %}c{% endif %}",
    "  {% if t %}  {% if t %}  x  {% endif %}  {% endif %}  ",
    "é  {% if t %}\n日本 {%- endif %}\n 🤖 {{- n }}",
    "{#- a -#}  {#- b -#}  c",
    "{% if t %}{# c #}\n{% endif %}x\n  {# d #}  \ny",
    "{{ n }}{% if t %} \n {% endif %}{{ n }}",
    "text {{ n }}\n  {% if t %}\n  text {{ n }}\n  {% endif %}\n",
    "{%if t%}a{%else%}b{%endif%}{%for x in l%}{{x}}{%endfor%}",
    "{% if t: %}colon{% endif %}{% for x in l: %}{{ x }}{% else: %}{% endfor %}",
    "<|im_start|>{{ '\n' }}{{ '\\n' }}{{ \"\t\" }}|",
    "{{ n }} {{- ' a ' -}} {{ n }}",
    "{{- n -}}{%- set q = 1 -%}{#- c -#}",
    "a{{ '' }}\nb{{ none }}\nc{{ nothing }}\n",
]

ERRORS = """
{{ nothing.x }}
{{ nothing['x'] }}
{{ nothing() }}
{{ nothing + 1 }}
{{ 1 + nothing }}
{{ nothing < 1 }}
{{ -nothing }}
{{ d.x.y }}
{{ d['x']['y'] }}
{{ l[9].x }}
{{ none.x.y }}
{{ 'a' + 1 }}
{{ 'a' + none }}
{{ 1 + 'a' }}
{{ none + 'a' }}
{{ [1] + (2,) }}
{{ 1 < 'a' }}
{{ none < 1 }}
{{ {} < {} }}
{{ 1 / 0 }}
{{ 1 // 0 }}
{{ 1 % 0 }}
{{ 1.0 / 0 }}
{{ 0 ** -1 }}
{{ 1 in 5 }}
{{ 1 in 'a' }}
{{ 1 in none }}
{{ [] in {} }}
{{ {[]: 1} }}
{{ l.append(1) }}
{{ d.update({}) }}
{{ d.pop('a') }}
{{ l.sort() }}
{{ s.__class__ }}
{{ s.__class__.__mro__ }}
{{ l.append }}{{ l.append() }}
{{ range(1000000) }}
{{ range(1, 2, 0) }}
{{ range('a') }}
{{ range() }}
{{ raise_exception('my message') }}
{{ raise_exception('a' ~ n) }}
{% if no %}{{ raise_exception('not reached') }}{% else %}ok{% endif %}
{{ s.nope() }}
{{ s() }}
{{ n() }}
{{ s.upper(1) }}
{{ s.split('') }}
{{ s.index('zzz') }}
{{ ','.join([1]) }}
{{ s.startswith(1) }}
{{ 'a'.center() }}
{{ 'a'.center(5, 'xx') }}
{{ l.index(99) }}
{{ '%d' % 'a' }}
{{ '%s %s' % 'a' }}
{{ '%s' % (1, 2) }}
{{ '%q' % 1 }}
{{ '%' % 1 }}
{{ '{} {}'.format(1) }}
{{ '{a}'.format(1) }}
{{ '{'.format() }}
{{ '}'.format() }}
{{ '{:d}'.format('a') }}
{{ '{:q}'.format(1) }}
{{ '{0.__class__}'.format(1) }}
{{ '{:>5}'.format(none) }}
{% for x in 5 %}{% endfor %}
{% for x in none %}{% endfor %}
{% for a, b in [1] %}{% endfor %}
{% for a, b in [[1]] %}{% endfor %}
{% for a, b in [[1, 2, 3]] %}{% endfor %}
{% set a, b = 1 %}
{% for x in l %}{{ loop(l) }}{% endfor %}
{% for x in l %}{{ loop.cycle() }}{% endfor %}
{% set x.y = 1 %}
{% set d.y = 1 %}
{% set ns = namespace(_x=1) %}
{% set ns = namespace() %}{% set ns._x = 1 %}
{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}
{% macro m(a) %}{% endmacro %}{{ m(b=1) }}
{% macro m(a) %}{% endmacro %}{{ m(1, a=1) }}
{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}
{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}
{{ l | first | upper | nope }}
{% if no %}{{ l | nope }}{% endif %}ok
{% if t %}{{ l | nope }}{% endif %}
{{ 1 is nope }}
{{ 'x' if t else l | nope }}
{{ none | length }}
{{ 5 | first }}
{{ 5 | list }}
{{ none | join }}
{{ 'abc' | abs }}
{{ none | round }}
{{ mixed | sort }}
{{ mixed | max }}
{{ ['a', 1] | sum }}
{{ 5 | dictsort }}
{{ 5 | items }}{{ 5 | items | list }}
{{ l | map | list }}
{{ l | map('nope') | list }}
{{ l | select('nope') | list }}
{{ l | selectattr | list }}
{{ l | sum(attribute='x') }}
{{ l | groupby('x') }}
{{ {'a': nothing} | tojson }}
{{ range(3) | tojson }}
{{ {(1, 2): 1} | tojson }}
{{ s | replace }}
{{ s | center('x') }}
{{ s | indent([]) }}
{{ s | truncate(1) }}
{{ 5 | round(method='x') }}
{{ nothing | abs }}
{{ nothing | int }}
{{ nothing | tojson }}
{{ l | last(1) }}
{{ l | batch }}
{{ l | map('string') | last }}
{{ l | select | length }}
{{ l[1:2:0] }}
{{ d[1:2] }}
{{ n[1:2] }}
{{ l['a':] }}
{{ nothing[1:] }}
{{ s | xmlattr }}
{{ {'a b': 1} | xmlattr }}
{{ cycler() }}
{{ dict(1) }}
{{ dict([1]) }}
{{ '' | wordwrap(0) }}{{ 'a' | wordwrap(0) }}
{{ strftime_now() }}
{{ strftime_now(5) }}
{{ s.format_map() }}
{{ 'abc' is divisibleby 2 }}
{{ none is odd }}
{{ nothing is odd }}
{{ [] is filter }}
{{ loop.index }}
"""

SYNTAX_ERRORS = [
    "{{ }}", "{{ 1 + }}", "{{ (1 }}", "{{ [1, 2 }}", "{{ 1) }}", "{{ (1] }}", "{{ 'abc }}", "{{ a b }}", "{{ 1..2 }}",
    "{{ a.}}", "{{ a.'x' }}", "{{ a|}}", "{{ a|5 }}", "{{ a is }}", "{{ a is b is c }}", "{{ a! }}", "{{ a ? b }}",
    "{{ a = 1 }}", "{{ {1} }}", "{{ {1: } }}", "{{ f(a=1, 2) }}", "{{ f(**a, *b) }}", "{{ f(a b) }}", "{{ not }}",
    "{{ a if }}", "{{ @ }}", "{{ $x }}", "{{ a & b }}", "{{ a; b }}", "{{ 1 if 2 else }}", "{{ x", "{% if x %}",
    "{% if %}{% endif %}", "{% endif %}", "{% for x %}{% endfor %}", "{% for x in %}{% endfor %}",
    "{% for in x %}{% endfor %}", "{% for 1 in x %}{% endfor %}", "{% for x in y %}", "{% for x in y %}{% endif %}",
    "{% else %}", "{% if a %}{% else %}{% else %}{% endif %}", "{% set %}", "{% set 1 = 2 %}", "{% set x = %}",
    "{% set x.y.z = 1 %}", "{% set true = 1 %}", "{% set x[0] = 1 %}", "{% set x %}", "{% macro %}{% endmacro %}",
    "{% macro m %}{% endmacro %}", "{% macro m(1) %}{% endmacro %}", "{% macro m(a=1, b) %}{% endmacro %}",
    "{% macro m() %}", "{% call x %}{% endcall %}", "{% call %}{% endcall %}", "{% filter %}{% endfilter %}",
    "{% filter nope %}{% endfilter %}", "{% with x %}{% endwith %}", "{% with 1 = 2 %}{% endwith %}", "{% raw %}x",
    "{# never closed", "{% unknown %}", "{% 5 %}", "{% %}", "{% if a %}{% endfor %}{% endif %}", "{{ '\\x4' }}",
    "{{ '\\uD800' }}{{ '\\u12' }}", "{% break %}", "{% continue %}", "{% for x in y %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for loop in x %}{{ loop }}{% endfor %}", "{% for x in y %}{% set loop = 1 %}{% endfor %}", "{% generation %}x",
    "a\nb\n{{ c d }}", "a\n{% if x %}\n\n{% endfor %}", "line1\n\n\n{{ 'unterminated", "{# x #}\n{{ 1 + }}",
    "{{ a\n.b\n.c\n|nope }}", "{%- if x -%}\n\n\n{{ ) }}", "{% macro m(caller) %}{{ caller() }}{% endmacro %}",
    "{{ ½ }}", "{{ a§b }}", "{{ 1é }}", "{{ f(a=1, a=2) }}", "{% macro m(a, a) %}{% endmacro %}",
    "{{ 'a'|upper( }}", "{{ [,] }}", "{{ {,} }}", "{{ (,) }}", "{{ f(,) }}", "{{ a[] }}", "{{ a[1:2:3:4] }}", "{{ *a }}",
]
