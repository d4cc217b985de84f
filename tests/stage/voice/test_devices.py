from __future__ import annotations

import pytest

from belvedere.errors import SoundError
from belvedere.stage.voice.devices import Device, DeviceKind, choose

USB = Device("alsa_input.usb-Jabra_410-00.mono", "Jabra SPEAK 410 Mono")
CAMERA = Device("alsa_input.usb-046d_C920-02.stereo", "HD Pro Webcam C920")
MONITOR = Device("alsa_output.hdmi.monitor", "Monitor of HDMI")
ALL = [MONITOR, CAMERA, USB]


@pytest.mark.parametrize(
    ("wanted", "default", "found"),
    [
        (USB.name, CAMERA.name, USB),
        ("*speak*", CAMERA.name, USB),
        ("HD Pro Webcam C920", USB.name, CAMERA),
        ("", USB.name, USB),
        ("", "gone", CAMERA),
        (MONITOR.name, USB.name, MONITOR),
    ],
)
def test_a_device_is_meant_by_name_description_pattern_or_as_the_default(
    wanted: str, default: str, found: Device
) -> None:
    assert choose(DeviceKind.MICROPHONE, ALL, wanted, default) == found


def test_what_a_speaker_plays_is_not_taken_for_a_microphone() -> None:
    with pytest.raises(SoundError, match="there is no microphone: plug one in"):
        choose(DeviceKind.MICROPHONE, [MONITOR], "", MONITOR.name)
    assert choose(DeviceKind.MICROPHONE, ALL, "", MONITOR.name) == CAMERA
    assert choose(DeviceKind.MICROPHONE, [MONITOR, USB], "*o*", "") == USB


def test_a_missing_device_is_told_with_those_that_are_there() -> None:
    with pytest.raises(SoundError, match=r'no speaker "Bose": .* one of these: "HD Pro.*", "Jabra') as told:
        choose(DeviceKind.SPEAKER, [CAMERA, USB], "Bose", CAMERA.name)
    assert told.value.is_missing
