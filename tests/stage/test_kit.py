from __future__ import annotations

import subprocess
import sys

import pytest

from belvedere.stage.direct import DirectPeer
from belvedere.stage.kit import load_kit


def test_the_kit_holds_the_real_parts() -> None:
    assert load_kit().peer is DirectPeer


@pytest.mark.realtime
def test_a_stage_costs_nothing_heavy_until_the_first_viewer() -> None:
    code = (
        "import sys, belvedere.stage.stage, belvedere.sim.source, belvedere.sim.room;"
        "print([name for name in ('av', 'aiortc', 'numpy', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
