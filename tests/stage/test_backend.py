from __future__ import annotations

import subprocess
import sys

import pytest

from belvedere.stage.backend import load_backend
from belvedere.stage.direct.aiortc_peer import DirectPeer


def test_the_backend_contains_the_real_parts() -> None:
    assert load_backend().peer is DirectPeer


@pytest.mark.realtime
def test_a_stage_imports_no_heavy_library_before_the_first_viewer() -> None:
    code = (
        "import sys, belvedere.stage.stage, belvedere.sim.source, belvedere.sim.room;"
        "print([name for name in ('av', 'aiortc', 'numpy', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


LOAD = """
import gc
from belvedere.stage import backend
collections = []
gc.set_threshold(100, 2, 2)  # as if much had been made before
gc.callbacks.append(lambda phase, info: collections.append(info["generation"]))
backend.load_backend()
print(collections.count(2))
"""


@pytest.mark.realtime
def test_no_full_garbage_collection_blocks_the_loop_while_heavy_libraries_are_imported() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


FIRST = """
import sys
from belvedere.stage import backend
backend.load_backend()
from aiortc import RTCConfiguration, RTCPeerConnection
known = set(sys.modules)
RTCPeerConnection(RTCConfiguration(iceServers=[])).addTransceiver("video")
print(sorted(set(sys.modules) - known))
"""


@pytest.mark.realtime
def test_the_first_connection_imports_nothing_on_the_loop() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
