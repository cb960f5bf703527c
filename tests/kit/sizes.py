"""What keeps the house light, checked: lengths of files and functions, names, and no promises left in comments.

`python -m tests.kit.sizes` prints each breach as `path:line: reason` and exits 1 where there is one.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LONGEST_FILE: Final = 400  # lines
LONGEST_FUNCTION: Final = 50  # lines, from `def` to the last; tests may tell a longer story
BANNED: Final = {"manager", "managers", "helper", "helpers", "util", "utils", "common", "misc", "data", "info"}
PROMISE: Final = re.compile(r"\b(TODO|FIXME)\b")
SCRIPT: Final = Path(__file__).name  # the one file that has to name the promises

Breach = tuple[int, str]  # line, reason


def tracked(root: Path) -> list[Path]:
    """The Python files of the checkout that git knows or would add, relative to `root`; all, where there is no git."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.py"]
    try:
        names = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        found = (path.relative_to(root) for path in root.rglob("*.py"))
        return sorted(path for path in found if not path.parts[0].startswith(".") and path.parts[0] != "build")
    return sorted(Path(name) for name in set(names) if name and (root / name).is_file())


def breaches(path: Path, source: str) -> list[Breach]:
    """What one file does against the rules; `path` is relative to the checkout."""
    lines = source.splitlines()
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return [(error.lineno or 1, f"not Python: {error.msg}")]
    found = [*_promises(path, lines), *_names(path, tree)]
    if len(lines) > LONGEST_FILE:
        found.append((LONGEST_FILE + 1, f"the file has {len(lines)} lines, over {LONGEST_FILE}; split it by aspect"))
    if path.parts[0] != "tests":
        found += _long_functions(tree)
    return sorted(found)


def _promises(path: Path, lines: list[str]) -> Iterator[Breach]:
    if path.name != SCRIPT:
        for number, line in enumerate(lines, 1):
            if match := PROMISE.search(line):
                yield number, f"{match[0]} in the code; do it or leave it"


def _names(path: Path, tree: ast.Module) -> Iterator[Breach]:
    for part in _parts(path.stem) & BANNED:
        yield 1, f"a file named after {part!r}; find the noun for what is in it"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for part in _parts(node.name) & BANNED:
                yield node.lineno, f"class {node.name} has {part!r} in its name; find the noun for what it is"


def _parts(name: str) -> set[str]:
    return {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def _long_functions(tree: ast.Module) -> Iterator[Breach]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {length} lines, over {LONGEST_FUNCTION}; give its steps names"


def main() -> int:
    """Check the checkout this file stands in; the exit status."""
    root = Path(__file__).parents[2]
    files = tracked(root)
    found = [(path, *breach) for path in files for breach in breaches(path, (root / path).read_text("utf-8"))]
    for path, line, reason in found:
        print(f"{path}:{line}: {reason}")
    print(f"sizes: {len(files)} files, {len(found)} breaches" if found else f"sizes: {len(files)} files, all in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
