"""Where the voice meets the rules of the room: who may hear and be heard, and what the room is shown of it.

The rules decide and never touch sound; the voice carries sound and decides nothing. All belongs to the event loop.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class VoicePermission:
    """What a session may do with the room's sound now; nothing, unless the rules say otherwise.

    Attributes:
        may_listen: it is sent what the room's microphone hears.
        may_talk: it may ask to be heard in the room.
    """

    may_listen: bool = False
    may_talk: bool = False


NO_VOICE = VoicePermission()


class VoiceRules(Protocol):
    """Decides what a session may do: role, curtain, quiet hours and the room's own switches, all in one answer."""

    def permission_of(self, session: str) -> VoicePermission:
        """What this session may do now; `NO_VOICE` for one that is not known. Must not raise: then it is nothing."""
        ...


class DeviceState(enum.StrEnum):
    """How a microphone or speaker is doing."""

    CLOSED = "closed"  # nobody needs it
    OPENING = "opening"
    OPEN = "open"
    MISSING = "missing"  # no such device, or no sound server; it is opened as soon as there is one
    FAILED = "failed"  # it is there and does not work; it is tried again


@dataclass(frozen=True, slots=True)
class VoiceStatus:
    """What there is to show of the voice.

    Attributes:
        microphone, speaker: how the devices are doing. Sound leaves the room only while the microphone is `OPEN`.
        problem: for the household, in plain words, what is wrong with a device; "" if nothing is.
        has_echo_cancellation: whether echoes are being taken out; False while both devices are closed.
        connected: the sessions with a connection that can carry a voice, whatever they may do.
        listening: the sessions that are sent the room's sound, while the microphone is open.
        heard: the sessions that the room lets be heard (`RoomVoice.hear`), silent or not.
        talking: those among them whose sound comes in now and is louder than silence.
    """

    microphone: DeviceState = DeviceState.CLOSED
    speaker: DeviceState = DeviceState.CLOSED
    problem: str = ""
    has_echo_cancellation: bool = False
    connected: frozenset[str] = frozenset()
    listening: frozenset[str] = frozenset()
    heard: frozenset[str] = frozenset()
    talking: frozenset[str] = frozenset()


class RoomVoice(Protocol):
    """The voice, as the rules of the room and the gateway see it. It is a `room.outputs.MediaOutput`, too."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        ...

    @property
    def status(self) -> VoiceStatus:
        """What there is to show now; `tell` is called when it has changed."""
        ...

    def hear(self, session: str, *, is_allowed: bool) -> bool:
        """Let a session be heard in the room, or not any more: in force when this returns. Returns whether it is heard.

        Ask for it when the visitor begins to talk, after the room was told. It is refused where the rules do not permit
        it or the session has no connection that can carry a voice, and it ends when the session's last connection does.
        Repeating it changes nothing.
        """
        ...

    def chime(self) -> None:
        """Ring a soft tone in the room, once, as soon as the speaker is open; nothing where there is none."""
        ...

    def receive_rules_changed(self) -> None:
        """Ask the rules again for everybody: whoever may not hear or be heard any more is cut within this call."""
        ...

    async def cut(self) -> None:
        """Close both devices, and wait for it; who may be heard again later must ask for it again. Never raises."""
        ...
