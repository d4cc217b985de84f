from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.stage.voice.fake_pactl import FakePactl

from belvedere.errors import SoundError
from belvedere.stage.voice.devices import Device, DeviceKind
from belvedere.stage.voice.sound_server import SoundServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.realtime

MICROPHONE, SPEAKER = Device("mic", "Desk microphone"), Device("box", "box")


@pytest.fixture
def pactl(tmp_path: Path) -> FakePactl:
    return FakePactl(tmp_path)


@pytest.fixture
def server(pactl: FakePactl) -> SoundServer:
    return SoundServer(str(pactl.program))


def test_devices_are_found_by_name_and_as_the_default(server: SoundServer) -> None:
    assert server.find(DeviceKind.MICROPHONE, "desk*") == MICROPHONE
    assert server.find(DeviceKind.SPEAKER, "") == SPEAKER
    assert server.has(DeviceKind.SPEAKER, "box")
    assert not server.has(DeviceKind.SPEAKER, "mic")


def test_our_own_canceller_is_never_taken_for_a_device(server: SoundServer, pactl: FakePactl) -> None:
    server.load_canceller(MICROPHONE, SPEAKER)
    pactl.set(sources=[{"name": "belvedere.microphone"}])
    with pytest.raises(SoundError, match="plug one in"):
        server.find(DeviceKind.MICROPHONE, "belvedere*")


def test_the_canceller_is_loaded_for_both_devices_checked_and_unloaded(server: SoundServer, pactl: FakePactl) -> None:
    server.load_canceller(MICROPHONE, SPEAKER)
    (module,) = pactl.state["modules"].values()  # type: ignore[attr-defined]  # of JSON
    assert "source_master=mic" in module
    assert "sink_master=box" in module
    assert "aec_method=webrtc" in module
    server.unload_canceller()
    assert pactl.state["modules"] == {}


def test_the_other_method_is_tried_where_the_better_one_is_not_built_in(server: SoundServer, pactl: FakePactl) -> None:
    pactl.set(methods=["speex"])
    server.load_canceller(MICROPHONE, SPEAKER)
    assert [call.split()[6] for call in pactl.calls if "load-module" in call.split()] == [
        "aec_method=webrtc",
        "aec_method=speex",
    ]


@pytest.mark.parametrize("trouble", [{"works": False}, {"methods": []}])
def test_one_that_is_not_there_afterwards_is_a_fault_and_leaves_nothing(
    server: SoundServer, pactl: FakePactl, trouble: dict[str, object]
) -> None:
    pactl.set(**trouble)
    with pytest.raises(SoundError, match="may hear themselves"):
        server.load_canceller(MICROPHONE, SPEAKER)
    assert pactl.state["modules"] == {}


def test_what_a_process_left_that_was_killed_is_unloaded_and_nobody_elses(
    server: SoundServer, pactl: FakePactl
) -> None:
    pactl.set(modules={"3": "source_name=belvedere.microphone rate=48000", "4": "source_name=other"})
    server.load_canceller(MICROPHONE, SPEAKER)
    assert set(pactl.state["modules"]) == {"4", "77"}  # type: ignore[call-overload]  # of JSON


def test_a_name_that_would_add_arguments_is_refused(server: SoundServer, pactl: FakePactl) -> None:
    with pytest.raises(SoundError, match="takes no device named"):
        server.load_canceller(Device("mic sink_master=other", ""), SPEAKER)
    assert not [call for call in pactl.calls if "load-module" in call]


def test_no_server_and_no_program_are_told_in_plain_words(server: SoundServer, pactl: FakePactl) -> None:
    pactl.set(refuses=True)
    with pytest.raises(SoundError, match="Connection refused") as told:
        server.find(DeviceKind.SPEAKER, "")
    assert told.value.is_missing
    with pytest.raises(SoundError, match="apt install pulseaudio-utils") as told:
        SoundServer("pactl-that-is-not-there").find(DeviceKind.SPEAKER, "")
    assert told.value.is_missing


def test_an_answer_that_is_no_list_is_a_fault(server: SoundServer, pactl: FakePactl) -> None:
    pactl.set(sinks="none")
    with pytest.raises(SoundError, match="cannot be read"):
        server.find(DeviceKind.SPEAKER, "")
