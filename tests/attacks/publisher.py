"""Attacks with the publisher's token, and an honest publisher: `python -m tests.attacks.publisher ADDRESS`."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiortc.rtp import HeaderExtensionsMap, RtcpSenderInfo, RtcpSrPacket, RtpPacket
from tests.attacks.client import Session
from tests.attacks.lines import print_line, read_lines
from tests.attacks.priority import run_when_idle
from tests.attacks.watching import watch_cheaply
from tests.stage.direct.publishing import Publisher, Silence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiortc import VideoStreamTrack
    from tests.attacks.target import Target

WHIP = "/api/v1/stage/whip"
TOKEN = "a-token-of-the-attacked-server"  # noqa: S105 (of a server that lives for seconds)
PACKETS_PER_S = 8000.0
IDR, FU_A, BEGIN = 0x65, 0x7C, 0x85


@asynccontextmanager
async def publishing(session: Session, track: VideoStreamTrack | None = None) -> AsyncIterator[Publisher]:
    """A publisher that is connected."""
    publisher = Publisher(track)
    try:
        reply = await session.ask("POST", WHIP, await publisher.offer(), "application/sdp", token=TOKEN)
        assert reply.status == 201, reply
        await publisher.accept(reply.body)
        yield publisher
    finally:
        await publisher.connection.close()


async def publisher_flood(target: Target) -> None:
    """As many packets as fit, of every kind that makes work: unfinished, tiny, endless, out of order; and reports."""
    chance = random.Random(1)
    numbers = itertools.count()
    async with publishing(target.sessions[0], Silence()) as publisher:
        stream = publisher.connection.getTransceivers()[0].sender._ssrc

        async def once() -> None:
            number = next(numbers)
            await publisher.transport._send_rtp(_packet_or_report(chance, publisher.payload_type, stream, number))
            target.did_one("packets")

        await target.at_rate(PACKETS_PER_S, once)


def _packet_or_report(chance: random.Random, payload_type: int, stream: int, number: int) -> bytes:
    def packet(sequence: int, timestamp: int, payload: bytes, *, is_last: bool = False) -> bytes:
        made = RtpPacket(payload_type, int(is_last), sequence % 65536, timestamp % 2**32, stream, payload)
        return made.serialize(HeaderExtensionsMap())

    match number // 2000 % 4:  # for a quarter of a second each
        case 0:  # another access unit with each packet, never complete
            return packet(number, number * 3000, bytes([FU_A, BEGIN]) + chance.randbytes(1150))
        case 1:  # an IDR of a few bytes with each packet
            return packet(number, number * 90, bytes([IDR]) + chance.randbytes(3), is_last=True)
        case 2:  # one access unit without end
            return packet(number, 7, bytes([FU_A, 5]) + chance.randbytes(1150))
        case _ if number % 10:  # out of order and with gaps, so that as many as possible wait for others
            return packet(number + chance.randrange(400), number // 7, bytes([IDR]) + chance.randbytes(1000))
        case _:
            ntp, rtp = chance.randrange(2**64), chance.randrange(2**32)
            about = RtcpSenderInfo(ntp_timestamp=ntp, rtp_timestamp=rtp, packet_count=number, octet_count=number)
            return bytes(RtcpSrPacket(ssrc=stream, sender_info=about))


async def publishers_that_replace_each_other(target: Target) -> None:
    """One publisher after the other, as quickly as they are let in."""
    while True:
        async with publishing(target.sessions[0]):
            target.did_one("publishers")
        await asyncio.sleep(0.2)


ATTACKS = (publisher_flood, publishers_that_replace_each_other)


async def _publish(address: str) -> None:
    async with publishing(Session(address, "")):
        print_line("publishing")
        async for _line in read_lines():
            pass


def main() -> None:
    """Publish until the input ends."""
    run_when_idle()
    watch_cheaply()
    asyncio.run(_publish(sys.argv[1]))


if __name__ == "__main__":
    main()
