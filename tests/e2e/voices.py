"""A voice for the running server without a sound card: it obeys the rules, and remembers whom it would let be heard."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.fake_voice import FakeVoice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page
    from tests.e2e.conftest import RunningServer

# The server answers the page's offer of sound as if it had a sound card; all else is the browser's own.
ANSWER_SOUND = """Object.defineProperty(RTCRtpTransceiver.prototype, "currentDirection", {
  get() { return this.receiver.track.kind === "audio" ? "sendrecv" : "recvonly"; },
})"""
# What the page puts into the connection, and the state of each track of the microphone: "live" or "ended".
WATCH_MICROPHONE = """(() => {
  window.tracks = [];
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
})()"""
LIVE_TRACKS = "window.tracks.filter((track) => track.readyState === 'live').length"


def give_sound(page: Page) -> None:
    """Let this page's connections carry sound, and count its open microphones."""
    page.add_init_script(ANSWER_SOUND)
    page.add_init_script(WATCH_MICROPHONE)


class ServerVoice(FakeVoice):
    """Every session that is live has a connection with sound."""

    def use(self, server: RunningServer) -> None:
        """Follow the sessions of this server."""
        self._invitations = server._belvedere.invitations

    @property
    def sessions(self) -> list[str]:
        """The sessions that are live."""
        return [session.id for session, _ in self._invitations.sessions()]


@contextmanager
def voice_of(server: RunningServer) -> Iterator[ServerVoice]:
    """Give the running server a voice, until the end of the block."""
    rules = server._belvedere.voice
    voice = ServerVoice(rules, rules.receive_voice_changed)
    voice.use(server)
    server.do(lambda: rules.attach(voice))
    try:
        yield voice
    finally:
        server.do(lambda: setattr(rules, "_voice", None))
