"""The layers of pyproject.toml hold, and a breach of each of them is found."""

from __future__ import annotations

import shutil
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import grimp
import pytest
from importlinter.api import read_configuration
from importlinter.application.use_cases import lint_imports

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "pyproject.toml"
PURE = ("head", "control", "errors")
PURE_MAY_IMPORT = {"msgspec"}  # beyond the standard library, whose I/O the contract `pure` forbids by name

BREACHES = {
    "layers": ("link/backoff.py", "from belvedere.engine import bus\n"),
    "no-cycles": ("link/port.py", "if TYPE_CHECKING:\n    from belvedere.link import supervisor\n"),
    "pure": ("control/lease.py", "def f():\n    import time\n"),
    "pure-installation": ("installation/plan.py", "def f():\n    import subprocess\n"),
    "control-transport": ("gateway/control_runner.py", "from litestar import WebSocket\n"),
    "bleak": ("link/supervisor.py", "import bleak\n"),
    "video": ("gateway/whep.py", "from av.packet import Packet\n"),
    "webrtc": ("stage/stage.py", "import aiortc\n"),
    "ways": ("stage/hub.py", "if TYPE_CHECKING:\n    from belvedere.stage.stream.peer import StreamPeer\n"),
    "two-ways": ("stage/direct/webrtc_way.py", "from belvedere.stage.stream.messages import SUBPROTOCOL\n"),
    "pure-video": ("stage/stream/backlog.py", "def f():\n    import time\n"),
    "sources": ("stage/sources/v4l2/capture.py", "from belvedere.stage.encoding.encoder import open_encoder\n"),
    "aws": ("stage/ivs/participants.py", "import boto3\n"),
    "passkeys": ("gateway/passkeys.py", "import webauthn\n"),
    "virtual-bluetooth": ("link/port.py", "import bumble.link\n"),
    "no-tests": ("engine/engine.py", "import tests.support.engine_rig\n"),
    "testing": ("app/build.py", "from belvedere.testing import clock\n"),
    "arrays": ("sim/source.py", "import numpy as np\n"),
    "tools": ("sim/room.py", "from tools.painting.scene import paint_room\n"),
}


def holds(*contracts: str) -> bool:
    """Whether these contracts (all of them, when none is named) hold; what breaks them is printed."""
    return lint_imports(
        str(CONFIGURATION), limit_to_contracts=contracts, cache_dir=None, is_debug_mode=True, no_logo=True
    )


@pytest.fixture
def copied_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the sources under which import-linter may be shown a breach."""
    shutil.copytree(
        ROOT / "src/belvedere", tmp_path / "belvedere", ignore=shutil.ignore_patterns("page", "__pycache__")
    )
    monkeypatch.syspath_prepend(tmp_path)
    held = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "belvedere"}
    yield tmp_path / "belvedere"
    sys.modules.update(held)


def test_every_layer_holds() -> None:
    assert holds()


def test_every_contract_has_a_breach_to_be_tried_with() -> None:
    contracts = read_configuration(str(CONFIGURATION))["contracts_options"]
    assert {contract["id"] for contract in contracts} == set(BREACHES)


@pytest.mark.parametrize("contract", BREACHES)
def test_a_breach_is_found(contract: str, copied_sources: Path) -> None:
    module, line = BREACHES[contract]
    with (copied_sources / module).open("a", encoding="utf-8") as file:
        file.write(line)
    assert not holds(contract)


@pytest.mark.parametrize(("module", "sibling"), [("control/core.py", "link.port"), ("stage/hub.py", "access.sessions")])
def test_what_decides_does_sends_and_lets_in_never_see_each_other(
    module: str, sibling: str, copied_sources: Path
) -> None:
    with (copied_sources / module).open("a", encoding="utf-8") as file:
        file.write(f"import belvedere.{sibling}\n")
    assert not holds("layers")


def test_a_package_that_no_layer_names_is_found(copied_sources: Path) -> None:
    (copied_sources / "elsewhere").mkdir()
    (copied_sources / "elsewhere/__init__.py").touch()
    assert not holds("layers")


def test_imports_for_typing_count_as_imports() -> None:
    settings = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert settings["exclude_type_checking_imports"] is False


def test_the_pure_packages_import_nothing_from_others_but_msgspec() -> None:
    graph = grimp.build_graph("belvedere", include_external_packages=True, cache_dir=None)
    pure = {name for part in PURE for name in {f"belvedere.{part}", *graph.find_descendants(f"belvedere.{part}")}}
    outside = {imported for name in pure for imported in graph.find_modules_directly_imported_by(name)}
    third_party = {name for name in outside if name != "belvedere" and not name.startswith("belvedere.")}
    assert third_party - set(sys.stdlib_module_names) <= PURE_MAY_IMPORT
