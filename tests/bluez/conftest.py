"""Collected only inside the machine that `make test-bluez` boots, where `hci_vhci` and a BlueZ of its own are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.bluez.responsiveness import prefer_this_process, spare_garbage_collections

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

FOLDER = os.environ.get("BELVEDERE_BLUEZ")  # where the machine writes its results
LAST_LINES = 60
collect_ignore_glob = [] if FOLDER else ["test_*.py"]
lengths_before = pytest.StashKey[dict[Path, int]]()


@pytest.fixture(scope="session")
def findings() -> Iterator[dict[str, object]]:
    """The measurements by name, written to a file for the computer that booted the machine."""
    found: dict[str, object] = {}
    yield found
    assert FOLDER is not None
    Path(FOLDER, "findings.json").write_text(json.dumps(found, indent=2), encoding="utf-8")


def pytest_configure() -> None:
    """In the machine, this process is also its radio chip."""
    if FOLDER is not None:
        prefer_this_process()


def pytest_collection_finish() -> None:
    """Everything is imported."""
    if FOLDER is not None:
        spare_garbage_collections()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note the length of each log, and show the computer that booted the machine that tests are running."""
    if FOLDER is not None:
        Path(FOLDER, "up").touch()
    item.stash[lengths_before] = {log: log.stat().st_size for log in _logs()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what the server, `bluetoothd` and D-Bus logged meanwhile, and when the chip did not answer."""
    report = yield
    if call.excinfo is not None:
        before = item.stash.get(lengths_before, {})
        for log in _logs():
            text = log.read_bytes()[before.get(log, 0) :].decode(errors="replace")
            report.sections.append((log.name, "\n".join(text.splitlines()[-LAST_LINES:])))
    return report


def _logs() -> list[Path]:
    return sorted(Path(FOLDER).glob("*.log")) if FOLDER else []
