"""The rules that hold for the sources as text. check(root) lists what breaks them: file, line, rule, what is wrong.

Each rule is a function of one file (or of the whole tree) that yields violations; RULES and TREE_RULES name them all, so that
the self-test can see that none is left untried.
"""

import os
import re
import sys

SOURCES = (".hpp", ".cpp", ".cu", ".cuh")
SKIPPED = {"build", ".git", "node_modules", "__pycache__"}

# Which folders a folder may include, itself aside. Longest name first where one lies in another.
MAY_INCLUDE = {
    "config": (),
    "kernels": ("config",),
    "model": ("kernels", "config"),
    "actors/logic": ("config",),
    "actors": ("actors/logic", "model", "kernels", "config"),
    "transport": ("config",),
    "app": ("config", "kernels", "model", "actors/logic", "actors", "transport"),
}
# Headers of plain data that a folder may include beyond that.
MAY_INCLUDE_FILES = {
    "actors/logic": ("actors/request.hpp", "model/step.hpp"),
    "transport": ("actors/interfaces.hpp", "actors/messages.hpp", "actors/engine_messages.hpp", "actors/request.hpp"),
}
# Where a library's headers may be included, and by which files elsewhere.
LIBRARIES = {
    r"caf/": (("actors",), ("transport/companion.hpp", "transport/companion.cpp", "app/company.hpp", "app/company.cpp",
                            "app/bench/offline_clients.cpp")),
    r"boost/": (("transport",), ("app/version.cpp",)),  # which tells Boost's version
    r"(cuda|cublas|curand|nccl|nvml|cub/|thrust/|cutlass/)": (("kernels/cuda",), ()),
}
# Each composes a process of its own: the program, a test's, an example's.
COMPOSITIONS = ("app/company.cpp", "tests/system/test_company.cpp", "examples/embed/main.cpp")
NOT_SELF_CONTAINED = ("kernels/cpu/tile-inl.hpp",)  # compiled once for each instruction set, inside its namespaces
PROMISES = ("TO" + "DO", "FIX" + "ME")  # in two parts: this file is read as well
HARD_CAP = 500
HARD_CAP_OF_KERNELS = 600


class source:
    """A file: its path from the root with slashes, its text, and its lines without comments."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.splitlines()
        self.folder = folder_of(path)
        self.is_code = path.endswith(SOURCES)

    def code(self):
        for number, line in enumerate(self.lines, 1):
            yield number, re.sub(r"//.*", "", line)

    def includes(self):
        for number, line in enumerate(self.lines, 1):
            found = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if found:
                yield number, found[2], found[1] == '"'


def folder_of(path):
    for folder in sorted(MAY_INCLUDE, key=len, reverse=True):
        if path.startswith(folder + "/"):
            return folder
    return path.split("/")[0] if "/" in path else ""


def arrows(file, _):
    """An include never points up or sideways."""
    if file.folder not in MAY_INCLUDE:
        return
    for number, name, quoted in file.includes():
        to = folder_of(name)
        if not quoted or to == file.folder or name in MAY_INCLUDE_FILES.get(file.folder, ()):
            continue
        if to not in MAY_INCLUDE and "/" not in name:
            yield number, f'"{name}": a path from the root is wanted'
        elif to not in MAY_INCLUDE[file.folder]:
            yield number, f"{file.folder} may not include {name}"


def libraries(file, _):
    """CAF, Boost and CUDA stay where they belong."""
    if file.folder == "tests" or file.folder not in MAY_INCLUDE:
        return
    for number, name, _quoted in file.includes():
        for pattern, (folders, files) in LIBRARIES.items():
            if not re.match(pattern, name) or file.path in files:
                continue
            inside = any(file.path.startswith(folder + "/") for folder in folders)
            if not inside or file.folder == "actors/logic":
                yield number, f"{name} may not be included here"


def detached(file, _):
    """Only the composition decides which actors have threads of their own."""
    if not file.is_code or file.path in COMPOSITIONS:
        return
    for number, line in file.code():
        if re.search(r"\bcaf::detached\b|\bspawn\w*<[^>]*\bdetached\b", line):
            yield number, "an actor is detached outside of a composition"


def clocks(file, _):
    """The logic is told the time."""
    if file.folder != "actors/logic":
        return
    for number, line in file.code():
        if re.search(r"\bnow\s*\(\s*\)|\bsleep_(for|until)\b|\b(std::)?time\s*\(\s*(nullptr|NULL|0)\s*\)", line):
            yield number, "the logic looks at a clock"


def header_form(file, _):
    """A header says first what it is for, and is included once."""
    if not file.path.endswith((".hpp", ".cuh")) or file.path in NOT_SELF_CONTAINED:
        return
    if not file.text.startswith("//"):
        yield 1, "a header starts with a comment that says what it is for"
    if "#pragma once" not in file.lines:
        yield 1, "#pragma once is missing"


def lengths(file, _):
    """A file that is too long holds more than one thing."""
    cap = HARD_CAP_OF_KERNELS if file.folder == "kernels" else HARD_CAP
    if file.is_code and len(file.lines) > cap:
        yield cap + 1, f"{len(file.lines)} lines, and {cap} are the most"


def no_std_regex(file, _):
    """std::regex is slow and recurses without a bound."""
    if not file.is_code:
        return
    for number, line in file.code():
        if re.search(r"\bstd::regex\b|#\s*include\s*<regex>", line):
            yield number, "std::regex is not used"


def no_using_namespace(file, _):
    """Literals' namespaces in a test aside."""
    if not file.is_code:
        return
    for number, line in file.code():
        found = re.search(r"\busing\s+namespace\s+([\w:]+)", line)
        if found and not (found[1].endswith("_literals") and file.path.endswith(".cpp")):
            yield number, f"using namespace {found[1]}"


def no_promises(file, _):
    """What is to be done is done, or said in the documentation."""
    for number, line in enumerate(file.lines, 1):
        if re.search(r"\b(" + "|".join(PROMISES) + r")\b", line):
            yield number, "a promise instead of the work"


def logic_reaches(file, tree):
    """What the logic includes must not bring in actors or kernels by a detour."""
    if file.folder != "actors/logic":
        return
    seen, left = {file.path}, [file.path]
    while left:
        path = left.pop()
        for _number, name, quoted in tree[path].includes():
            if name.startswith(("caf/", "kernels/")):
                yield 1, f"it reaches {name} through {path}"
            elif quoted and name in tree and name not in seen:
                seen.add(name)
                left.append(name)


def readmes(tree):
    """Every folder says in one paragraph what belongs there."""
    layers = {os.path.dirname(path) for path, file in tree.items() if file.is_code and file.folder in MAY_INCLUDE}
    tops = {path.split("/")[0] for path in tree if "/" in path and not path.startswith(".")}
    for folder in sorted(layers | tops):
        readme = tree.get(folder + "/README.md")
        if readme is None:
            yield folder + "/README.md", 1, "is missing"
        elif "\n\n" in readme.text.strip() or not readme.text.strip():
            yield readme.path, 1, "is to be one paragraph"


RULES = (arrows, libraries, detached, clocks, header_form, lengths, no_std_regex, no_using_namespace, no_promises,
         logic_reaches)
TREE_RULES = (readmes,)


def read_tree(root):
    tree = {}
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if name not in SKIPPED)
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
            if not name.endswith(SOURCES + (".md", ".py", ".txt", ".cmake", ".sh")) and "." in name:
                continue
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as opened:
                    tree[path] = source(path, opened.read())
            except UnicodeDecodeError:
                continue
    return tree


def check(root):
    """[(path, line, rule's name, what is wrong)]"""
    tree = read_tree(root)
    found = []
    for file in tree.values():
        for rule in RULES:
            found += [(file.path, number, rule.__name__, text) for number, text in rule(file, tree)]
    for rule in TREE_RULES:
        found += [(path, number, rule.__name__, text) for path, number, text in rule(tree)]
    return found


if __name__ == "__main__":
    problems = check(sys.argv[1])
    for path, number, rule, text in problems:
        print(f"{path}:{number}: {text} [{rule}]")
    sys.exit(1 if problems else 0)
