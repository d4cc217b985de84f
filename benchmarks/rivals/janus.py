"""Debian's Janus with its streaming plugin, fed with what Belvedere's own encoder makes of the same pictures.

This process runs the camera and the encoder, sends what comes out by RTP to Janus, its child, and serves a page that
watches by Janus's own HTTP API. Janus asks for key frames by RTCP, and is told to have the picture shown without delay
(playout-delay). The camera begins anew with each visit, at a random moment, as a camera does that was off.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from belvedere.sim.room import Room
from belvedere.sim.source import RoomSource
from belvedere.stage.direct.rtp_payloads import SharedPayloads
from belvedere.stage.encoding.encoder import open_encoder
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.options import StageOptions
from belvedere.stage.sink import SourceSink
from belvedere.stage.sources.file import FileSource
from belvedere.stage.sources.source import VideoDescription, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from belvedere.stage.sources.source import VideoSource

MODULE = "benchmarks.rivals.janus"
IS = "Debian's Janus 1.1.2: its streaming plugin with playout-delay 0, fed with the same encoder's H.264"
PLUGIN, TRANSPORT = "plugins/libjanus_streaming.so", "transports/libjanus_http.so"
READY_TIMEOUT_S = 15.0
END_TIMEOUT_S = 5.0
POLL_S = 0.05
PAYLOAD_TYPE, SSRC = 96, 0x62656C76
SENDER_REPORT, PAYLOAD_FEEDBACK = 200, 206  # RFC 3550, section 12.1; RFC 4585, section 6.1
PLI, FIR = 1, 4
REPORT_S = 1.0
NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970
RTP_WRAP = 1 << 32

PAGE = """<!doctype html><meta charset="utf-8"><title>Janus</title>
<video autoplay muted playsinline style="width:100%"></video><button>Look around</button>
<script>
const api = `http://${location.hostname}:JANUS_PORT/janus`;
let path = api, handle = 0, connection = null;
const transaction = () => Math.random().toString(36).slice(2);
const post = async (to, message) => {
  const answer = await fetch(to, { method: "POST", body: JSON.stringify({ ...message, transaction: transaction() }) });
  return answer.json();
};
const tell = (body, jsep) => post(`${path}/${handle}`, { janus: "message", body, ...(jsep && { jsep }) });
const answer = async (offer) => {
  connection = new RTCPeerConnection();
  connection.ontrack = ({ streams }) => { document.querySelector("video").srcObject = streams[0]; };
  connection.onicecandidate = ({ candidate }) =>
    post(`${path}/${handle}`, { janus: "trickle", candidate: candidate ?? { completed: true } });
  await connection.setRemoteDescription(offer);
  await connection.setLocalDescription();
  await tell({ request: "start" }, connection.localDescription);
  await tell({ request: "configure", mid: "v", min_delay: 0, max_delay: 0 });
};
const poll = async () => {
  for (;;) {
    const events = await (await fetch(`${path}?maxev=10`)).json();
    for (const event of Array.isArray(events) ? events : [events]) {
      if (event.jsep?.type === "offer") answer(event.jsep);
    }
  }
};
const attached = (async () => {
  path = `${api}/${(await post(api, { janus: "create" })).data.id}`;
  handle = (await post(path, { janus: "attach", plugin: "janus.plugin.streaming" })).data.id;
  poll();
})();
document.querySelector("button").onclick = async () => {
  await attached;
  await tell({ request: "watch", id: 1 });
};
</script>"""


def why_not() -> str | None:
    """Why there is no Janus to compare with, or None."""
    if shutil.which("janus") is None or _library(PLUGIN) is None or _library(TRANSPORT) is None:
        return "Janus is not installed (scripts/bootstrap bench)"
    return None


def command(options: StageOptions | None = None, *, host: str = "127.0.0.1", file: Path | None = None) -> list[str]:
    """What Python runs to watch the room, or a video file, by way of Janus."""
    wanted = options or StageOptions()
    size = [f"--{name}={getattr(wanted, name)}" for name in ("width", "height", "fps", "bitrate_kbps")]
    return ["-m", MODULE, f"--host={host}", *size, *([f"--file={file}"] if file else [])]


class Feeder:
    """Runs the camera and the encoder in a thread, and sends their pictures to a port of this computer by RTP."""

    def __init__(self, create_source: Callable[[], VideoSource], options: StageOptions) -> None:
        self._create_source, self._options = create_source, options
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._payloads = SharedPayloads()
        self._sequence = random.randrange(1 << 16)
        self._sent_packets = self._sent_bytes = 0
        self._reported_s = 0.0
        self._stopping = threading.Event()
        self._sink: SourceSink | None = None

    def start(self, rtp_port: int, rtcp_port: int) -> None:
        """Send from now on."""
        self._rtp.connect(("127.0.0.1", rtp_port))
        self._rtcp.connect(("127.0.0.1", rtcp_port))
        for target in (self._run, self._receive_rtcp):
            threading.Thread(target=target, daemon=True).start()

    def restart(self) -> None:
        """Turn the camera off, and on again at a random moment."""
        self._stopping.set()

    def _run(self) -> None:
        options = self._options
        wanted = VideoDescription(VideoFormat.RAW, options.width, options.height, options.fps)
        while True:
            self._stopping = stopping = threading.Event()
            time.sleep(random.random() / options.fps)
            self._sink = SourceSink(open_encoder, options, time.monotonic, self._send_all)
            self._create_source().run(wanted, self._sink, stopping)
            self._sink.close()

    def _send_all(self) -> None:
        while self._sink is not None and self._sink.outbox:
            delivery = self._sink.outbox.popleft()
            if isinstance(delivery, EncodedFrame):
                self._send(delivery)

    def _send(self, frame: EncodedFrame) -> None:
        if frame.captured_s - self._reported_s >= REPORT_S:  # first of all: it tells Janus whom to ask for key frames
            self._reported_s = frame.captured_s
            _send_to(self._rtcp, self._report(frame.ticks))
        payloads = self._payloads.of(frame)
        for number, payload in enumerate(payloads, 1):
            kind = PAYLOAD_TYPE | (0x80 if number == len(payloads) else 0)
            self._sequence = (self._sequence + 1) % (1 << 16)
            header = struct.pack("!BBHII", 0x80, kind, self._sequence, frame.ticks % RTP_WRAP, SSRC)
            _send_to(self._rtp, header + payload)
            self._sent_packets += 1
            self._sent_bytes += len(payload)

    def _report(self, ticks: int) -> bytes:
        now_s = time.time() + NTP_EPOCH_S
        ntp = int(now_s) % RTP_WRAP, int(now_s % 1 * RTP_WRAP)
        sent = self._sent_packets % RTP_WRAP, self._sent_bytes % RTP_WRAP
        return struct.pack("!BBHIIIIII", 0x80, SENDER_REPORT, 6, SSRC, *ntp, ticks % RTP_WRAP, *sent)

    def _receive_rtcp(self) -> None:
        while True:
            with contextlib.suppress(OSError):  # Janus is not listening yet
                if any(_asks_for_keyframe(packet) for packet in _rtcp_packets(self._rtcp.recv(2048))) and self._sink:
                    self._sink.wants_idr.set()


def _send_to(connected: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # nobody listens yet, or any more
        connected.send(data)


def _rtcp_packets(datagram: bytes) -> Iterator[bytes]:
    while len(datagram) >= 4:
        size = 4 + 4 * int.from_bytes(datagram[2:4], "big")
        yield datagram[:size]
        datagram = datagram[size:]


def _asks_for_keyframe(packet: bytes) -> bool:
    return packet[1] == PAYLOAD_FEEDBACK and packet[0] & 0x1F in {PLI, FIR}


def _configuration(folder: Path, host: str, ports: Sequence[int]) -> None:
    """Write what makes Janus load the two libraries that are needed, and offer one mountpoint."""
    for library in (PLUGIN, TRANSPORT):
        found = _library(library)
        if found is None:
            raise RuntimeError(why_not())
        (folder / library).parent.mkdir()
        (folder / library).symlink_to(found)
    for name in ("events", "loggers"):
        (folder / name).mkdir()
    kinds = ("configs", "plugins", "transports", "events", "loggers")
    folders = "".join(f'  {kind}_folder = "{folder if kind == "configs" else folder / kind}"\n' for kind in kinds)
    http_port, rtp_port, rtcp_port = ports
    files = {
        "janus": f"general: {{\n{folders}  debug_level = 3\n}}\nnat: {{\n  ignore_mdns = true\n}}\n",
        "janus.transport.http": (
            f'general: {{\n  json = "compact"\n  base_path = "/janus"\n  http = true\n  ip = "{host}"\n'
            f"  port = {http_port}\n  https = false\n}}\nadmin: {{\n  admin_http = false\n}}\n"
        ),
        "janus.plugin.streaming": (
            'bench: {\n  type = "rtp"\n  id = 1\n  playoutdelay_ext = true\n  media = ({\n    type = "video"\n'
            f'    mid = "v"\n    port = {rtp_port}\n    rtcpport = {rtcp_port}\n    iface = "127.0.0.1"\n'
            f'    pt = {PAYLOAD_TYPE}\n    codec = "h264"\n'
            '    fmtp = "profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1"\n  })\n}\n'
        ),
    }
    for name, text in files.items():
        (folder / f"{name}.jcfg").write_text(text, encoding="utf-8")


def _library(path: str) -> str | None:
    return next((str(found) for found in Path("/usr/lib").glob(f"*/janus/{path}")), None)


@contextlib.contextmanager
def _janus(host: str, ports: Sequence[int]) -> Iterator[None]:
    """Run Janus until the end of this process, however that comes."""
    with tempfile.TemporaryDirectory() as folder:
        _configuration(Path(folder), host, ports)
        arguments = ["janus", "--configs-folder", folder, "--config", f"{folder}/janus.jcfg"]
        with (Path(folder) / "log").open("w+b") as log:
            process = subprocess.Popen(["setpriv", "--pdeathsig=KILL", *arguments], stdout=log, stderr=log)
            try:
                if not _is_ready(host, ports[0], process):
                    log.seek(0)
                    raise RuntimeError(f"Janus did not start: {log.read().decode(errors='replace')[-2000:]}")
                yield
            finally:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(END_TIMEOUT_S)
                process.kill()


def _is_ready(host: str, port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline_at = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_at and process.poll() is None:
        with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection(host, port)) as connection:
            connection.request("GET", "/janus/info")
            return bool(json.load(connection.getresponse())["janus"] == "server_info")
        time.sleep(POLL_S)
    return False


def _free_ports(host: str, kinds: Sequence[socket.SocketKind]) -> list[int]:
    """Ports that nothing uses, different ones."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, kind)) for kind in kinds]
        for each in sockets:
            each.bind((host, 0))
        return [each.getsockname()[1] for each in sockets]


def _page_server(host: str, janus_port: int, feeder: Feeder) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        """Serves the page, and anything else with an empty answer."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = b""
            if self.path == "/":
                feeder.restart()
                body = PAGE.replace("JANUS_PORT", str(janus_port)).encode()
            self.send_response(http.client.OK)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (its name there)
            """Log nothing."""

    return ThreadingHTTPServer((host, 0), Handler)


def main(arguments: Sequence[str]) -> None:
    """Serve on any port that is free, and print where."""
    default = StageOptions()
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--file", type=Path, help="a video to show; the demo's room without it")
    for name in ("width", "height", "fps", "bitrate_kbps"):
        parser.add_argument(f"--{name}", type=int, default=getattr(default, name))
    given = parser.parse_args(arguments)
    options = StageOptions(width=given.width, height=given.height, fps=given.fps, bitrate_kbps=given.bitrate_kbps)
    room = Room()

    def create_source() -> VideoSource:
        if given.file is not None:
            return FileSource(given.file)
        return RoomSource(room, lambda _at_s: (0.0, 0.0), is_measuring=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    feeder = Feeder(create_source, options)
    http_port, *rtp_ports = _free_ports(given.host, (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_DGRAM))
    with _janus(given.host, (http_port, *rtp_ports)):
        feeder.start(*rtp_ports)
        with _page_server(given.host, http_port, feeder) as server:
            print(f"http://{given.host}:{server.server_port}/", flush=True)
            server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
