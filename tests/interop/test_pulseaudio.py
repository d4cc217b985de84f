"""The room's voice with a real PulseAudio and a real browser: tones come through, echoes do not."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import wave
from array import array
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright
from tests.interop.pulse_server import AIR, SPEAKER, PulseServer, pulse_server
from tests.stage.direct.watching import SMALL
from tests.stage.voice.test_talker import packets
from tests.stage.voice.tones import loudness, strength, tone

from belvedere.stage.direct.viewer_ice import ViewerProtocol, ViewerSocket
from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage
from belvedere.stage.voice.hardware import SoundServerHardware
from belvedere.stage.voice.interface import DeviceState, VoicePermission
from belvedere.stage.voice.options import VoiceOptions
from belvedere.stage.voice.opus import OpusDecoder
from belvedere.stage.voice.voice import Voice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from playwright.async_api import Page

    from belvedere.stage.voice.voice import VoiceConnection

pytestmark = [pytest.mark.realtime, pytest.mark.interop]

ROOM_HZ, VISITOR_HZ, ABSENT_HZ = 660.0, 440.0, 930.0
WAIT_S = 90.0
ECHO_DB = 30.0
CHROMIUM_ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--allow-loopback-in-peer-connection"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
    "--autoplay-policy=no-user-gesture-required",
]
JOIN = """async () => {
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const voice = await navigator.mediaDevices.getUserMedia({ audio: plain });
  const connection = (window.connection = new RTCPeerConnection());
  connection.addTransceiver("video", { direction: "recvonly" });
  const audio = connection.addTransceiver("audio", { direction: "sendrecv" });
  await audio.sender.replaceTrack(voice.getAudioTracks()[0]);
  const context = (window.context = new AudioContext());
  const analyser = (window.analyser = context.createAnalyser());
  analyser.fftSize = 8192;
  connection.ontrack = ({ track, streams }) => {
    const element = document.createElement(track.kind);
    element.srcObject = streams[0] ?? new MediaStream([track]);
    element.muted = true;
    document.body.append(element);
    void element.play();
    if (track.kind === "audio") context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  };
  await connection.setLocalDescription(await connection.createOffer());
  await new Promise((done) => {
    connection.onicecandidate = ({ candidate }) => candidate ?? done();
  });
  return connection.localDescription.sdp;
}"""
ACCEPT = "(sdp) => window.connection.setRemoteDescription({ type: 'answer', sdp })"
LEVELS = """(frequencies) => {
  const found = new Float32Array(window.analyser.frequencyBinCount);
  window.analyser.getFloatFrequencyData(found);
  const width = window.context.sampleRate / window.analyser.fftSize;
  return frequencies.map((hz) => Math.max(-200, found[Math.round(hz / width)]));
}"""


class EverybodyMay:
    """Rules that permit all."""

    def permission_of(self, _session: str) -> VoicePermission:
        return VoicePermission(may_listen=True, may_talk=True)


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[PulseServer]:
    with pulse_server(tmp_path) as server:
        yield server


@contextlib.asynccontextmanager
async def a_voice(*, echo_cancellation: bool = False) -> AsyncIterator[Voice]:
    options = VoiceOptions(microphone="Desk-*", speaker=SPEAKER, echo_cancellation=echo_cancellation)
    voice = Voice(SoundServerHardware(options), clock=asyncio.get_running_loop().time, rules=EverybodyMay())
    try:
        yield voice
    finally:
        await voice.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not is_so():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.05)


async def heard(connection: VoiceConnection, count: int) -> array[int]:
    """What the next so many frames of the room's sound contain."""
    decoder, sound = OpusDecoder(), array("h")
    async with asyncio.timeout(WAIT_S):
        for _ in range(count):
            frame = await connection.subscriber.next_frame()
            assert frame is not None
            sound.extend(decoder.decode(frame.data))
    return sound


async def say(connection: VoiceConnection, payloads: list[bytes]) -> None:
    """Say this, a packet every 20 ms."""
    clock = asyncio.get_running_loop().time
    begun_s = clock()
    for number, payload in enumerate(payloads):
        await asyncio.sleep(begun_s + number * 0.02 - clock())
        connection.receive_packet(number * 960, payload)


def pieces(sound: array[int], hz: float) -> list[float]:
    """How much there is of a tone in each fifth of a second, the loudest first."""
    return sorted((strength(sound[at : at + 9600], hz) for at in range(0, len(sound) - 9600, 9600)), reverse=True)


async def test_the_room_is_heard_and_a_visitor_is_heard_in_the_room(pulse: PulseServer) -> None:
    pulse.add_microphone()
    with pulse.playing(tone(ROOM_HZ, 48_000 * 60), AIR):
        async with a_voice() as voice:
            connection = voice.join("ann")
            connection.receive_connected()
            await until(lambda: voice.status.microphone is DeviceState.OPEN)
            await heard(connection, 25)
            sound = await heard(connection, 75)
            assert strength(sound[-48_000:], ROOM_HZ) > 3000
            assert strength(sound[-48_000:], ABSENT_HZ) < 300
            assert voice.hear("ann", is_allowed=True)
            await until(lambda: voice.status.speaker is DeviceState.OPEN)
            with pulse.recording(f"{SPEAKER}.monitor") as played:
                await say(connection, packets(250))
            assert "ann" in voice.status.talking
            connection.leave()
            await until(lambda: voice.status.microphone is DeviceState.CLOSED)
    assert pieces(played, VISITOR_HZ)[5] > 3000
    assert pieces(played, ABSENT_HZ)[0] < 500


async def test_a_microphone_that_is_unplugged_is_told_and_used_again_once_it_is_back(pulse: PulseServer) -> None:
    module = pulse.add_microphone()
    async with a_voice() as voice:
        connection = voice.join("ann")
        connection.receive_connected()
        await until(lambda: voice.status.microphone is DeviceState.OPEN)
        pulse.call("unload-module", module)
        await until(lambda: voice.status.microphone is DeviceState.MISSING)
        assert 'there is no microphone "Desk-*"' in voice.status.problem or "plug one in" in voice.status.problem
        pulse.add_microphone()
        await until(lambda: voice.status.microphone is DeviceState.OPEN)
        assert voice.status.problem == ""
        assert len(await heard(connection, 5)) == 5 * 960


def babble(samples: int) -> array[int]:
    """Something like speech: noise of changing colour in syllables. A canceller learns nothing from a steady tone."""
    chance, low, sound = random.Random(4), 0.0, array("h")
    for number in range(samples):
        low += 0.2 * (chance.uniform(-1, 1) - low)
        syllable = 0.5 - 0.5 * math.cos(2 * math.pi * number / 12_000)
        sound.append(round(24_000 * low * syllable))
    return sound


async def echo_of(pulse: PulseServer, sound: array[int], *, echo_cancellation: bool) -> float:
    """How loud the room's microphone is, at last, while only a visitor's voice is played in the room."""
    async with a_voice(echo_cancellation=echo_cancellation) as voice:
        connection = voice.join("ann")
        connection.receive_connected()
        voice.chime()
        await until(lambda: voice.status.speaker is DeviceState.OPEN)
        await until(lambda: voice.status.has_echo_cancellation is echo_cancellation)
        assert voice.status.problem == ""
        target = "belvedere.speaker" if echo_cancellation else SPEAKER
        with pulse.playing(sound, target):
            await asyncio.sleep(1)
            await until(lambda: voice.status.microphone is DeviceState.OPEN)
            found = await heard(connection, 600)
        return loudness(found[-4 * 48_000 :])


async def test_a_visitors_own_voice_does_not_come_back(pulse: PulseServer) -> None:
    pulse.add_microphone()
    pulse.load("module-loopback", f"source={SPEAKER}.monitor", f"sink={AIR}", "latency_msec=20")
    sound = babble(48_000 * 40)
    plain = await echo_of(pulse, sound, echo_cancellation=False)
    cancelled = await echo_of(pulse, sound, echo_cancellation=True)
    assert plain > 300
    assert 20 * math.log10(plain / max(cancelled, 0.1)) >= ECHO_DB
    assert "belvedere" not in pulse.call("list", "short", "modules")  # it was unloaded


def wav(path: Path, sound: array[int]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(sound.tobytes())


@contextlib.contextmanager
def losing(monkeypatch: pytest.MonkeyPatch, share: float) -> Iterator[None]:
    """Lose this share of all packets of media, both ways."""
    chance = random.Random(9)

    def is_lost(data: bytes) -> bool:
        return len(data) > 12 and 128 <= data[0] <= 191 and not 192 <= data[1] <= 223 and chance.random() < share

    send, receive = ViewerSocket.sendto, ViewerProtocol.datagram_received

    def send_some(self: ViewerSocket, data: bytes, addr: object = None) -> None:
        if not is_lost(bytes(data)):
            send(self, data, addr)  # type: ignore[arg-type]  # as it was called

    def receive_some(self: ViewerProtocol, data: bytes, addr: tuple[object, ...]) -> None:
        if not is_lost(data):
            receive(self, data, addr)

    monkeypatch.setattr(ViewerSocket, "sendto", send_some)
    monkeypatch.setattr(ViewerProtocol, "datagram_received", receive_some)
    yield
    monkeypatch.undo()


async def loudest(page: Page, seconds: float) -> list[float]:
    """The levels in dB of the room's tone and of one that is absent, in the page: the median of several looks."""
    looks = []
    for _ in range(20):
        looks.append(await page.evaluate(LEVELS, [ROOM_HZ, ABSENT_HZ]))
        await asyncio.sleep(seconds / 20)
    return [sorted(values)[10] for values in zip(*looks, strict=True)]


@pytest.mark.browser
@pytest.mark.parametrize("loss", [0.0, 0.02])
async def test_chromium_hears_the_room_and_is_heard_there(
    pulse: PulseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: float
) -> None:
    pulse.add_microphone()
    wav(tmp_path / "visitor.wav", tone(VISITOR_HZ, 48_000 * 30))
    arguments = [*CHROMIUM_ARGUMENTS, f"--use-file-for-fake-audio-capture={tmp_path}/visitor.wav"]
    with pulse.playing(tone(ROOM_HZ, 48_000 * 240), AIR), losing(monkeypatch, loss):
        async with a_voice() as voice, async_playwright() as playwright:
            stage = Stage(PatternSource, SMALL, on_viewers=lambda _count: None)
            webrtc = WebRtc(stage, SMALL, voice=voice)
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
            page = await (await browser.new_context(permissions=["microphone"])).new_page()
            await page.route("**/*", lambda route: route.fulfill(body="<p>", content_type="text/html"))
            await page.goto("http://localhost/")  # where a page may use the microphone
            answer = await webrtc.answer(await page.evaluate(JOIN), "ann")
            await page.evaluate(ACCEPT, answer.sdp)
            await until(lambda: voice.status.microphone is DeviceState.OPEN)
            async with asyncio.timeout(WAIT_S):
                while (levels := await loudest(page, 1.0))[0] < -45:
                    pass
            assert levels[0] > levels[1] + 25
            assert voice.hear("ann", is_allowed=True)
            await until(lambda: "ann" in voice.status.talking)
            with pulse.recording(f"{SPEAKER}.monitor") as played:
                await asyncio.sleep(6)
            await browser.close()
            await stage.close()
    assert pieces(played, VISITOR_HZ)[10] > 1000
    assert pieces(played, ABSENT_HZ)[0] < 500
