"""Connections are tested in `test_aiortc_peer.py`, the counting of viewers in `tests/stage/test_stage.py`."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
import time

import pytest
from tests.stage.fakes import ANSWER, OFFER, StageRig

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.aiortc_peer import AiortcPeer
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.direct.webrtc_way import load_peers
from belvedere.stage.options import ANSWER_TIMEOUT_S, SET_UPS_APART_S


async def refusal(rig: StageRig, offer: str = OFFER) -> StageReason:
    with pytest.raises(StageError) as caught:
        await rig.webrtc.answer(offer, "bob")
    return caught.value.reason


async def test_an_offer_gets_an_answer_and_a_capture_clock() -> None:
    rig = StageRig()
    answer = await rig.webrtc.answer(OFFER, "ann")
    assert answer.sdp == ANSWER
    assert answer.capture_clock.server_ms == 12500
    await rig.stage.close()


@pytest.mark.parametrize("reason", [StageReason.BAD_OFFER, StageReason.NO_COMMON_CODEC])
async def test_an_offer_that_cannot_be_answered_leaves_nothing_behind(reason: StageReason) -> None:
    rig = StageRig(max_viewers=1)
    rig.error = StageError(reason)
    assert await refusal(rig) is reason
    assert not rig.producer.starts
    rig.error = None
    await rig.watch()
    await rig.stage.close()
    assert all(peer.is_closed for peer in rig.peers)


async def test_a_bad_offer_creates_nothing() -> None:
    rig = StageRig()
    assert await refusal(rig, "nonsense") is StageReason.BAD_OFFER
    assert not rig.peers


async def test_connections_are_set_up_one_after_the_other_some_time_apart() -> None:
    rig = StageRig()
    began_at = asyncio.get_running_loop().time()
    await asyncio.gather(*(rig.webrtc.answer(OFFER, owner) for owner in ("ann", "bob", "cid")))
    assert [created_at - began_at for created_at in rig.created_at] == pytest.approx(
        [0, SET_UPS_APART_S, 2 * SET_UPS_APART_S]
    )
    await rig.stage.close()


async def test_a_slow_answer_does_not_delay_other_answers() -> None:
    rig = StageRig()
    rig.delay_s = ANSWER_TIMEOUT_S - 1
    slow = asyncio.create_task(rig.webrtc.answer(OFFER, "ann"))
    await asyncio.sleep(SET_UPS_APART_S)
    rig.delay_s = 0.0
    await rig.webrtc.answer(OFFER, "bob")
    assert not slow.done()
    await slow
    await rig.stage.close()


async def test_nothing_is_created_for_a_viewer_who_left_while_waiting() -> None:
    rig = StageRig()
    answers = [asyncio.create_task(rig.webrtc.answer(OFFER, owner)) for owner in ("ann", "bob", "cid")]
    await asyncio.sleep(SET_UPS_APART_S / 2)
    await rig.stage.end_all_of("bob")
    await asyncio.wait(answers)
    assert len(rig.peers) == 2
    error = answers[1].exception()
    assert isinstance(error, StageError)
    assert error.reason is StageReason.NO_PICTURE
    await rig.stage.close()


async def test_an_answer_that_never_comes_times_out() -> None:
    rig = StageRig()
    rig.delay_s = 10 * ANSWER_TIMEOUT_S
    assert await refusal(rig) is StageReason.NO_PICTURE
    await rig.stage.close()
    assert rig.peers[0].is_closed


async def test_a_cancelled_request_leaves_nothing_behind() -> None:
    rig = StageRig(max_viewers=1)
    rig.delay_s = 1.0
    asking = asyncio.create_task(rig.webrtc.answer(OFFER, "ann"))
    await asyncio.sleep(0.5)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    rig.delay_s = 0.0
    await rig.watch("bob")
    await rig.stage.close()
    assert all(peer.is_closed for peer in rig.peers)


async def test_an_owner_who_leaves_while_being_answered_gets_no_picture() -> None:
    rig = StageRig()
    rig.delay_s = 1.0
    asking = asyncio.create_task(rig.webrtc.answer(OFFER, "ann"))
    await asyncio.sleep(0.5)
    await rig.stage.end_all_of("ann")
    with pytest.raises(StageError) as caught:
        await asking
    assert caught.value.reason is StageReason.NO_PICTURE
    assert not rig.producer.starts


async def test_a_viewer_who_is_set_up_during_a_cut_is_not_lost() -> None:
    rig = StageRig()
    rig.delay_s = 1.0
    asking = asyncio.create_task(rig.webrtc.answer(OFFER, "ann"))
    await asyncio.sleep(0)
    rig.stage.cut()  # before there is a connection
    await asyncio.sleep(0.5)
    rig.stage.cut()  # while it is answered
    await asking
    await rig.stage.close()


def test_the_connections_are_aiortcs() -> None:
    created = load_peers(ViewerNetwork(time.monotonic))
    assert isinstance(created, functools.partial)
    assert created.func is AiortcPeer


@pytest.mark.realtime
def test_a_stage_imports_no_heavy_library_before_the_first_viewer() -> None:
    code = (
        "import sys, belvedere.stage.stage, belvedere.stage.direct.webrtc_way;"
        "import belvedere.sim.source, belvedere.sim.room;"
        "print([name for name in ('av', 'aiortc', 'numpy', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


LOAD = """
import gc
import time
from belvedere.stage.direct import webrtc_way
from belvedere.stage.direct.viewer_network import ViewerNetwork
collections = []
gc.set_threshold(100, 2, 2)  # as if much had been made before
gc.callbacks.append(lambda phase, info: collections.append(info["generation"]))
webrtc_way.load_peers(ViewerNetwork(time.monotonic))
print(collections.count(2))
"""


@pytest.mark.realtime
def test_no_full_garbage_collection_blocks_the_loop_while_heavy_libraries_are_imported() -> None:
    done = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


FIRST = """
import sys
import time
from belvedere.stage.direct import webrtc_way
from belvedere.stage.direct.viewer_network import ViewerNetwork
webrtc_way.load_peers(ViewerNetwork(time.monotonic))
from aiortc import RTCConfiguration, RTCPeerConnection
known = set(sys.modules)
RTCPeerConnection(RTCConfiguration(iceServers=[])).addTransceiver("video")
print(sorted(set(sys.modules) - known))
"""


@pytest.mark.realtime
def test_the_first_connection_imports_nothing_on_the_loop() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
