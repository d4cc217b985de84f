from __future__ import annotations

import msgspec
import pytest

from belvedere.stage.voice.options import Talking, VoiceOptions


def read(text: str) -> VoiceOptions:
    return msgspec.convert(msgspec.toml.decode(text), VoiceOptions)


def test_there_is_no_sound_unless_the_owner_wants_it() -> None:
    options = read("")
    assert not options.enabled
    assert options.talking is Talking.HOLD
    assert options.echo_cancellation


@pytest.mark.parametrize("name", ["", "alsa_input.usb-Jabra_410-00.mono-fallback", "*Speakerphone*", "Büro, links"])
def test_devices_are_named_as_the_sound_server_names_them(name: str) -> None:
    assert read(f"microphone = '{name}'\nspeaker = '{name}'") == VoiceOptions(microphone=name, speaker=name)


@pytest.mark.parametrize(
    "text",
    [
        "microphone = '--help'",
        "microphone = ' '",
        'speaker = "a\\n"',
        'speaker = "x\\u0000"',
        "talking = 'shout'",
        "volume = 3",
    ],
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        read(text)
