"""A PulseAudio of the test's own, with a room in it: what is played on `air` is what its microphone hears."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MICROPHONE, SPEAKER, AIR = "room_microphone", "room_speaker", "room_air"
RAW = ("--raw", "--format=s16ne", "--rate=48000", "--channels=1")
START_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 30.0


class PulseServer:
    """Talks to the server; its address is in the environment of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def call(self, *arguments: str) -> str:
        """Ask the server."""
        done = subprocess.run(["pactl", *arguments], capture_output=True, timeout=CALL_TIMEOUT_S, check=True)
        return done.stdout.decode().strip()

    def load(self, *arguments: str) -> str:
        """Load a module; returns its number."""
        return self.call("load-module", *arguments)

    def add_microphone(self) -> str:
        """Plug the room's microphone in; returns the number of its module."""
        properties = "source_properties=device.description=Desk-microphone"
        return self.load("module-remap-source", f"master={AIR}.monitor", f"source_name={MICROPHONE}", properties)

    @contextlib.contextmanager
    def playing(self, sound: array[int], device: str) -> Iterator[None]:
        """Play this on a device meanwhile."""
        path = self.folder / f"{device}.raw"
        path.write_bytes(sound.tobytes())
        command = ["pacat", "--playback", f"--device={device}", *RAW, str(path)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.kill()

    @contextlib.contextmanager
    def recording(self, device: str) -> Iterator[array[int]]:
        """What a device delivers meanwhile; it is there after the block."""
        path, sound = self.folder / "recorded.raw", array("h")
        with path.open("wb") as output:
            process = subprocess.Popen(["parec", f"--device={device}", *RAW, "--latency-msec=20"], stdout=output)
            try:
                yield sound
            finally:
                process.kill()
                process.wait(CALL_TIMEOUT_S)
        data = path.read_bytes()
        sound.frombytes(data[: len(data) // 2 * 2])


@contextlib.contextmanager
def pulse_server(folder: Path) -> Iterator[PulseServer]:
    """Run a server until the end of the block, where this process and those that it starts find it."""
    socket = folder / "pulse"
    names = {
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_RUNTIME_PATH": str(folder),
        "PULSE_COOKIE": str(folder / "cookie"),
    }
    before = {name: os.environ.get(name) for name in names}
    os.environ |= names
    command = [
        *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"),
        *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"),
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            server = PulseServer(folder)
            _wait_until_ready(server, process)
            for name in (SPEAKER, AIR):
                server.load("module-null-sink", f"sink_name={name}", "rate=48000", "channels=1")
            yield server
        finally:
            process.terminate()
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _wait_until_ready(server: PulseServer, process: subprocess.Popen[bytes]) -> None:
    deadline_at = time.monotonic() + START_TIMEOUT_S
    while True:
        with contextlib.suppress(subprocess.CalledProcessError):
            server.call("info")
            return
        assert process.poll() is None, (server.folder / "log").read_text()
        assert time.monotonic() < deadline_at, "the sound server did not start"
        time.sleep(0.05)  # it has no other sign
