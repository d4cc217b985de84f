"""Attacks over WebRTC: what a viewer can send on the connection that carries the picture."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import itertools
import os
import random
import re
import socket
import struct
from typing import TYPE_CHECKING

import av
from aiortc.codecs.h264 import H264Encoder
from aiortc.rtp import HeaderExtensionsMap, RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket
from tests.attacks.watching import WHEP, Viewer, WhepError

from belvedere.stage.direct.offer import MAX_LINES, MAX_OFFER_CHARS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from tests.attacks.client import Session
    from tests.attacks.target import Target

UPLOADED = (1920, 1080)
UPLOADED_FRAMES = 500  # of each connection; each is decoded to three megabytes
UPLOADS_PER_S = 4000.0
OPUS_PER_S = 2000.0
NACKS_PER_S = 160.0  # 22 kB/s
HISTORY = 512
FILLING_PLIS = 15
PLIS_PER_S = 50.0
DATAGRAMS_PER_S = 5000.0
ENDLESS_BYTES = 16 * 2**20
AGAIN_S = 0.2
MAGIC_COOKIE = 0x2112A442
PLI, NACK = 1, 1


async def video_upload(target: Target) -> None:
    """Tiny frames that decode to large pictures, and a disconnect while they are being decoded, again and again."""
    frames = await asyncio.to_thread(_tiny_frames)
    await _again(target, "sendrecv", lambda viewer: _upload(target, viewer, frames))


async def audio_upload(target: Target) -> None:
    """Unrequested audio, whether it was negotiated or not."""
    numbers = itertools.count()

    async def once(viewer: Viewer) -> None:
        number = next(numbers)
        packet = RtpPacket(111, 1, number % 65536, number * 960, 1, b"\xfc" + os.urandom(50))
        audio = [each.sender._ssrc for each in viewer.connection.getTransceivers() if each.kind == "audio"]
        if audio:
            packet.payload_type, packet.ssrc = 96, audio[0]
        await viewer.send(packet.serialize(HeaderExtensionsMap()))
        target.did_one("packets")

    async def upload(viewer: Viewer) -> None:
        async with asyncio.timeout(1.0):
            await target.at_rate(OPUS_PER_S, lambda: once(viewer))

    await _again(target, "recvonly", upload, lambda viewer: viewer.connection.addTransceiver("audio", "sendrecv"))


async def endless_message(target: Target) -> None:
    """A message on a data channel that does not end; where there is no channel, as many bytes in datagrams."""

    async def flood(viewer: Viewer) -> None:
        transport = viewer.connection.sctp
        if transport is not None and transport.state == "connected":
            target.did_one("messages")
            await transport._send(1, 53, bytes(ENDLESS_BYTES))
            await asyncio.sleep(60)
        async with asyncio.timeout(1.0):
            await target.at_rate(2000, lambda: _send_data(target, viewer))

    await _again(target, "recvonly", flood, lambda viewer: viewer.connection.createDataChannel("endless"))


async def nack_storm(target: Target) -> None:
    """Endless NACKs for everything that was sent."""

    async def once(viewer: Viewer) -> None:
        newest = viewer.newest
        assert newest is not None
        await viewer.send(nack_of_all_before(newest))
        target.did_one("nacks")

    async with watching(target.sessions[0]) as viewer:
        await _fill_history(viewer)
        viewer.stop_listening()
        await target.at_rate(NACKS_PER_S, lambda: once(viewer))


def nack_of_all_before(newest: RtpPacket) -> bytes:
    """A NACK of the `HISTORY` packets before this one, in rising order, which aiortc needs: these numbers may wrap."""
    lost = sorted((newest.sequence_number - back) % 65536 for back in range(1, HISTORY + 1))
    return bytes(RtcpRtpfbPacket(fmt=NACK, ssrc=1, media_ssrc=newest.ssrc, lost=lost))


async def pli_storm(target: Target) -> None:
    """Endless requests for an IDR."""

    async def once(viewer: Viewer) -> None:
        await _ask_for_idr(viewer)
        target.did_one("plis")

    async with watching(target.sessions[0]) as viewer:
        await target.at_rate(PLIS_PER_S, lambda: once(viewer))


async def garbage_rtcp(target: Target) -> None:
    """RTCP of every kind (reports, BYE, feedback), encrypted correctly, with senseless content."""
    chance = random.Random(1)

    async def once(viewer: Viewer) -> None:
        newest = viewer.newest
        assert newest is not None
        body = struct.pack("!LL", newest.ssrc, newest.ssrc) + chance.randbytes(4 * chance.randrange(250))
        kind, count = chance.randrange(200, 208), chance.randrange(32)
        await viewer.send(struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body)
        target.did_one("packets")

    async with watching(target.sessions[0]) as viewer:
        await target.at_rate(1000, lambda: once(viewer))


async def stray_datagrams(target: Target) -> None:
    """Datagrams that are not STUN, DTLS or SRTP, to the port that serves a viewer."""
    chance = random.Random(1)
    kinds = (0, 1, 20, 22, 23, 63, 64, 127, 128, 191, 200, 255)

    def datagram() -> bytes:
        return bytes([chance.choice(kinds)]) + chance.randbytes(chance.randrange(1, 1200))

    await _at_port(target, datagram)


async def stray_stun(target: Target) -> None:
    """STUN binding requests without USERNAME and MESSAGE-INTEGRITY, to the port that serves a viewer."""

    def request() -> bytes:
        return struct.pack("!HHL", 1, 0, MAGIC_COOKIE) + os.urandom(12)

    await _at_port(target, request)


async def hostile_offers(target: Target) -> None:
    """Offers that are slow to parse, or are answered and never connected."""
    viewer = Viewer()
    viewer.connection.addTransceiver("video", direction="recvonly")
    await viewer.connection.setLocalDescription(await viewer.connection.createOffer())
    offer = viewer.connection.localDescription.sdp
    offers = [offer, *_hostile(offer)]
    numbers = itertools.count()

    async def once() -> None:
        number = next(numbers)
        session = target.sessions[number % len(target.sessions)]
        with contextlib.suppress(ConnectionError):
            reply = await session.ask("POST", WHEP, offers[number % len(offers)], "application/sdp")
            target.did_one(f"answer {reply.status}")

    await target.at_rate(50, once)


async def comings_and_goings(target: Target) -> None:
    """Viewers that connect and disconnect as soon as they have a picture."""

    async def leave(_viewer: Viewer) -> None:
        target.did_one("visits")

    await _again(target, "recvonly", leave)


async def _again(
    target: Target,
    direction: str,
    do: Callable[[Viewer], Coroutine[object, object, None]],
    prepare: Callable[[Viewer], object] = lambda _viewer: None,
) -> None:
    """Connect, do something, disconnect, and again with the next session: the rate of offers is limited by session.

    What `prepare` adds to an offer is left out of every other: where it is refused, what was to be sent is sent anyway.
    """
    for number, session in enumerate(itertools.cycle(target.sessions)):
        try:
            async with watching(session, direction, (lambda _viewer: None) if number % 2 else prepare) as viewer:
                await do(viewer)
        except WhepError:
            target.did_one("refused")
        except TimeoutError:
            pass  # it was done for as long as was wanted
        except (ConnectionError, ValueError):  # what aiortc raises over an answer that refuses a section
            target.did_one("broken off")
        target.did_one("connections")
        await asyncio.sleep(AGAIN_S)


@contextlib.asynccontextmanager
async def watching(
    session: Session, direction: str = "recvonly", prepare: Callable[[Viewer], object] = lambda _viewer: None
) -> AsyncIterator[Viewer]:
    """A viewer who is connected."""
    viewer = Viewer()
    viewer.connection.addTransceiver("video", direction=direction)
    prepare(viewer)
    try:
        await viewer.watch(session)
        yield viewer
    finally:
        await viewer.close()


async def _ask_for_idr(viewer: Viewer) -> None:
    newest = viewer.newest
    assert newest is not None
    await viewer.send(bytes(RtcpPsfbPacket(fmt=PLI, ssrc=1, media_ssrc=newest.ssrc)))


async def _fill_history(viewer: Viewer) -> None:
    """Wait until the server has sent much that can be retransmitted; IDRs are large."""
    for _ in range(FILLING_PLIS):
        await _ask_for_idr(viewer)
        await asyncio.sleep(0.1)


async def _upload(target: Target, viewer: Viewer, frames: list[list[bytes]]) -> None:
    newest = viewer.newest
    assert newest is not None
    ssrc = viewer.connection.getTransceivers()[0].sender._ssrc
    numbers = itertools.count()
    waiting = iter(frames)

    async def once() -> None:
        payloads = next(waiting, None)
        if payloads is None:
            raise TimeoutError  # all were sent
        timestamp = 3000 * next(timestamps)
        for index, payload in enumerate(payloads):
            is_last = int(index == len(payloads) - 1)
            packet = RtpPacket(newest.payload_type, is_last, next(numbers) % 65536, timestamp, ssrc, payload)
            await viewer.send(packet.serialize(HeaderExtensionsMap()))
        target.did_one("frames")

    timestamps = itertools.count()
    await target.at_rate(UPLOADS_PER_S, once)


def _tiny_frames() -> list[list[bytes]]:
    """A large grey picture, and many that say that nothing has changed: RTP payloads of each."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = UPLOADED
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = fractions.Fraction(1, 30)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=infinite:scenecut=0"}
    packer = H264Encoder()
    grey = av.VideoFrame(*UPLOADED, "yuv420p")
    for plane in grey.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    frames = []
    for number in range(8):
        grey.pts = number
        frames += [packer.pack(packet)[0] for packet in encoder.encode(grey)]
    first, *others = frames
    return [first, *itertools.islice(itertools.cycle(others), UPLOADED_FRAMES)]


async def _send_data(target: Target, viewer: Viewer) -> None:
    await viewer.transport._send_data(os.urandom(1000))
    target.did_one("datagrams")


async def _at_port(target: Target, datagram: Callable[[], bytes]) -> None:
    """Send datagrams to where a viewer of ours is served, as anyone could who guesses the port."""
    async with watching(target.sessions[0]) as viewer:
        candidates = re.findall(r"a=candidate:\S+ \d+ udp \d+ (\S+) (\d+) typ host", _answer_of(viewer))
        assert candidates, _answer_of(viewer)
        port = int(candidates[0][1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)

            async def once() -> None:
                with contextlib.suppress(BlockingIOError):
                    sender.sendto(datagram(), ("127.0.0.1", port))
                target.did_one("datagrams")

            await target.at_rate(DATAGRAMS_PER_S, once)


def _answer_of(viewer: Viewer) -> str:
    return str(viewer.connection.remoteDescription.sdp)


def _hostile(offer: str) -> list[str]:
    """Offers as large as one may be, with as much of a kind in them as fits; and one that is larger."""
    room = MAX_OFFER_CHARS - len(offer)
    max_lines = MAX_LINES - len(offer.splitlines())

    def filled(line: Callable[[int], str]) -> str:
        lines: list[str] = []
        length = 0
        for number in range(max_lines):
            length += len(line(number)) + 2
            if length > room:
                break
            lines.append(line(number))
        return offer + "\r\n".join(lines) + "\r\n"

    def of_a_format(n: int) -> str:
        kinds = ("nack", "nack pli", "goog-remb", "ccm fir", "transport-cc", "ccm tmmbr", "x", "y")
        number, place = divmod(n, 2 + len(kinds))
        about = ("H264/90000", "packetization-mode=1;profile-level-id=42e01f", *kinds)[place]
        return f"a={('rtpmap', 'fmtp')[place] if place < 2 else 'rtcp-fb'}:{96 + number % 32} {about}"

    return [
        filled(lambda n: f"a=candidate:{n} 1 udp 1 127.0.0.1 {1024 + n % 60000} typ host"),
        filled(lambda n: f"a=candidate:{n} 1 udp 1 name{n}.invalid 9 typ host"),
        filled(of_a_format),
        filled(lambda n: f"a=rtpmap:{96 + n % 30} H264/90000"),
        filled(lambda n: f"a=extmap:{n} urn:x"),
        filled(lambda n: f"a=ssrc:{n} cname:x"),
        filled(lambda n: f"a=fmtp:{96 + n % 30} " + "a=b;" * 20),
        filled(lambda n: f"a=group:BUNDLE {n}"),
        filled(lambda n: f"m=video 9 UDP/TLS/RTP/SAVPF {n % 128}"),
        filled(lambda _: "a=" + "x" * 200),
        "v=0\r\n" + "a" * room,
        offer + "a=x\r\n" * 12_000,
    ]


ATTACKS = (
    video_upload,
    audio_upload,
    endless_message,
    nack_storm,
    pli_storm,
    garbage_rtcp,
    stray_datagrams,
    stray_stun,
    hostile_offers,
    comings_and_goings,
)
