"""A WHIP publisher made of GStreamer's webrtcbin, for Debian's Python: `python3 gstreamer_publisher.py URL TOKEN`.

It sends the offer that webrtcbin makes, unchanged, prints a line once it is connected, and publishes a test picture
until its input ends; then it deletes its resource.
"""

import sys
import threading
from http.client import HTTPConnection
from urllib.parse import urlsplit

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 (after the versions)

TIMEOUT_S = 20
PIPELINE = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=30/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast bitrate=1000 key-int-max=3000 ! video/x-h264,profile=baseline ! "
    "rtph264pay config-interval=-1 aggregate-mode=zero-latency ! "
    "application/x-rtp,media=video,encoding-name=H264,payload=96 ! webrtcbin name=peer bundle-policy=max-bundle"
)


class Publisher:
    """One connection."""

    def __init__(self, url: str, token: str) -> None:
        self.loop = GLib.MainLoop()
        parts = urlsplit(url)
        self._server = HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
        self._path, self._headers = parts.path, {"Authorization": f"Bearer {token}"}
        self._location = ""
        self._pipeline = Gst.parse_launch(PIPELINE)
        self._peer = self._pipeline.get_by_name("peer")
        self._peer.connect("on-negotiation-needed", self._offer)
        self._peer.connect("notify::ice-gathering-state", self._receive_gathering)
        self._peer.connect("notify::connection-state", self._receive_connection)
        sending = self._peer.emit("get-transceiver", 0)
        sending.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)

    def run(self) -> None:
        """Publish until the loop is ended."""
        self._pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        if self._location:
            self._server.request("DELETE", self._location, headers=self._headers)
            self._server.getresponse().read()
        self._pipeline.set_state(Gst.State.NULL)

    def _offer(self, *_: object) -> None:
        self._peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._receive_offer))

    def _receive_offer(self, promise: Gst.Promise) -> None:
        reply = promise.get_reply()  # kept in a variable: it owns the offer
        self._peer.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    def _receive_gathering(self, *_: object) -> None:
        if self._peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self._send_offer)

    def _send_offer(self) -> bool:
        offer = self._peer.get_property("local-description").sdp.as_text()
        self._server.request("POST", self._path, offer, {"Content-Type": "application/sdp", **self._headers})
        response = self._server.getresponse()
        self._location = response.getheader("location") or ""
        _, message = GstSdp.SDPMessage.new_from_text(response.read().decode())
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self._peer.emit("set-remote-description", answer, Gst.Promise.new())
        return False

    def _receive_connection(self, *_: object) -> None:
        if self._peer.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            sys.stdout.write("publishing\n")
            sys.stdout.flush()


def main() -> None:
    """Publish until the input ends."""
    Gst.init(None)
    publisher = Publisher(sys.argv[1], sys.argv[2])

    def wait_for_end() -> None:
        sys.stdin.read()
        GLib.idle_add(publisher.loop.quit)

    threading.Thread(target=wait_for_end, daemon=True).start()
    publisher.run()


if __name__ == "__main__":
    main()
