"""Compiles alone every header that no source file includes first: for the others the build has shown already that they do.

headers.py ROOT COMPILER [FLAGS...]
"""

import concurrent.futures
import os
import subprocess
import sys

import rules


def unproven(tree):
    first = {next(file.includes(), (0, ""))[1] for path, file in tree.items() if path.endswith(".cpp")}
    beside = {os.path.dirname(path) + "/" + next(file.includes(), (0, ""))[1]
              for path, file in tree.items() if path.endswith(".cpp")}
    return [path for path in tree
            if path.endswith(".hpp") and path not in first | beside and path not in rules.NOT_SELF_CONTAINED]


def compiles(root, path, command):
    if path.startswith(("kernels/cuda/", "tests/kernels/simt/")):
        command = [*command, "-I", root + "/tests/kernels/simt/include"]
    done = subprocess.run([*command, "-I", root, "-fsyntax-only", "-x", "c++", "-"], text=True, capture_output=True,
                          input=f'#include "{path}"\n', check=False)
    return path, done.returncode == 0, done.stderr


def main(root, *command):
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, fine, errors in pool.map(lambda path: compiles(root, path, command), unproven(rules.read_tree(root))):
            if not fine:
                wrong += 1
                print(f"{path} does not compile alone:\n{errors}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
