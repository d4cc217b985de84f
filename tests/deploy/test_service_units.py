"""The units that `belvedere setup` writes, as this computer's systemd judges them; `make test-vm` runs them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from belvedere.installation.texts import (
    ROOM_SERVICE,
    SERVICE,
    TUNNEL,
    room_service_text,
    service_text,
    tunnel_text,
)

if TYPE_CHECKING:
    from pathlib import Path

MAX_EXPOSURE = 2.0
PROGRAM = "/usr/bin/true"  # `verify` wants a program that there is
TEXTS = {
    SERVICE: service_text(PROGRAM, "1.2.3"),
    ROOM_SERVICE.replace("@", "@study"): room_service_text(PROGRAM, "1.2.3"),
    TUNNEL: tunnel_text(PROGRAM),
}


def analyze(folder: Path, name: str, *words: str) -> str:
    """What systemd-analyze says of a unit, with everything that it warns of."""
    path = folder / name
    path.write_text(TEXTS[name], encoding="utf-8")
    ran = subprocess.run(["systemd-analyze", *words, str(path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("name", TEXTS)
def test_systemd_finds_nothing_wrong(tmp_path: Path, name: str) -> None:
    assert name not in analyze(tmp_path, name, "verify")


@pytest.mark.parametrize("name", TEXTS)
def test_the_service_is_confined(tmp_path: Path, name: str) -> None:
    judged = analyze(tmp_path, name, "security", "--offline=true", "--no-pager")
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged)
    assert found is not None, judged
    assert float(found[1]) <= MAX_EXPOSURE
