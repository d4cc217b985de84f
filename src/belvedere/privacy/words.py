"""The words of the room's rules, which the protocol and the store use too."""

from __future__ import annotations

import enum


class AccessState(enum.StrEnum):
    """Whether a person may look, hear, talk and drive now, and if not, why."""

    OPEN = "open"
    CURTAIN = "curtain"  # the room has closed its curtain, for everybody
    KNOCK = "knock"  # the person has to knock first
    WAITING = "waiting"  # the person has knocked, and the room has not answered yet
    REFUSED = "refused"  # the room said no, or nothing for a minute; the person may knock again later
    QUIET = "quiet"  # the room's quiet hours


class Welcome(enum.StrEnum):
    """Whether a person has to knock."""

    ALWAYS = "always"
    ASKED = "asked"


class Answer(enum.StrEnum):
    """What the room says to a person, whether that person has knocked or not."""

    YES = "yes"  # for this visit, also in quiet hours
    ALWAYS = "always"  # for this visit, and without knocking from now on
    NO = "no"  # not now; it ends the visit of a person who is in


class TalkMode(enum.StrEnum):
    """How a visitor talks to the room."""

    HOLD = "hold"  # for as long as something is held down
    OPEN = "open"  # until it is switched off


class Fault(enum.StrEnum):
    """What does not work for the room. None of these opens anything."""

    STORE = "store"  # the newest change is not saved: a restart may not know it
    MEDIA = "media"  # a way to send pictures or sound could not be cut; the pictures' source is off
    PARK = "park"  # the head could not be parked
    CHIME = "chime"
    LIGHT = "light"
    MICROPHONE = "microphone"  # the room's
    SPEAKER = "speaker"  # likewise
