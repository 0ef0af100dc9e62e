"""Writes cases.json: small templates of our own with what Jinja2 makes of them, as transformers sets it up.

Usage: make_cases.py > cases.json. Every case is rendered with DATA as its context.
"""
import json
import sys

from make_expected import environment, outcome
from jinja2.sandbox import SandboxedEnvironment

DATA = {
    "name": "Zoë", "n": 7, "x": 2.5, "yes": True, "no": False, "nil": None, "empty": [], "text": "  Hello, World  ",
    "words": ["pear", "Apple", "fig", "apple"], "nested": [[1, 2], [3, 4]], "numbers": [3, 1, 2],
    "people": [{"name": "Ann", "age": 30, "home": {"city": "Oslo"}}, {"name": "bob", "age": 25, "home": {"city": "Rome"}},
               {"name": "Cy", "age": 30, "home": {"city": "oslo"}}],
    "d": {"b": 2, "a": 1, "C": 3, "items": "own", "it's": "q\"q", "_under": 5}, "lines": "a\nb\n\nc", "html": "<b>&'\"</b>",
}

EXPRESSIONS = r"""
1 + 2 * 3 - 4 / 2
7 // 2, -7 // 2, 7 % 3, -7 % 3, 2 ** 10, 2 ** -1, 7.5 // 2, -7.5 % 2
1 / 3, 1e16, 1e15, 123456789.125, 1e-5, 0.0001, -0.0, 1e300 * 10
0x1F + 0b11 + 0o17 + 1_000
"a" + "b" ~ 1 ~ none ~ true ~ 2.0 ~ [1, "x"] ~ {"k": nil}
"ab" * 3, [1, 2] * 2, 2 * "xy", "ab" * -1
[1, 2] + [3], (1,) + (2, 3)
1 < 2 < 3, 1 < 3 < 2, 1 == 1.0, true == 1, "a" < "b", [1, 2] < [1, 3], none == false
"ell" in "hello", 2 in [1, 2], "a" in d, "z" not in d, 3 in nested, "x" in missing
yes and "b", no and "b", "" or "c", nil or 0, not no, not "x" in "xyz"
1 if yes else 2, 1 if no else 2, (1 if no), "a" if no else "b" if no else "c"
missing, missing is defined, d.x is defined
missing is none, nil is none, n is number, x is float, n is integer, yes is integer, yes is boolean, yes is number
name is string, words is sequence, d is mapping, d is sequence, n is iterable, missing is iterable, words is iterable
n is odd, n is even, n is divisibleby 7, n is divisibleby(3), "a" is in "abc", n is eq 7, n is ne(7), n is gt 6, n is le 7
"abc" is lower, "ABC" is upper, "a1" is lower, "1" is lower, range is callable, n is callable, 1 is sameas true
n is not odd, name is not string and yes, yes is true, no is false, n is true
n is equalto 7, n is greaterthan 3, n is lessthan 3, "e" is filter, "upper" is filter, "odd" is test
name[0], name[-1], name[9], name[1:], name[::-1], name[-2:], name[:1], name[::2], "日本語"[1:2]
numbers[0], numbers[-1], numbers[9], numbers[1:], numbers[::-1], numbers[5:], numbers[-2:-1], numbers[2:0:-1], numbers[::2]
d.a, d["b"], d["items"], d.missing, d.get("a"), d.get("z"), d.get("z", 9), d._under
d.items() | list, d.keys() | list, d.values() | list, d | list, d | length
d.keys(), d.values(), d.items()
people[0].home.city, people[0]["home"]["city"], people.0.name, nested[1][0]
text.strip(), text.lstrip(), text.rstrip(), "xxaxx".strip("x"), "abcab".rstrip("ab"), "日日x".lstrip("日")
"a,b,,c".split(","), "a  b c ".split(), "a,b,c".split(",", 1), "a,b,c".rsplit(",", 1), " a b  c ".split(none, 1), " a b  c ".rsplit(none, 1)
"".split(), "".split(","), "   ".split(), "abc".split("bc"), "a\u2003b\u00a0c".split()
"a\nb\r\nc\n".splitlines(), "a\nb\n".splitlines(true), "a\u2028b".splitlines()
"hello".startswith("he"), "hello".endswith(("x", "lo")), "hello".startswith("l", 2), "hello".endswith("l", 0, 4)
"hello".find("l"), "hello".rfind("l"), "hello".find("z"), "hello".index("l"), "héllo".find("l"), "hello".count("l"), "aaa".count(""), "hello".find("l", -2)
"hello world".title(), "HELLO".capitalize(), "ǆ".title(), "hello".upper(), "ÀÉ".lower(), "straße".upper(), "aBc".swapcase(), "it's o'neil".title()
"hello"|title, "hello-world (foo) [bar]"|title, "it's"|title, "hELLO wORLD"|capitalize, "ß"|upper, "ﬁn"|upper
"a-b-c".replace("-", "+"), "a-b-c".replace("-", "+", 1), "abc".replace("", "-"), "aaa"|replace("a", "b", 2), 11|replace(1, 2)
"x".join(["a", "b"]), ",".join("abc"), "".join([])
"12".isdigit(), "1a".isalnum(), "ab".isalpha(), " ".isspace(), "".isdigit(), "Ab".islower(), "²".isdigit()
"prefix-x".removeprefix("prefix-"), "x.py".removesuffix(".py"), "x".removeprefix("y")
"a=b=c".partition("="), "a=b=c".rpartition("="), "abc".partition("=")
"ab".center(6), "ab".ljust(4) ~ "|", "ab".rjust(4, "*"), "abc".center(6, "-"), "ab".center(5, "-")
"{} and {}".format("a", 1), "{1} {0}".format("a", "b"), "{x!r:>6}".format(x="q"), "{:>5}|{:<5}|{:^5}".format("a", "b", "c"), "{{}}".format()
"{:d} {:05d} {:,} {:.2f} {:x} {:e} {:+d} {:%}".format(5, 42, 1234567, 3.14159, 255, 12345.678, 3, 0.25), "{:10.3f}|".format(2.5)
"%s %d %5.2f %r %x %%" % ("a", 5, 3.14159, "q", 255), "%s" % n, "%-5s|" % "a", "%05d" % 42, "%(a)s" % {"a": 1}, "%s" % [1]
"%s and %s"|format("a", "b"), "%(q)s"|format(q="z")
words|join(", "), words|join, people|join(", ", attribute="name"), numbers|join("-"), "abc"|join(".")
words|sort, words|sort(case_sensitive=true), words|sort(reverse=true), numbers|sort, people|sort(attribute="age,name")|map(attribute="name")|list, people|sort(attribute="name", reverse=true)|map(attribute="name")|join
words|unique|list, words|unique(true)|list, [1, 1.0, true, 2]|unique|list, people|unique(attribute="age")|map(attribute="name")|list
words|first, words|last, empty|first, empty|last, "abc"|first, "abc"|last, d|first
words|length, "日本"|length, d|count, range(5)|length
words|map("upper")|list, people|map(attribute="home.city")|list, people|map(attribute="zip", default="?")|list, numbers|map("string")|join, words|map("replace", "p", "b")|list
numbers|select("odd")|list, numbers|reject("odd")|list, numbers|select|list, [0, 1, "", none]|select|list, numbers|select(">", 1)|list
people|selectattr("age", "equalto", 30)|map(attribute="name")|list, people|rejectattr("age", "eq", 30)|list, people|selectattr("zip")|list, people|selectattr("home.city", "in", ["Rome"])|list|length
numbers|sum, people|sum(attribute="age"), numbers|sum(start=10), nested|sum(start=[])
numbers|min, numbers|max, words|min, words|max, words|max(case_sensitive=true), empty|max, people|max(attribute="age")
numbers|reverse|list, "abc"|reverse, words|reverse|first
d|dictsort, d|dictsort(true), d|dictsort(reverse=true), {"x": 2, "y": 1}|dictsort(by="value")
d|items|list, missing|items|list
numbers|batch(2)|list, numbers|batch(2, 0)|list
people|groupby("age"), people|groupby("home.city")|map("first")|list, people|groupby("zip", default="none")|list|length
"3.7"|int, "x"|int, "x"|int(5), 3.9|int, -3.9|int, "0x1f"|int(0, 16), "12"|float, "x"|float, true|int, none|int, " 42 "|int, "1_000"|int, "1e3"|int, "1e3"|float
3.14159|round, 3.14159|round(2), 2.5|round, 3.5|round, 2.5|round(0, "ceil"), 2.51|round(1, "floor"), 5|round, -2.5|round, 1234|round(-2), 2.675|round(2)
-5|abs, 5.5|abs, n|string, x|string, nil|string, [1, "a", none, true, 1.0]|string, {"a": {"b": (1,)}}|string
"  x "|trim, "xxaxx"|trim("x"), none|trim, 5|trim
missing|default("z"), ""|default("z"), ""|default("z", true), nil|d("z"), missing|d, no|default("z", boolean=true)
"a b"|wordcount, "it's"|wordcount, "foo bar baz qux"|truncate(9), "foo bar baz qux"|truncate(9, true), "foo bar baz qux"|truncate(11), "foo bar baz qux"|truncate(11, false, "...", 0)
lines|indent, lines|indent(2, true), lines|indent(2, true, true), lines|indent("> "), ""|indent, "a\n"|indent
html|e, html|escape, html|safe, html|safe ~ "<i>", html|safe + "<i>", "<i>" + html|safe, html|e + "<", html|e|e, html|e|forceescape, (html|safe)|upper + "<", "%s" % (html|e)
d|tojson, words|tojson, name|tojson, nil|tojson, x|tojson, "a\"b\\c\n\t\u0001\u007f/<>&'"|tojson, (1, 2)|tojson, {}|tojson, []|tojson, {1: 2, none: 3, true: 4, 2.5: 6}|tojson
people|tojson(indent=2), d|tojson(indent=4, sort_keys=true), words|tojson(separators=(",", ":")), name|tojson(ensure_ascii=true), "🙂"|tojson(true), d|tojson(separators=(",", ": "), indent="\t"), []|tojson(indent=2)
1e20|tojson, 1e-7|tojson, 100.0|tojson, 1e400|tojson
range(3), range(1, 4)|list, range(5, 0, -2)|list, range(0)|list, range(3)|last, 2 in range(3), range(3)[1], range(10)[2:5]|list
dict(a=1, b="x"), dict({"q": 1}, z=2), dict([("k", "v")]), namespace(a=1).a
[1, 2, 3].index(2), [1, 1].count(1), (1, 2).count(2), {"a": 1}.copy()
[1, [2, [3]]], (1,), (), [], {}, "it's", ["it's"], ["\"'"], ["a\nb\t\\"], ["\u00e9\u200b\u0000"], ["日本🙂"]
"\x41\u0042\U00000043\101\n\t\q\'", 'a\
b'
"a" "b" 'c'
true, True, false, False, none, None
[1, 2,], {"a": 1,}, (1, 2,)
not not yes, - -1, +1, -n, --n
1 in [1] == true
"abc"[1], "abc"["upper"](), "abc".upper(), d["get"]("a")
(1, 2) == (1, 2), [1] == (1,), {"a": 1} == {"a": 1.0}, "1" == 1
words[0]|upper ~ "!", (words|first)|length, words|first|upper|lower
"a" is eq "a" and "b" is ne "a"
missing ~ "x", [missing], missing|string, missing|upper, missing|length, missing|list, missing|join
joiner is defined, loop is defined, caller is defined
"%c%c" % (65, "b"), "%5s|%-5d|%+d|% d" % ("a", 1, 2, 3), "%.2s" % "abc", "%e" % 12345.678, "%g" % 0.00001, "%o" % 8, "%#x" % 255, "%i" % 3.9
"a\tb"|replace("\t", " "), "x"|center(5) ~ "|", "abc"|attr("upper") is defined
strftime_now("%Y-%m-%d %H:%M:%S %d %b %Y %A %j")
"A" ~ ("b" if yes) ~ ("c" if no) ~ "D"
{"a": 1}.a, {"a": 1}["a"], {"a": 1, "a": 2}, {1: "x", 1.0: "y", true: "z"}
people|map(attribute="age")|sum, people|map(attribute="age")|unique|list|length, people|list|tojson|length
text|trim|lower|replace("hello", "bye")|title
[[1, 2], [3]]|sum(start=[])|join(","), [3, 1]|sort|first, ["b", "a"]|sort|join
x // 1, 10 // 3.0, 10 % 3.5, 2 ** 0.5, 2 ** 62, -2 ** 2, 2 ** 3 ** 2
"İ"|lower, "ΑΣ"|lower == "ας", "ŉ"|upper, "ǆ"|capitalize
"a" < "B", "é" > "z", "🙂" > "z", [] < [1], (1, "a") < (1, "b")
"αβγ".find("γ"), "αβγ".index("β"), "αβγ".count("β"), "αβγ".startswith("β", 1), "αβγ".center(7, "·"), "αβγ"|truncate(3, true, "", 0)
"abc".isascii(), "é".isascii(), "abc".casefold(), "ab12"|wordcount
"abc"|list, "日本"|list, d|list|sort, (1, 2)|list, range(2)|list
"line1\nline2"|indent(width=3, first=True), "x\r\ny"|indent(1)
words is iterable and words is not string and words is not mapping
none is sequence, "" is sequence, 5 is sequence, range(2) is sequence, d.items() is sequence, d.items() is iterable, (words|map("upper")) is iterable, (words|map("upper")) is sequence
words|map("length")|list, words|map("first")|list, nested|map("sum")|list, nested|map("join", "-")|list
d.items()|list|length, d.keys()|join, d.values()|sum - "own"|length if no else "skip"
"tEsT".lower() == "test" and "b" ~ 1 == "b1"
1 ~ 3, "a" ~ 1 * 2, 2 * 3 ~ 4, "a" + "b" ~ 1
"{}".format(none), "{}".format([1]), "{}".format(1.0), "{!s}".format("a"), "{0}{0}".format(1), "{:5}|".format(3), "{:5}|".format("a"), "{:<5}|{:*^7}".format(3, 4)
"""

TEMPLATES = [
    "{% if a %}1{% elif n == 7 %}2{% else %}3{% endif %}",
    "{% for w in words %}{{ loop.index }}/{{ loop.index0 }}/{{ loop.revindex }}/{{ loop.revindex0 }}/{{ loop.first }}/{{ loop.last }}/{{ loop.length }}/{{ w }};{% endfor %}",
    "{% for w in words %}{{ loop.previtem }}<{{ w }}>{{ loop.nextitem }} {% endfor %}",
    "{% for w in words %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{{ loop.cycle('a', 'b', 'c') }}{{ loop.depth }}{% endfor %}",
    "{% for p in people %}{{ loop.changed(p.age) }} {% endfor %}",
    "{% for w in empty %}x{% else %}none{% endfor %}|{% for w in missing %}x{% else %}none{% endfor %}",
    "{% for w in words if w != 'fig' %}{{ loop.index }}{{ w }}{{ loop.last }}{{ loop.length }} {% endfor %}",
    "{% for w in words if false %}x{% else %}nothing{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for c in 'añb' %}[{{ c }}]{% endfor %}",
    "{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for i in [1, 2] %}{% for j in [3, 4] %}{{ loop.index }}{{ i }}{{ j }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% set ns = namespace(found=false, n=0) %}{% for w in words %}{% if w == 'fig' %}{% set ns.found = true %}{% endif %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.found }}{{ ns.n }}{{ ns.other is defined }}",
    "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set (c, d2) = [3, 4] %}{{ c }}{{ d2 }}",
    "{% set q %}block {{ n }}{% endset %}{{ q }}|{{ q|length }}",
    "{% set q | upper | replace('B', '*') %}block {{ n }}{% endset %}{{ q }}",
    "{% if yes %}{% set inner = 5 %}{% endif %}{{ inner }}",
    "{% if no %}{% set n = 5 %}{% endif %}{{ n }}",
    "{% macro m(a, b=2, c='z') %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=3) }} {{ m() }} {{ m(b=1, a=2) }} {{ m('x')|upper }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, k='v') }}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}body {{ n }}{% endcall %}",
    "{% macro m(items) %}{% for i in items %}{{ caller(i, loop.index) }};{% endfor %}{% endmacro %}{% call(x, i) m([5, 6]) %}{{ i }}:{{ x }}{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}",
    "{% macro fact(k) %}{{ 1 if k < 2 else k * fact(k - 1)|int }}{% endmacro %}{{ fact(10) }}",
    "{% macro outer() %}{% macro inner() %}in{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner is defined }}",
    "{% set z = 1 %}{% macro m() %}{{ z }}{% set z = 9 %}{{ z }}{% endmacro %}{{ m() }}{{ z }}",
    "{% for i in [1, 2] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(x) %}{{ x }}{% endmacro %}{{ m }}|{{ m(*[3]) }}|{{ m(**{'x': 4}) }}",
    "{% filter upper %}abc {{ name }}{% endfilter %}|{% filter replace('a', 'b')|upper %}aaa{% endfilter %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}",
    "{% raw %}{{ not }} {% a %} {# c #}{% endraw %}|{%- raw -%}  x  {%- endraw -%} y",
    "{% generation %}{{ n }}{% set g = 1 %}{% endgeneration %}{{ g is defined }}",
    "{# comment #}a{#- comment -#}  b{# multi\nline #}\nc",
    "a\n  {% if yes %}\n  b\n  {% endif %}\nc\n",
    "a\n  {%+ if yes %}\n  b\n  {%- endif +%}\nc\n",
    "a  {%- if yes -%}  b  {%- endif -%}  c",
    "  {{ n }}  \n  {{- n -}}  \n x\n\n",
    "{% if yes %}\n\n{{ n }}\n{% endif %}\n\nend\n\n",
    "a {% if yes %} b {% endif %} c\n{% set q = 1 %}  \n d",
    "\t{% set q = 1 %}\t{% set q = 2 %}\nx",
    "  {# c #}\n  {#- c #}\nx {# c #} y",
    "a\r\nb\rc\n",
    "{{ '{{' }}{{ '%}' }}{{ \"}}\" }}",
    "{{ {'a': {'b': 1}}['a']['b'] }}{{ {'x': {}} }}",
    "{{ n\n  + 1 }}{%\n if\n yes %}x{% endif\n %}",
    "{% for w in words -%}\n  {{ w }},\n{%- endfor %}",
    "{% set items = [] %}{% set _ = items.append(1) %}{% set _ = items.extend([2, 3]) %}{{ items }}{{ items.pop() }}{{ items.pop(0) }}{{ items }}",
    "{% set q = [3, 1] %}{% set _ = q.insert(1, 9) %}{% set _ = q.reverse() %}{{ q }}{% set _ = q.remove(9) %}{{ q }}{{ q.copy() }}{% set _ = q.clear() %}{{ q }}",
    "{% set q = {'a': 1} %}{% set _ = q.update({'b': 2}, c=3) %}{{ q }}{{ q.pop('a') }}{{ q.pop('zz', 0) }}{{ q.setdefault('n', 5) }}{{ q }}",
    "{% set q = [1] %}{% for i in q %}{{ i }}{% if i < 4 %}{% set _ = q.append(i + 1) %}{% endif %}{% endfor %}",
    "{% set j = joiner('; ') %}{% for w in words %}{{ j() }}{{ w }}{% endfor %}",
    "{% set g = numbers|select('odd') %}{{ g|list }}{{ g|list }}{% if g %}yes{% endif %}",
    "{{ (words|map('upper'))|first }}",
    "{% if tools is defined and tools %}t{% else %}f{% endif %}",
    "{% set ns = namespace() %}{% set ns.a = [] %}{% set ns.a = ns.a + [1] %}{{ ns.a }}",
    "{% print 1, 2 %}",
    "{{ n", "{% if %}", "{% if yes %}", "{% endif %}", "{{ 1 + }}", "{{ (1 }}", "{{ [1, 2 }}", "{{ 'a }}", "{# x", "{% unknown %}", "{{ a b }}",
    "{% for %}{% endfor %}", "{% for x in %}{% endfor %}", "{{ 1 is }}", "{{ x | }}", "{{ x | nofilter }}", "{{ x is notest }}", "{% set %}", "{% set 1 = 2 %}",
    "{% set true = 2 %}", "{% break %}", "{{ 1 is odd is even }}", "{{ f(a=1, a=2) }}", "{{ f(a=1, 2) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{{ @ }}", "{{ a.% }}",
    "{% if no %}{{ x|nofilter }}{% endif %}ok", "{% if yes %}{{ x|nofilter }}{% endif %}", "{{ (x|nofilter) if no else 'ok' }}", "{% if no %}{% for i in [1] %}{{ i|nofilter }}{% endfor %}{% endif %}",
    "{{ missing.x }}", "{{ missing + 1 }}", "{{ missing() }}", "{{ n.x.y }}", "{{ 'a' + 1 }}", "{{ 'a' + none }}", "{{ 1 / 0 }}", "{{ 1 < 'a' }}", "{{ none < 1 }}",
    "{% for x in 5 %}{% endfor %}", "{% for x in none %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{{ 5|length }}", "{{ none|length }}",
    "{{ missing|tojson }}", "{{ n() }}", "{{ name() }}", "{{ name.nothing() }}", "{{ raise_exception('no') }}", "{{ words|map('nofilter')|list }}", "{{ words|select('notest')|list }}",
    "{{ range(1000000) }}", "{{ range() }}", "{{ range(1, 2, 0) }}", "{{ 'a'.index('b') }}", "{{ [].pop() }}", "{{ {}.pop('a') }}", "{{ 'abc'.split('') }}", "{{ 'x'.join([1]) }}",
    "{{ words.nothing }}|{{ d.nothing }}|{{ n.nothing }}|{{ name.nothing }}", "{{ d.nothing.more }}", "{{ words[0].nothing.more }}", "{{ [3, 'a']|sort }}", "{{ words|sum }}", "{{ {'a': 1}|sort }}",
    "{{ 3 in 5 }}", "{{ 3 in 'a3' }}", "{{ none in 'a' }}", "{{ [] in {} }}", "{{ {[]: 1} }}", "{{ -'a' }}", "{{ 'a' - 'b' }}", "{{ [1] + (2,) }}", "{{ {} + {} }}", "{{ 'a' * 1.5 }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(z=1) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}", "{% set n.x = 1 %}", "{% set missing.x = 1 %}",
    "{{ words|first(1) }}", "{{ 'a'|upper(1) }}", "{{ 'a'|replace('a') }}", "{{ 'a'.replace('a') }}", "{{ 'a'|default(1, 2, 3) }}", "{{ words|join(nosuch=1) }}", "{{ n|indent }}", "{{ none|indent }}",
    "{{ (words|map('upper'))|length }}", "{{ (words|map('upper'))|tojson }}", "{{ (words|map('upper'))|last }}", "{{ words|selectattr()|list }}", "{{ d|dictsort(by='x') }}", "{{ words|dictsort }}",
    "{{ words|items|list }}", "{{ missing|int }}", "{{ missing|round }}", "{{ 'a'|round }}", "{{ 'a'|abs }}", "{{ '%d' % 'a' }}", "{{ '%s %s' % 'a' }}", "{{ '%s' % ('a', 'b') }}", "{{ '{} {}'.format(1) }}", "{{ '{a}'.format() }}",
    "{{ loop.index }}", "{% for i in [1] %}{{ loop.nothing }}{{ loop.cycle() }}{% endfor %}", "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}", "{{ caller() }}",
    "{{ people|map(attribute='zip.code')|list }}", "{{ people|selectattr('zip.code')|list }}", "{{ people|sort(attribute='zip')|list }}", "{{ people|groupby('zip')|list }}",
    "{{ ''.upper.x }}", "{{ d.get() }}", "{{ d.get('a', 1, 2) }}", "{{ d.items(1) }}", "{{ words.append() }}", "{{ 'abc'.startswith(1) }}", "{{ 'abc'.strip(1) }}", "{{ x.y.z is defined }}", "{{ missing.y is defined }}",
    "{% call n() %}{% endcall %}", "{% call 5 %}{% endcall %}", "{{ [1, 2][none] }}|{{ [1]['a'] }}|{{ d[1] }}|{{ 'abc'[none] }}", "{{ d[words] }}", "{{ numbers['a':] }}", "{{ numbers[::0] }}", "{{ n[0] }}|{{ none[0] }}|{{ n['x'] }}",
    "{{ none.x }}", "{{ none.x.y }}", "{{ true.x }}|{{ 1.5.x }}", "{{ 'abc'|truncate(1) }}", "{% set a, b = 1 %}", "{% set a, b = [1, 2, 3] %}",
    "{% for message in messages %}{{ '<|' + message.role + '|>' + message.content }}{% endfor %}",
]


def main():
    env = environment(SandboxedEnvironment)
    made = []
    sources = []
    for line in EXPRESSIONS.strip("\n").replace("\\\n", "\0").split("\n"):
        line = line.replace("\0", "\\\n")
        sources.append("{{ [" + line + "] }}|{% for v in (" + line + ",) %}{{ v }};{% endfor %}")
    for source in sources + TEMPLATES:
        try:
            result = outcome(env.from_string(source), DATA)
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:200]}
        result.pop("security", None)
        made.append({"template": source, **result})
    json.dump({"context": DATA, "cases": made}, sys.stdout, ensure_ascii=False, indent=0)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
