"""Attacks by a visitor whom the room hears: what is sent as a voice. The attacked server hears everybody (`heard`)."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING

from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from tests.attacks.media import watching

from belvedere.stage.voice.opus import OpusEncoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.target import Target
    from tests.attacks.watching import Viewer

PACKETS_PER_S = 2000.0
OPUS_TYPE = 96  # aiortc's
FRAME = 960
LONGEST = b"\xfb\x06" + bytes(100)  # six frames of 20 ms
SHORTEST = b"\xe0" + bytes(20)  # one of 2.5 ms
STOLEN_TIMESTAMPS = 0xFFFFFFFF


async def voice_flood(target: Target) -> None:
    """Good packets of Opus, forty times as many as a voice has."""
    encoder = OpusEncoder(32_000)
    chance = random.Random(1)
    good = [encoder.encode(chance.randbytes(2 * FRAME)) for _ in range(50)]
    numbers = itertools.count()
    await _talk(target, lambda: (good[next(numbers) % 50], FRAME))


async def costly_voice(target: Target) -> None:
    """The longest and the shortest packets in turn, and ones that begin well and are none, at any timestamps."""
    chance = random.Random(1)

    def packet() -> tuple[bytes, int]:
        payload = chance.choice([LONGEST, SHORTEST, bytes([chance.randrange(256)]) + chance.randbytes(300)])
        return payload, chance.choice([0, 120, FRAME, 5760, chance.randrange(STOLEN_TIMESTAMPS)])

    await _talk(target, packet)


async def _talk(target: Target, packet: Callable[[], tuple[bytes, int]]) -> None:
    """Send such packets, each with how much later than the last it claims to be."""
    async with watching(
        target.sessions[0], "recvonly", lambda viewer: viewer.connection.addTransceiver("audio", "sendrecv")
    ) as viewer:
        ssrc = viewer.connection.getTransceivers()[1].sender._ssrc
        timestamp = 0
        numbers = itertools.count()

        async def once() -> None:
            nonlocal timestamp
            payload, later = packet()
            timestamp = (timestamp + later) % 2**32
            sent = RtpPacket(OPUS_TYPE, 1, next(numbers) % 65536, timestamp, ssrc, payload)
            await _send(viewer, sent)
            target.did_one("packets")

        await target.at_rate(PACKETS_PER_S, once)


async def _send(viewer: Viewer, packet: RtpPacket) -> None:
    await viewer.send(packet.serialize(HeaderExtensionsMap()))
    await asyncio.sleep(0)


ATTACKS = (voice_flood, costly_voice)
