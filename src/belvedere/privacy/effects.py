"""The core's outputs, to be carried out in this order and without waiting in between, `Save` excepted."""

from __future__ import annotations

import msgspec

from belvedere.privacy.state import RoomState
from belvedere.privacy.words import Answer


class Withhold(msgspec.Struct, frozen=True):
    """Somebody may do something else than before: end at once what nobody may do any more."""


class Cut(msgspec.Struct, frozen=True):
    """The curtain closes: stop the head, turn the camera off, and forget every picture and sound not yet sent.

    A head that is being parked goes on: nobody drives it, and whoever closes a closed curtain means no stop.
    """


class Uncover(msgspec.Struct, frozen=True):
    """The curtain is open: whoever may look can turn the camera on again."""


class Park(msgspec.Struct, frozen=True):
    """Turn the head away."""


class Save(msgspec.Struct, frozen=True):
    """Write the state, then report `receive_saved` or `receive_save_failed`; all in the order of their numbers."""

    number: int
    state: RoomState


class Chime(msgspec.Struct, frozen=True):
    """Let the room hear that a person knocks."""

    person: str


class Answered(msgspec.Struct, frozen=True):
    """A knock has its answer, from the room or by the room's silence."""

    person: str
    answer: Answer


class Tell(msgspec.Struct, frozen=True):
    """What the room is shown, or what somebody is told about their access, has changed."""


Effect = Withhold | Cut | Uncover | Park | Save | Chime | Answered | Tell
