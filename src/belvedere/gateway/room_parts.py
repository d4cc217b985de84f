"""The parts of the wire message `room`: its curtain, its microphone, who is here and who knocks."""

from __future__ import annotations

import msgspec


class CurtainView(msgspec.Struct, frozen=True, kw_only=True):
    """The curtain.

    Attributes:
        closed: whether it is closed; a curtain that is being opened is closed until that is saved.
        by: the name of who closed or opened it last, or "".
        since: when that was, in milliseconds since 1970, UTC; null if it was never closed.
        saved: whether a restart would know it.
    """

    closed: bool
    by: str
    since: float | None
    saved: bool


class MicrophoneView(msgspec.Struct, frozen=True, kw_only=True):
    """The room's microphone.

    Attributes:
        exists: whether there is any sound between the room and its visitors.
        off: whether the room has switched it off; one that is being switched on is off until that is saved.
        open: whether it hears the room now.
        saved: whether a restart would know the switch.
    """

    exists: bool
    off: bool
    open: bool
    saved: bool


class PersonHere(msgspec.Struct, frozen=True, kw_only=True):
    """A person who looks, hears, drives or talks now.

    Attributes:
        since: when that began, in milliseconds since 1970, UTC.
        talks: whether the person's microphone is open to the room.
        heard: whether the room hears the person's voice at this moment.
    """

    person: str
    name: str
    since: float
    looks: bool
    hears: bool
    drives: bool
    talks: bool
    heard: bool


class PersonKnocking(msgspec.Struct, frozen=True, kw_only=True):
    """A person who knocks.

    Attributes:
        since: when the person knocked, in milliseconds since 1970, UTC.
        until: when no answer becomes a no, likewise.
    """

    person: str
    name: str
    since: float
    until: float
