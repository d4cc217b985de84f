"""Modules and functions stay small enough to be read in one sitting, and most functions much smaller."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LONGEST_MODULE_LINES = 500
LONGEST_FUNCTION_LINES = 60
SHORT_FUNCTION_LINES = 20
SHORT_FUNCTIONS_SHARE = 0.9

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)


class Size(NamedTuple):
    where: str
    lines: int


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def web_files() -> list[Path]:
    return sorted(path for ending in ("*.ts", "*.tsx") for path in (ROOT / "web/src").rglob(ending))


def module_size(path: Path) -> Size:
    return Size(str(path), len(path.read_text(encoding="utf-8").splitlines()))


def function_sizes(path: Path) -> list[Size]:
    """Lines from `def` to the end; a docstring does not count, so that no contract is cut short for it."""
    return _function_sizes(path, path.read_text(encoding="utf-8"))


@functools.cache
def _function_sizes(path: Path, text: str) -> list[Size]:
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, type_of_function)]
    return [Size(f"{path}:{node.lineno} {node.name}", _lines_of(node)) for node in functions]


def _lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    documented = ast.get_docstring(node) is not None and first.end_lineno is not None
    docstring_lines = first.end_lineno - first.lineno + 1 if documented and first.end_lineno else 0
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines


def longer_than(limit: int, sizes: list[Size]) -> list[str]:
    return [f"{size.where}: {size.lines} lines" for size in sizes if size.lines > limit]


def share_of_short(sizes: list[Size]) -> float:
    return sum(size.lines <= SHORT_FUNCTION_LINES for size in sizes) / len(sizes)


def test_no_module_is_too_long() -> None:
    files = [*python_files("src", "tests", "benchmarks", "tools"), *web_files()]
    assert not longer_than(LONGEST_MODULE_LINES, [module_size(path) for path in files])


def test_no_function_is_too_long() -> None:
    sizes = [size for path in python_files("src", "tests", "benchmarks", "tools") for size in function_sizes(path)]
    assert not longer_than(LONGEST_FUNCTION_LINES, sizes)


def test_nine_functions_of_ten_are_short() -> None:
    sizes = [size for path in python_files("src", "tools") for size in function_sizes(path)]
    assert share_of_short(sizes) >= SHORT_FUNCTIONS_SHARE, longer_than(SHORT_FUNCTION_LINES, sizes)


def test_a_long_module_is_found(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    path.write_text("x = 1\n" * 501, encoding="utf-8")
    assert longer_than(LONGEST_MODULE_LINES, [module_size(path)]) == [f"{path}: 501 lines"]


def test_a_long_method_is_found_and_its_docstring_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "long.py"
    docstring = '        """Says.\n\n        More.\n        """\n'
    method = "class A:\n    async def f(self) -> None:\n" + docstring
    path.write_text(method + "        x = 1\n" * 60, encoding="utf-8")
    assert longer_than(LONGEST_FUNCTION_LINES, function_sizes(path)) == [f"{path}:2 f: 61 lines"]
    path.write_text(method + "        x = 1\n" * 59, encoding="utf-8")
    assert not longer_than(LONGEST_FUNCTION_LINES, function_sizes(path))


def test_the_share_of_short_functions_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text("def f():\n    return 1\n\n\ndef g():\n" + "    x = 1\n" * 20, encoding="utf-8")
    assert share_of_short(function_sizes(path)) == 0.5
