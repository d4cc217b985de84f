"""Connections are tested in `test_aiortc_peer.py`, the counting of viewers in `tests/stage/test_stage.py`."""

from __future__ import annotations

import functools
import subprocess
import sys

import pytest

from belvedere.stage.direct.aiortc_peer import AiortcPeer
from belvedere.stage.direct.way import load_peers


def test_the_connections_are_aiortcs() -> None:
    created = load_peers()
    assert isinstance(created, functools.partial)
    assert created.func is AiortcPeer


@pytest.mark.realtime
def test_a_stage_imports_no_heavy_library_before_the_first_viewer() -> None:
    code = (
        "import sys, belvedere.stage.stage, belvedere.stage.direct.way, belvedere.sim.source, belvedere.sim.room;"
        "print([name for name in ('av', 'aiortc', 'numpy', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


LOAD = """
import gc
from belvedere.stage.direct import way
collections = []
gc.set_threshold(100, 2, 2)  # as if much had been made before
gc.callbacks.append(lambda phase, info: collections.append(info["generation"]))
way.load_peers()
print(collections.count(2))
"""


@pytest.mark.realtime
def test_no_full_garbage_collection_blocks_the_loop_while_heavy_libraries_are_imported() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


FIRST = """
import sys
from belvedere.stage.direct import way
way.load_peers()
from aiortc import RTCConfiguration, RTCPeerConnection
known = set(sys.modules)
RTCPeerConnection(RTCConfiguration(iceServers=[])).addTransceiver("video")
print(sorted(set(sys.modules) - known))
"""


@pytest.mark.realtime
def test_the_first_connection_imports_nothing_on_the_loop() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
