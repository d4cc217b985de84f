"""Our connection to a server that takes what is published; `tests/support/test_ivs_stand_in.py` has one connected."""

from __future__ import annotations

import asyncio
import time

import pytest
from tests.stage.direct.watching import SMALL

from belvedere.errors import StageError, StageReason
from belvedere.stage.direct.offering_peer import OfferingPeer
from belvedere.stage.direct.rtp_payloads import SharedPayloads
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.hub import Subscriber

pytestmark = pytest.mark.realtime


class Listener:
    """Ignores what the connection says."""

    def receive_connected(self) -> None:
        """Ignore it."""

    def receive_ended(self) -> None:
        """Ignore it."""

    def report_capacity(self, bits_per_s: float) -> None:
        """Ignore it."""

    def report_loss(self, share: float) -> None:
        """Ignore it."""

    def report_round_trip(self, seconds: float) -> None:
        """Ignore it."""


def open_peer() -> OfferingPeer:
    return OfferingPeer(
        SMALL,
        Subscriber(),
        0,
        lambda: None,
        Listener(),
        payloads=SharedPayloads(),
        network=ViewerNetwork(time.monotonic),
    )


async def test_it_offers_one_video_in_constrained_baseline_and_only_to_send() -> None:
    peer = open_peer()
    offer = (await peer.offer()).splitlines()
    assert [line.split()[0] for line in offer if line.startswith("m=")] == ["m=video"]
    assert "a=sendonly" in offer
    codecs = {line.split()[1] for line in offer if line.startswith("a=rtpmap:")}
    assert codecs == {"H264/90000", "rtx/90000"}
    profiles = [line for line in offer if "profile-level-id" in line]
    assert profiles
    assert all("profile-level-id=42e01f" in line for line in profiles)
    assert any(line.startswith("a=candidate:") for line in offer)
    await peer.close()


@pytest.mark.parametrize("answer", ["", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"])
async def test_an_answer_that_cannot_be_used_is_an_error_of_the_stage(answer: str) -> None:
    peer = open_peer()
    await peer.offer()
    with pytest.raises(StageError) as caught:
        await peer.accept(answer)
    assert caught.value.reason is StageReason.BAD_OFFER
    await peer.close()
    await asyncio.sleep(0.05)
