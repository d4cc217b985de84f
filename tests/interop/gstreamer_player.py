"""A WHEP player made of GStreamer's webrtcbin, for Debian's Python: `python3 gstreamer_player.py URL TOKEN FRAMES`.

It sends the offer that webrtcbin makes, unchanged, and prints a JSON line: the answer, its headers, and the types
of the NAL units in each of the first FRAMES access units that arrived.
"""

import json
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 (after the versions)

TIMEOUT_S = 20
CAPS = "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96"
PARSED = "video/x-h264,stream-format=byte-stream,alignment=au"


class Player:
    """One connection; ends the loop once it has received enough."""

    def __init__(self, url: str, token: str, frames: int) -> None:
        self.loop = GLib.MainLoop()
        self.frames: list[list[int]] = []
        self.headers: dict[str, str] = {}
        self.answer = ""
        parts = urlsplit(url)
        self._server = HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
        self._path, self._token, self._wanted = parts.path, token, frames
        self._pipeline = Gst.Pipeline.new("player")
        self._peer = Gst.ElementFactory.make("webrtcbin", "peer")
        self._peer.set_property("bundle-policy", "max-bundle")
        self._pipeline.add(self._peer)
        self._peer.connect("pad-added", self._receive_pad)
        self._peer.connect("notify::ice-gathering-state", self._receive_gathering)
        self._peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(CAPS))

    def run(self) -> bool:
        """Play until enough has arrived, or the time is over; returns whether it has."""
        GLib.timeout_add_seconds(TIMEOUT_S, self.loop.quit)
        self._pipeline.set_state(Gst.State.PLAYING)
        self._peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._receive_offer))
        self.loop.run()
        self._delete()
        self._pipeline.set_state(Gst.State.NULL)
        return len(self.frames) >= self._wanted

    def _receive_offer(self, promise: Gst.Promise) -> None:
        reply = promise.get_reply()  # kept in a variable: it owns the offer
        offer = reply.get_value("offer")
        self._peer.emit("set-local-description", offer, Gst.Promise.new())

    def _receive_gathering(self, *_: object) -> None:
        if self._peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._send_offer)

    def _send_offer(self) -> bool:
        offer = self._peer.get_property("local-description").sdp.as_text()
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self._token}"}
        self._server.request("POST", self._path, offer, headers)
        response = self._server.getresponse()
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.answer = response.read().decode()
        _, message = GstSdp.SDPMessage.new_from_text(self.answer)
        described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self._peer.emit("set-remote-description", described, Gst.Promise.new())
        return False

    def _receive_pad(self, _peer: Gst.Element, pad: Gst.Pad) -> None:
        chain = Gst.parse_bin_from_description(f"rtph264depay ! h264parse ! {PARSED} ! appsink name=frames", True)
        sink = chain.get_by_name("frames")
        sink.set_property("emit-signals", True)
        sink.set_property("sync", False)
        sink.connect("new-sample", self._receive_frame)
        self._pipeline.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad("sink"))

    def _receive_frame(self, sink: Gst.Element) -> Gst.FlowReturn:
        buffer = sink.emit("pull-sample").get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        self.frames.append([unit[0] & 0x1F for unit in data.split(b"\0\0\1")[1:]])
        if len(self.frames) == self._wanted:
            GLib.idle_add(self.loop.quit)
        return Gst.FlowReturn.OK

    def _delete(self) -> None:
        location = self.headers.get("location")
        if location is not None:
            self._server.request("DELETE", location, headers={"Authorization": f"Bearer {self._token}"})
            self._server.getresponse().read()


def main() -> int:
    """Play; returns 0 if enough arrived."""
    Gst.init(None)
    player = Player(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    is_played = player.run()
    result = {"answer": player.answer, "headers": player.headers, "frames": player.frames}
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if is_played else 1


if __name__ == "__main__":
    sys.exit(main())
