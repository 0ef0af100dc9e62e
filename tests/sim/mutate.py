"""Writes copies of sources with planted bugs, each behind a switch: mutate.py OUTPUT_FOLDER SOURCE... The originals stay
free of hooks, and one compilation serves all mutants. Fails where a mutant's text is not found exactly once: then the
source has changed, and the mutant must follow."""

import os
import sys

from mutants import MUTANTS


def place(number, name, source, text):
    """Where the part to be replaced begins and ends."""
    begin, end = 0, None
    plain = text.replace("«", "").replace("»", "")
    if "«" in text:
        begin, end = text.index("«"), text.index("»") - 1
    if source.count(plain) != 1:
        sys.exit(f"mutant {number} ({name}): its text is found {source.count(plain)} times:\n{plain}")
    at = source.index(plain)
    return at + begin, at + (len(plain) if end is None else end)


def switched(number, old, new):
    if old.endswith((";", "}")):
        return f"if (mutant_is({number})) {{ {new} }} else {{ {old} }}"
    return f"(mutant_is({number}) ? ({new}) : ({old}))"


def mutate(name, source):
    changes = []
    for number, (mutant, file, text, new) in enumerate(MUTANTS, 1):
        if file == name:
            begin, end = place(number, mutant, source, text)
            changes.append((begin, end, switched(number, source[begin:end], new)))
    changes.sort(reverse=True)
    for (begin, _, _), (_, earlier_end, _) in zip(changes, changes[1:]):
        if earlier_end > begin:
            sys.exit(f"two mutants of {name} overlap before: {source[begin:begin + 60]}")
    for begin, end, replacement in changes:
        source = source[:begin] + replacement + source[end:]
    return '#include "mutants.hpp"\n' + source


def main():
    folder, sources = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for path in sources:
        with open(path, encoding="utf-8") as file:
            text = mutate(os.path.basename(path), file.read())
        with open(os.path.join(folder, os.path.basename(path)), "w", encoding="utf-8") as file:
            file.write(text)
    names = "".join(f'    "{name}",\n' for name, _, _, _ in MUTANTS)
    with open(os.path.join(folder, "mutants.hpp"), "w", encoding="utf-8") as file:
        file.write("#pragma once\n\nnamespace troupe {\n\n/// Is this the planted bug that is switched on?\n"
                   "bool mutant_is(int number);\n\ninline constexpr const char* mutant_names[] = {\n"
                   f"{names}}};\n\n}} // namespace troupe\n")


main()
