"""From a visitor's mouth to the room's loudspeaker, and what the voice costs.

Chromium plays beeps into its connection. A PulseAudio of the benchmark's own has the loudspeaker, which is recorded.
The time from a beep's start to when it is heard there contains the browser's encoder, the network (loopback), what
waits for its turn, the decoder, and the sound server; also some 10 ms of the recorder's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
import threading
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.async_api import async_playwright
from tests.interop.pulse_server import AIR, RAW, SPEAKER, pulse_server
from tests.stage.direct.watching import SMALL
from tests.stage.voice.tones import tone

from belvedere.stage.direct.webrtc_way import WebRtc
from belvedere.stage.sources.pattern import PatternSource
from belvedere.stage.stage import Stage
from belvedere.stage.voice.hardware import SoundServerHardware
from belvedere.stage.voice.interface import VoicePermission
from belvedere.stage.voice.options import VoiceOptions
from belvedere.stage.voice.voice import Voice
from benchmarks.report import Result, compare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Page

ROUNDS = 3
BEEPS = 10
APART_S = 2.03  # longer than anything that waits: else one beep would be taken for the next
SETTLE_S = 6.0
CPU_S = 10.0
LOUD = 1500
BEEP_TIMEOUT_S = 5.0
BUDGET_MS, BUDGET_PERCENT = 100.0, 3.0
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--allow-loopback-in-peer-connection"),
    "--autoplay-policy=no-user-gesture-required",
]
JOIN = """async () => {
  const context = (window.context = new AudioContext({ latencyHint: "interactive" }));
  window.mouth = context.createMediaStreamDestination();
  const connection = (window.connection = new RTCPeerConnection());
  connection.addTransceiver("video", { direction: "recvonly" });
  const audio = connection.addTransceiver("audio", { direction: "sendrecv" });
  await audio.sender.replaceTrack(window.mouth.stream.getAudioTracks()[0]);
  connection.ontrack = ({ track }) => {
    const element = document.createElement(track.kind);
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    void element.play();
  };
  await connection.setLocalDescription(await connection.createOffer());
  await new Promise((done) => {
    connection.onicecandidate = ({ candidate }) => candidate ?? done();
  });
  return connection.localDescription.sdp;
}"""
ACCEPT = "(sdp) => window.connection.setRemoteDescription({ type: 'answer', sdp })"
BEEP = """() => {
  const source = window.context.createOscillator();
  source.frequency.value = 1000;
  source.connect(window.mouth);
  source.start();
  source.stop(window.context.currentTime + 0.1);
  return (performance.timeOrigin + performance.now()) / 1000;
}"""


class Ear:
    """Hears when it becomes loud on the room's loudspeaker."""

    def __init__(self) -> None:
        self.heard_s: float | None = None

    def forget(self) -> None:
        """Hear the next."""
        self.heard_s = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Meanwhile."""
        command = ["parec", f"--device={SPEAKER}.monitor", *RAW, "--latency-msec=10"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process:
            thread = threading.Thread(target=self._listen, args=(process,))
            thread.start()
            try:
                yield
            finally:
                process.kill()
                thread.join()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        output = process.stdout
        while output is not None and (data := output.read(4096)):
            now_s, samples = time.time(), array("h", data[: len(data) // 2 * 2])
            loud = next((at for at, sample in enumerate(samples) if abs(sample) > LOUD), None)
            if loud is not None and self.heard_s is None:
                self.heard_s = now_s - (len(samples) - loud) / 48_000


class _EverybodyMay:
    def permission_of(self, _session: str) -> VoicePermission:
        return VoicePermission(may_listen=True, may_talk=True)


class Ours:
    """A stage with a picture and a voice."""

    def __init__(self) -> None:
        options = VoiceOptions(microphone="Desk-*", speaker=SPEAKER, echo_cancellation=False)
        clock = asyncio.get_running_loop().time
        self.rules: _EverybodyMay | None = _EverybodyMay()
        self.voice = Voice(SoundServerHardware(options), clock=clock, rules=self.rules)
        self._stage = Stage(PatternSource, SMALL, on_viewers=lambda _count: None)
        self._webrtc = WebRtc(self._stage, SMALL, voice=self.voice)

    async def answer(self, offer: str) -> str:
        """The answer to the browser."""
        return (await self._webrtc.answer(offer, "ann")).sdp

    async def talk(self) -> None:
        """Hear the visitor, as soon as it is connected."""
        while not self.voice.hear("ann", is_allowed=True):  # noqa: ASYNC110 (it has no event)
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        """End everything."""
        await self._stage.close()
        await self.voice.close()


@contextlib.asynccontextmanager
async def _page(server: Ours) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page()
        await page.evaluate(ACCEPT, await server.answer(await page.evaluate(JOIN)))
        await page.wait_for_function("window.connection.connectionState === 'connected'")
        try:
            yield page
        finally:
            await browser.close()
            await server.close()


async def _mouth_to_ear(server: Ours) -> list[float]:
    """How long each beep took, in milliseconds."""
    ear, found = Ear(), []
    async with _page(server) as page:
        await server.talk()
        with ear.listening():
            await asyncio.sleep(SETTLE_S)
            for _ in range(BEEPS):
                ear.forget()
                said_s = await page.evaluate(BEEP)
                async with asyncio.timeout(BEEP_TIMEOUT_S):
                    while (heard_s := ear.heard_s) is None:  # noqa: ASYNC110 (a thread sets it)
                        await asyncio.sleep(0.02)
                found.append((heard_s - said_s) * 1000)
                await asyncio.sleep(APART_S)
    return found


def _busy_s() -> float:
    """The processor time of this process and the sound programs that it has started, but not of the browser."""
    by_thread = Path("/proc/self/task").glob("*/children")
    programs = (Path("/proc") / number for each in by_thread for number in each.read_text(encoding="ascii").split())
    own = (each for each in programs if (each / "comm").read_text().strip() in {"parec", "pacat"})
    return time.process_time() + sum(_ticks(each) for each in own) / os.sysconf("SC_CLK_TCK")


def _ticks(process: Path) -> int:
    """User and system time of a process."""
    fields = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def _costs() -> float:
    """What hearing the room and talking to it adds to the picture, in percent of a core."""
    server = Ours()
    async with _page(server) as page:
        server.voice.rules = None
        await asyncio.sleep(SETTLE_S)
        begun_s = _busy_s()
        await asyncio.sleep(CPU_S)
        silent_s = _busy_s() - begun_s
        server.voice.rules = server.rules
        await server.talk()
        await asyncio.sleep(SETTLE_S)
        begun_s = _busy_s()
        for _ in range(int(CPU_S)):
            await page.evaluate(BEEP)
            await asyncio.sleep(1)
        return (_busy_s() - begun_s - silent_s) / CPU_S * 100


async def _measure() -> tuple[list[list[float]], list[float]]:
    ours, costs = [], []
    for _ in range(ROUNDS):
        ours.append(await _mouth_to_ear(Ours()))
        costs.append(await _costs())
    return ours, costs


def run() -> list[Result]:
    """Beep, and count."""
    with tempfile.TemporaryDirectory() as folder, pulse_server(Path(folder)) as pulse:
        pulse.add_microphone()
        pulse.load("module-null-sink", "sink_name=elsewhere")
        pulse.call("set-default-sink", "elsewhere")  # where the browser plays
        with pulse.playing(tone(660, 48_000 * 600), AIR):
            ours, costs = asyncio.run(_measure())
    return [
        compare(
            "voice-mouth-to-ear",
            f"from a sound in the browser to the room's loudspeaker over loopback, median of {BEEPS}",
            "ms",
            ours=[sorted(each)[len(each) // 2] for each in ours],
            budget=BUDGET_MS,
        ),
        compare(
            "voice-cpu",
            "processor time that hearing the room and talking to it adds, with parec and pacat",
            "% of a core",
            ours=costs,
            budget=BUDGET_PERCENT,
        ),
    ]
