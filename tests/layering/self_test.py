"""Plants a violation of each rule in a small tree and wants it found, there and by that rule alone."""

import os
import sys
import tempfile
import unittest

import rules

HEADER = "// What it is for.\n#pragma once\n"
CLEAN = {
    "config/README.md": "What can be set.\n",
    "config/a.hpp": HEADER,
    "kernels/README.md": "The arithmetic.\n",
    "kernels/k.hpp": HEADER + '#include "config/a.hpp"\n',
    "model/README.md": "What is served.\n",
    "model/step.hpp": HEADER + '#include "config/a.hpp"\n',
    "model/m.cpp": '#include "kernels/k.hpp"\n',
    "actors/README.md": "Who decides.\n",
    "actors/messages.hpp": HEADER + "#include <caf/actor.hpp>\n",
    "actors/request.hpp": HEADER + '#include "model/step.hpp"\n',
    "actors/logic/README.md": "Decisions.\n",
    "actors/logic/l.cpp": '#include "actors/request.hpp"\n#include "model/step.hpp"\nvoid f(int now);\n',
    "transport/README.md": "Bytes in.\n",
    "transport/companion.cpp": '#include <boost/asio.hpp>\n#include <caf/send.hpp>\n#include "actors/messages.hpp"\n',
    "app/README.md": "The program.\n",
    "app/company.cpp": '#include "transport/companion.cpp"\nauto a = system.spawn<caf::detached>(f);\n',
    "tests/README.md": "Tests.\n",
    "tests/t.cpp": '#include <caf/all.hpp>\n#include "actors/logic/l.cpp"\nusing namespace std::chrono_literals;\n',
}
PLANTED = [
    ("arrows", "config/x.cpp", '#include "kernels/k.hpp"\n'),
    ("arrows", "kernels/x.cpp", '#include "model/step.hpp"\n'),
    ("arrows", "model/x.cpp", '#include "actors/request.hpp"\n'),
    ("arrows", "model/y.cpp", '#include "step.hpp"\n'),
    ("arrows", "actors/x.cpp", '#include "transport/companion.cpp"\n'),
    ("arrows", "actors/logic/x.cpp", '#include "actors/messages2.hpp"\n'),
    ("arrows", "transport/x.cpp", '#include "model/step.hpp"\n'),
    ("arrows", "transport/x.cpp", '#include "actors/admission.hpp"\n'),
    ("arrows", "transport/x.cpp", '#include "tests/t.cpp"\n'),
    ("libraries", "model/x.cpp", "#include <caf/all.hpp>\n"),
    ("libraries", "transport/x.cpp", "#include <caf/all.hpp>\n"),
    ("libraries", "app/x.cpp", "#include <caf/all.hpp>\n"),
    ("libraries", "actors/x.cpp", "#include <boost/asio.hpp>\n"),
    ("libraries", "kernels/x.cpp", "  #  include <cuda_runtime.h>\n"),
    ("libraries", "model/x.cpp", "#include <cublasLt.h>\n"),
    ("detached", "actors/x.cpp", "auto a = spawn<caf::detached>(f);\n"),
    ("detached", "tests/x.cpp", "auto a = system.spawn<monitored + detached>(f);\n"),
    ("clocks", "actors/logic/x.cpp", "auto t = std::chrono::steady_clock::now();\n"),
    ("header_form", "model/x.hpp", "#pragma once\n"),
    ("header_form", "model/x.hpp", "// What it is for.\n"),
    ("lengths", "model/x.cpp", "\n" * 501),
    ("lengths", "kernels/x.cpp", "\n" * 601),
    ("no_std_regex", "model/x.cpp", "std::regex r;\n"),
    ("no_using_namespace", "model/x.cpp", "using namespace std;\n"),
    ("no_using_namespace", "model/x.hpp", HEADER + "using namespace std::literals;\n"),
    ("no_promises", "model/x.cpp", "// " + rules.PROMISES[0] + ": later\n"),
    ("no_promises", "check", "# " + rules.PROMISES[1] + "\n"),
    ("readmes", "model/README.md", "One.\n\nTwo.\n"),
    ("readmes", "model/inner/x.cpp", "\n"),
    ("readmes", "deploy/x.txt", "\n"),
]


def found_in(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as out:
                out.write(text)
        return rules.check(root)


class Rules(unittest.TestCase):
    def test_find_nothing_in_a_clean_tree(self):
        self.assertEqual(found_in(CLEAN), [])

    def test_find_each_planted_violation_and_nothing_else(self):
        for rule, path, text in PLANTED:
            with self.subTest(rule=rule, path=path, text=text[:60]):
                found = found_in({**CLEAN, path: text})
                self.assertEqual([rule], sorted({name for _, _, name, _ in found}))

    def test_follow_what_the_logic_includes(self):
        found = found_in({**CLEAN, "model/step.hpp": HEADER + '#include "kernels/k.hpp"\n'})
        self.assertEqual({"logic_reaches"}, {name for _, _, name, _ in found})

    def test_allow_kernels_to_be_longer(self):
        self.assertEqual(found_in({**CLEAN, "kernels/x.cpp": "\n" * 600}), [])

    def test_are_all_tried(self):
        tried = {rule for rule, _, _ in PLANTED} | {"logic_reaches"}
        self.assertEqual(tried, {rule.__name__ for rule in rules.RULES + rules.TREE_RULES})


if __name__ == "__main__":
    sys.exit(unittest.main())
