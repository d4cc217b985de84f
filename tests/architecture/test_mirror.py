"""Every source module with behaviour has a like-named test module, and every test module a source module.

The tests of `tests/support` stand beside its modules.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
SUPPORT = TESTS / "support"
MIRRORED = ((ROOT / "src/belvedere", TESTS), (ROOT / "tools", TESTS / "tools"))
OF_NO_MODULE = {
    "architecture",
    "attacks",
    "bluez",
    "deploy",
    "e2e",
    "faults",
    "interop",
    "support",
    "table",
    "fuzz",
    "systemd",
    "vm",
    "tools",  # mirrors the folder of that name
}  # folders of tests that belong to no module of the sources


def missing_tests(sources: Path, tests: Path) -> list[str]:
    """Test modules that should exist, relative to `tests`."""
    wanted = (_test_of(path.relative_to(sources)) for path in sorted(sources.rglob("*.py")) if needs_test(path))
    return [str(path) for path in wanted if not (tests / path).is_file()]


def orphans(sources: Path, tests: Path) -> list[str]:
    """Test modules whose source module does not exist, relative to `tests`."""
    found = (path.relative_to(tests) for path in sorted(tests.rglob("test_*.py")))
    return [str(path) for path in found if path.parts[0] not in OF_NO_MODULE and not _has_source(path, sources)]


def needs_test(path: Path) -> bool:
    """Whether any function has a body; protocols, records, enums and constants are tested where they are used."""
    if path.name in {"__init__.py", "__main__.py"} or path.name.startswith("test_"):
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return any(not _only_declares(statement) for node in functions for statement in node.body)


def _only_declares(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)  # a docstring or `...`


def _test_of(module: Path) -> Path:
    return module.with_name(f"test_{module.name}")


def _has_source(test: Path, sources: Path) -> bool:
    stem = test.stem.removeprefix("test_")
    candidates = [test.with_name(f"{stem}.py"), test.with_name(stem) / "__init__.py"]
    if stem == test.parent.name:  # a package's own __init__ with logic in it
        candidates.append(test.with_name("__init__.py"))
    return any((sources / candidate).is_file() for candidate in candidates)


@pytest.mark.parametrize(("sources", "tests"), MIRRORED)
def test_every_module_with_behaviour_has_its_test_module(sources: Path, tests: Path) -> None:
    assert not missing_tests(sources, tests)


@pytest.mark.parametrize(("sources", "tests"), MIRRORED)
def test_every_test_module_has_its_source_module(sources: Path, tests: Path) -> None:
    assert not orphans(sources, tests)


def test_what_tests_share_is_tested_beside_it() -> None:
    assert not missing_tests(SUPPORT, SUPPORT)
    assert not orphans(SUPPORT, SUPPORT)


def test_both_kinds_of_gap_are_found(tmp_path: Path) -> None:
    sources, tests = tmp_path / "src", tmp_path / "tests"
    for path, text in {
        sources / "link/ble.py": "def f() -> int:\n    return 1\n",
        sources / "link/port.py": "class A(Protocol):\n    def f(self) -> None:\n        '''Say.'''\n        ...\n",
        sources / "link/pace.py": "class A:\n    def f(self) -> int:\n        return 1\n",
        sources / "link/__init__.py": "",
        tests / "link/test_pace.py": "",
        tests / "link/test_gone.py": "",
        tests / "architecture/test_anything.py": "",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert missing_tests(sources, tests) == ["link/test_ble.py"]
    assert orphans(sources, tests) == ["link/test_gone.py"]
