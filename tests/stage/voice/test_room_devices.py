from __future__ import annotations

import pytest

from belvedere.errors import SoundError
from belvedere.stage.voice.devices import Device, DeviceKind
from belvedere.stage.voice.options import VoiceOptions
from belvedere.stage.voice.room_devices import RoomDevices

MICROPHONE, SPEAKER = DeviceKind.MICROPHONE, DeviceKind.SPEAKER
CANCELLED = {MICROPHONE: "belvedere.microphone", SPEAKER: "belvedere.speaker"}


class Server:
    """A sound server with devices of these names."""

    def __init__(self) -> None:
        self.names = {MICROPHONE: "mic", SPEAKER: "box"}
        self.has_canceller = True
        self.calls: list[str] = []

    def find(self, kind: DeviceKind, _wanted: str) -> Device:
        if kind not in self.names:
            raise SoundError("plug one in", is_missing=True)
        return Device(self.names[kind], "")

    def load_canceller(self, microphone: Device, speaker: Device) -> None:
        self.calls.append(f"load {microphone.name} {speaker.name}")
        if not self.has_canceller:
            raise SoundError("no canceller")

    def unload_canceller(self) -> None:
        self.calls.append("unload")


@pytest.fixture
def server() -> Server:
    return Server()


def devices(server: Server, *, echo_cancellation: bool = True) -> RoomDevices:
    return RoomDevices(VoiceOptions(echo_cancellation=echo_cancellation), server)


def test_a_room_that_only_speaks_needs_no_canceller(server: Server) -> None:
    with devices(server).opened(MICROPHONE) as name:
        assert name == "mic"
    assert server.calls == []


def test_the_canceller_comes_with_the_speaker_and_goes_when_both_are_closed(server: Server) -> None:
    room = devices(server)
    with room.opened(MICROPHONE):
        with room.opened(SPEAKER) as name:
            assert name == CANCELLED[SPEAKER]
            assert room.has_canceller
            assert room.has_changed(MICROPHONE)  # it is to be opened anew, behind the canceller
            assert not room.has_changed(SPEAKER)
        assert server.calls == ["load mic box"]
    assert server.calls == ["load mic box", "unload"]
    assert not room.has_canceller


def test_it_is_not_used_where_the_owner_wants_none(server: Server) -> None:
    with devices(server, echo_cancellation=False).opened(SPEAKER) as name:
        assert name == "box"
    assert server.calls == []


def test_without_a_working_one_both_are_used_as_they_are_and_it_is_told_and_not_tried_again(server: Server) -> None:
    server.has_canceller, room = False, devices(server)
    with room.opened(SPEAKER) as name:
        assert name == "box"
        assert room.problem == "no canceller"
        assert not room.has_changed(SPEAKER)
        assert not room.has_changed(SPEAKER)
    assert server.calls == ["load mic box"]


def test_a_speaker_alone_echoes_nothing(server: Server) -> None:
    del server.names[MICROPHONE]
    with devices(server).opened(SPEAKER) as name:
        assert name == "box"


def test_a_device_that_is_unplugged_or_replaced_has_changed(server: Server) -> None:
    room = devices(server)
    with room.opened(MICROPHONE):
        assert not room.has_changed(MICROPHONE)
        server.names[MICROPHONE] = "other"
        assert room.has_changed(MICROPHONE)
        del server.names[MICROPHONE]
        assert room.has_changed(MICROPHONE)
    assert not room.has_changed(MICROPHONE)


def test_a_missing_device_is_told_and_leaves_nothing_open(server: Server) -> None:
    del server.names[SPEAKER]
    room = devices(server)
    with pytest.raises(SoundError, match="plug one in"), room.opened(SPEAKER):
        pytest.fail("it was opened")
    assert not room.has_changed(SPEAKER)
