"""Collected only inside the machine that `make test-vm` boots with systemd."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.systemd.service import Service

FOLDER = os.environ.get("BELVEDERE_SYSTEMD")  # where the machine writes its results
LAST_LINES = 60
collect_ignore_glob = [] if FOLDER else ["test_*.py"]


@pytest.fixture(scope="session")
def findings() -> Iterator[dict[str, float]]:
    """The measurements by name, written to a file for the computer that booted the machine."""
    found: dict[str, float] = {}
    yield found
    assert FOLDER is not None
    Path(FOLDER, "findings.json").write_text(json.dumps(found), encoding="utf-8")


@pytest.fixture(scope="session")
def service() -> Service:
    """Belvedere, installed from its wheel and set up as a service."""
    from tests.systemd.service import installed  # noqa: PLC0415 - only inside the machine

    return installed()


def pytest_runtest_setup() -> None:
    """Show the computer that booted the machine that tests are running."""
    if FOLDER is not None:
        Path(FOLDER, "up").touch()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the end of the journal to a failure: the machine is gone later."""
    report = yield
    if call.excinfo is not None and FOLDER is not None:
        from tests.systemd.service import run  # noqa: PLC0415 - only inside the machine

        report.sections.append(("journal", run("journalctl", "--no-pager", f"--lines={LAST_LINES}")))
    return report
