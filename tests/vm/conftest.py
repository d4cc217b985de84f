"""Collected only inside the machine that `make test-vm` boots, where `vivid`, the kernel's virtual cameras, is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = os.environ.get("BELVEDERE_VM")  # where the machine writes its results
collect_ignore_glob = [] if FOLDER else ["test_*.py"]


@pytest.fixture(scope="session")
def findings() -> Iterator[dict[str, float]]:
    """The measurements by name, written to a file for the computer that booted the machine."""
    found: dict[str, float] = {}
    yield found
    assert FOLDER is not None
    Path(FOLDER, "findings.json").write_text(json.dumps(found), encoding="utf-8")


def pytest_runtest_setup() -> None:
    """Show the computer that booted the machine that tests are running."""
    if FOLDER is not None:
        Path(FOLDER, "up").touch()


@pytest.fixture(scope="session", autouse=True)
def _vivid() -> None:
    """The virtual cameras, plugged in for all tests."""
    from tests.vm.cameras import load  # noqa: PLC0415 - only inside the machine

    load()
