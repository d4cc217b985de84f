"""The settings of the voice: which devices, and who may use them."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

# Names go to programs as arguments; fnmatch's patterns are allowed.
DeviceName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([^\x00-\x20\x7f-][^\x00-\x1f\x7f]*)?\Z",
        max_length=256,
        description="a name or pattern, such as `*Speakerphone*`, or nothing",
    ),
]


class Talking(enum.StrEnum):
    """How a visitor talks."""

    HOLD = "hold"
    OPEN = "open"


class VoiceOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The room's microphone with the picture, and the visitors' voices to the room's speaker.

    Both devices are those of PulseAudio or PipeWire, and open only while somebody hears or talks.

    Attributes:
        enabled: whether there is any sound.
        microphone: the name or description of the source, or a pattern of it, as `pactl list sources` shows them; ""
            for the system's default. A device that is missing may be plugged in later.
        speaker: likewise of the sink, as `pactl list sinks` shows them.
        echo_cancellation: whether the sound server takes what the speaker plays out of what the microphone hears.
            Only without it does a headset, or a speakerphone that does this itself, sound better.
        talking: `hold` if visitors hold a button to talk; `open` if one tap may open their microphone until the next.
    """

    enabled: bool = False
    microphone: DeviceName = ""
    speaker: DeviceName = ""
    echo_cancellation: bool = True
    talking: Talking = Talking.HOLD
