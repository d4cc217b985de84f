"""Heavy libraries are imported where they are first used, so that starting and asking for help stay quick."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"PIL", "aiortc", "av", "bleak", "bumble", "numpy", "webauthn"}


def modules_after(statement: str) -> set[str]:
    """Top-level names of what a fresh interpreter holds after this statement."""
    script = f"import sys\n{statement}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", script]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split())


@pytest.mark.realtime
@pytest.mark.parametrize("module", ["belvedere.cli", "belvedere.app.build"])
def test_nothing_heavy_is_imported_with(module: str) -> None:
    assert modules_after(f"import {module}") & HEAVY == set()


@pytest.mark.realtime
def test_a_heavy_import_is_noticed() -> None:
    assert "bleak" in modules_after("import bleak")
