"""Renders templates with Jinja2 as transformers does and writes what came out, for the differential test.

Usage: make_expected.py OUT SEED CONVERSATIONS TEMPLATE...
Each line of OUT is one JSON object: {"template": path, "context": {...}, "trusted": {...}} with either "text" or "error",
and "mutable": true where the template changes lists, which transformers' immutable sandbox refuses and Jinja2's plain
sandbox allows. A first line per template that does not compile has "compile_error" in place of all that.
"""
import datetime
import json
import random
import sys

from jinja2 import TemplateError
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

NOW = datetime.datetime(2024, 7, 26, 13, 5, 9)


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        from jinja2 import nodes

        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise TemplateError(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment(kind):
    env = kind(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: NOW.strftime(form)
    return env


WORDS = ["hello", "book a table", "<b>bold</b> & \"quoted\"", "it's 5 o'clock", "naïve café", "日本語のテキスト", "🙂 emoji 👩‍👩‍👧",
         "line one\nline two\n", "  padded  ", "\ttab\t", "<|im_end|>", "<|im_start|>system", "</s>[INST]", "{{ x }} {% if %}",
         "a\\b\\n", "ß ŉ İ", "1.50", "null", "\u2028sep\u00a0nbsp", "x" * 40, "<think>why</think>because", "</think>", "user's \"mix\"",
         "<tool_call>\n{\"name\": \"f\"}\n</tool_call>", "\r\nwindows\r\n", "```python\nprint('hi')\n```", "|", "[]", "{}"]


def sentence(rng):
    return rng.choice(["", " ", "\n"]).join(rng.choice(WORDS) for _ in range(rng.randint(0, 4)))


def scalar(rng):
    return rng.choice([1, 0, -7, 3.5, 1e20, 1e-7, 2.0, True, False, None, rng.choice(WORDS), sentence(rng), 12345678901234])


def tree(rng, depth=0):
    kind = rng.random()
    if depth > 2 or kind < 0.6:
        return scalar(rng)
    if kind < 0.8:
        return [tree(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return {rng.choice(["a", "b", "city", "naïve", "items", "z_z", "type", "get"]): tree(rng, depth + 1) for _ in range(rng.randint(0, 3))}


def schema(rng, depth=0):
    kind = rng.choice(["string", "number", "integer", "boolean", "array", "object", ["string", "null"], "enum", "anyOf"])
    made = {}
    if rng.random() < 0.7:
        made["description"] = sentence(rng)
    if kind == "enum":
        made.update(type="string", enum=["one", "two", "drei"])
    elif kind == "anyOf":
        made["anyOf"] = [{"type": "string"}, {"type": "integer"}]
    elif kind == "array":
        made["type"] = "array"
        if rng.random() < 0.8:
            made["items"] = schema(rng, depth + 1) if depth < 2 else {"type": "string"}
    elif kind == "object" and depth < 2:
        made.update(type="object", properties={n: schema(rng, depth + 1) for n in rng.sample(["a", "b", "c"], rng.randint(0, 2))})
        if rng.random() < 0.5:
            made["required"] = ["a"]
    else:
        made["type"] = kind
    if rng.random() < 0.2:
        made["default"] = scalar(rng)
    if rng.random() < 0.1:
        made["nullable"] = True
    return made


def tool(rng, number):
    names = rng.sample(["city", "date", "count", "Size", "filter"], rng.randint(0, 3))
    function = {"name": f"get_thing_{number}", "description": sentence(rng),
                "parameters": {"type": "object", "properties": {n: schema(rng) for n in names}, "required": names[:1]}}
    if rng.random() < 0.1:
        del function["description"]
    if rng.random() < 0.1:
        function["parameters"] = {}
    if rng.random() < 0.1:
        function["strict"] = True
    return {"type": "function", "function": function}


def content(rng, tame=False):
    kind = rng.random()
    if tame or kind < 0.8:
        return sentence(rng)
    if kind < 0.85:
        return None
    parts = [{"type": "text", "text": sentence(rng)} for _ in range(rng.randint(0, 3))]
    if rng.random() < 0.3:
        parts.append(rng.choice([{"type": "image"}, {"type": "image_url", "image_url": {"url": "http://x/y.png"}}, {"type": "video"}]))
    return parts


def assistant(rng, calls, tame):
    message = {"role": "assistant", "content": content(rng, tame)}
    if rng.random() < 0.2:
        message["reasoning_content"] = sentence(rng)
    if rng.random() < 0.05:
        message["thinking"] = sentence(rng)
    if calls:
        message["tool_calls"] = []
        for i in range(1 if tame and rng.random() < 0.7 else rng.randint(1, 2)):
            arguments = {rng.choice(["city", "date", "count"]): tree(rng) for _ in range(rng.randint(0, 3))}
            if not tame and rng.random() < 0.2:
                arguments = json.dumps(arguments, ensure_ascii=False)
            message["tool_calls"].append({"id": f"call{i:05d}", "type": "function", "function": {"name": "get_thing_0", "arguments": arguments}})
        if rng.random() < 0.5:
            message["content"] = rng.choice(["", None])
        if rng.random() < 0.05:
            message["tool_calls"] = []
    return message


def conversation(rng):
    """Two of three are what a client would send; the third has odd contents, odd orders and missing members."""
    tame = rng.random() < 0.67
    messages = []
    if rng.random() < 0.5:
        role = "system" if tame else rng.choice(["system", "system", "developer"])
        messages.append({"role": role, "content": content(rng, tame)})
    with_tools = rng.random() < 0.5
    for _ in range(rng.randint(1 if tame else 0, 4)):
        messages.append({"role": "user", "content": content(rng, tame)})
        if with_tools and rng.random() < 0.6:
            calling = assistant(rng, True, tame)
            messages.append(calling)
            for call in calling["tool_calls"]:
                answer = {"role": "tool", "content": content(rng, tame) if tame or rng.random() < 0.8 else tree(rng), "tool_call_id": call["id"]}
                if rng.random() < 0.5:
                    answer["name"] = call["function"]["name"]
                messages.append(answer)
        if tame or rng.random() < 0.8:
            messages.append(assistant(rng, False, tame))
    if tame and rng.random() < 0.6:
        messages.append({"role": "user", "content": content(rng, True)})
    if not tame and rng.random() < 0.1:
        rng.shuffle(messages)
    if not tame and rng.random() < 0.1:
        messages.append({"role": rng.choice(["narrator", "critic"]), "content": "hm"})
    if not tame and rng.random() < 0.06 and messages:
        del rng.choice(messages)["role"]
    context = {"messages": messages, "add_generation_prompt": rng.random() < 0.5}
    if with_tools:
        context["tools"] = [tool(rng, i) for i in range(rng.randint(0, 3))]
    elif rng.random() < 0.5:
        context["tools"] = None
    for name, values in {"enable_thinking": [True, False], "thinking": [True, False], "reasoning_effort": ["low", "high", "medium"],
                         "documents": [None, [{"title": "T", "text": "<doc> text"}]], "builtin_tools": [["browser"], ["python", "browser"]],
                         "add_vision_id": [True], "custom_tools": [None], "date_string": ["26 Jul 2024"], "xml_tools": [[]],
                         "model_identity": ["You are it."], "strict": [True], "tools_in_user_message": [True, False]}.items():
        if rng.random() < 0.15:
            context[name] = rng.choice(values)
    return context


def outcome(template, context):
    try:
        return {"text": template.render(**context)}
    except Exception as error:  # whatever Jinja2 or Python raises is what the engine must refuse too
        return {"error": f"{type(error).__name__}: {error}"[:200], "security": isinstance(error, SecurityError)}


def main():
    out, seed, count, paths = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
    strict, loose = environment(ImmutableSandboxedEnvironment), environment(SandboxedEnvironment)
    with open(out, "w", encoding="utf-8") as lines:
        for path in paths:
            source = open(path, encoding="utf-8", newline="").read()
            try:
                templates = strict.from_string(source), loose.from_string(source)
            except TemplateError as error:
                lines.write(json.dumps({"template": path, "compile_error": str(error)}) + "\n")
                continue
            rng = random.Random(f"{seed} {path.rsplit('/', 1)[-1]}")
            for _ in range(count):
                context = conversation(rng)
                trusted = {"bos_token": "<s>", "eos_token": "</s>"}
                result = outcome(templates[0], {**context, **trusted})
                if result.pop("security", False):
                    result = outcome(templates[1], {**context, **trusted})
                    result.pop("security", None)
                    result["mutable"] = True
                line = {"template": path, "context": context, "trusted": trusted, **result}
                lines.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
