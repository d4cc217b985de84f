"""Heavy libraries are imported where they are first used, so that starting and asking for help stay quick."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"PIL", "aiortc", "av", "bleak", "boto3", "botocore", "bumble", "numpy", "webauthn"}
OF_THE_SERVER = {"h11", "litestar", "uvicorn", "uvloop", "websockets"}
RUN = """
import contextlib
from belvedere.cli import main
for command in {commands}:
    with contextlib.suppress(SystemExit):
        main([*command.split(), "--config", {config!r}])
"""
ASKING = (
    *("curtain close", "curtain status", "people list", "people invite Ana"),
    *("sessions list", "tokens list", "visits list"),
)


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
def test_commands_that_ask_the_server_or_the_store_import_no_server(tmp_path: Path) -> None:
    config = tmp_path / "belvedere.toml"
    config.write_text('[store]\nfile = "belvedere.sqlite3"\n', encoding="utf-8")
    run = RUN.format(commands=ASKING, config=str(config))
    modules = modules_after(run)
    assert "sqlite3" in modules  # they have run
    assert modules & (HEAVY | OF_THE_SERVER) == set()


@pytest.mark.realtime
def test_a_heavy_import_is_noticed() -> None:
    assert "bleak" in modules_after("import bleak")
