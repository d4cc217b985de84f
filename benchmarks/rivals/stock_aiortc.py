"""aiortc as it comes: a connection with an encoder of its own for every viewer, showing the same room."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from fractions import Fraction

import av
import uvicorn
import uvloop
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from litestar import Litestar, MediaType, get, post

from belvedere.sim.room import Room
from belvedere.sim.source import RoomSource
from belvedere.stage.sources.source import Picture

WIDTH, HEIGHT, FPS = 1280, 720, 30
RTP_CLOCK_HZ = 90_000

PAGE = """<!doctype html><meta charset="utf-8"><title>stock aiortc</title>
<video autoplay muted playsinline style="width:100%"></video><button>Look around</button>
<script>
document.querySelector("button").onclick = async () => {
  const connection = new RTCPeerConnection();
  const transceiver = connection.addTransceiver("video", { direction: "recvonly" });
  transceiver.setCodecPreferences(
    RTCRtpReceiver.getCapabilities("video").codecs.filter(({ mimeType }) => mimeType === "video/H264"));
  connection.ontrack = ({ track }) => {
    document.querySelector("video").srcObject = new MediaStream([track]);
  };
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") {
    await new Promise((done) => connection.addEventListener("icegatheringstatechange", done, { once: true }));
  }
  const answer = await fetch("/offer", { method: "POST", body: connection.localDescription.sdp });
  await connection.setRemoteDescription({ type: "answer", sdp: await answer.text() });
};
</script>"""

ROOM = Room()
connections: set[RTCPeerConnection] = set()


class RoomTrack(MediaStreamTrack):
    """The room, 30 times a second."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._source = RoomSource(ROOM, lambda _at_s: (0.0, 0.0), is_measuring=True)
        self._source.open(WIDTH, HEIGHT, FPS)
        self._due_s = time.monotonic()

    async def recv(self) -> av.VideoFrame:
        """The next picture."""
        self._due_s = max(self._due_s + 1 / FPS, time.monotonic() - 1 / FPS)
        await asyncio.sleep(self._due_s - time.monotonic())
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        y, u, v = (memoryview(plane) for plane in frame.planes)
        now = time.monotonic()
        self._source.read(now, Picture(WIDTH, HEIGHT, y, u, v))
        frame.pts, frame.time_base = int(now * RTP_CLOCK_HZ), Fraction(1, RTP_CLOCK_HZ)
        return frame


@get("/", media_type=MediaType.HTML)
async def page() -> str:
    """A page with a button."""
    return PAGE


@get("/readyz")
async def ready() -> str:
    """The room is decoded before the server starts."""
    return "ready"


@post("/offer", media_type=MediaType.TEXT)
async def offer(body: bytes) -> str:
    """An offer in, an answer out."""
    connection = RTCPeerConnection()
    connections.add(connection)
    connection.addTrack(RoomTrack())
    await connection.setRemoteDescription(RTCSessionDescription(body.decode(), "offer"))
    await connection.setLocalDescription(await connection.createAnswer())

    @connection.on("connectionstatechange")
    async def receive_state() -> None:
        if connection.connectionState in {"failed", "closed"}:
            connections.discard(connection)
            await connection.close()

    return str(connection.localDescription.sdp)


def main() -> None:
    """Serve on any port that is free, and print where."""
    logging.getLogger("aioice").setLevel(logging.ERROR)
    ROOM.decoded()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Litestar([page, ready, offer]), log_level="warning", loop="none")
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    main()
