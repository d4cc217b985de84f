"""Collected only inside the machine that `make test-bluez` boots, where `hci_vhci` and a BlueZ of its own are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = os.environ.get("BELVEDERE_BLUEZ")  # where the machine leaves what it found out
collect_ignore_glob = [] if FOLDER else ["test_*.py"]


@pytest.fixture(scope="session")
def findings() -> Iterator[dict[str, object]]:
    """What was measured, by name; kept for whoever booted the machine."""
    found: dict[str, object] = {}
    yield found
    assert FOLDER is not None
    Path(FOLDER, "findings.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
