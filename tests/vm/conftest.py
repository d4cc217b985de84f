"""Collected only inside the machine that `make test-vm` boots, where `vivid`, the kernel's virtual cameras, is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("BELVEDERE_VM")  # where the machine writes its results
collect_ignore_glob = [] if FOLDER else ["test_*.py"]


def pytest_runtest_setup() -> None:
    """Show the computer that booted the machine that tests are running."""
    if FOLDER is not None:
        Path(FOLDER, "up").touch()


@pytest.fixture(scope="session", autouse=True)
def _vivid() -> None:
    """The virtual cameras, plugged in for all tests."""
    from tests.vm.cameras import load  # noqa: PLC0415 - only inside the machine

    load()
