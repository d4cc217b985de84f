"""What lets somebody onto the stage of Amazon IVS: what a token is, and the interface of what makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from belvedere.secret import Secret

JOIN_S: Final = 120  # to join by; AWS's own tokens are counted in minutes, and a page joins within seconds
CAMERA: Final = {"role": "camera"}  # the publisher's attributes, which every participant can read


@dataclass(frozen=True, slots=True)
class ParticipantToken:
    """A token for one participant, who must join within JOIN_S. It names no person.

    Attributes:
        participant: the participant's id, by which AWS disconnects it.
        token: the token itself.
        whip_url: where a publisher posts its offer; None for the address that all stages share.
        join_by_utc_s: when the token ends, in wall-clock time.
    """

    participant: str
    token: Secret
    whip_url: str | None
    join_by_utc_s: float


class TokenSource(Protocol):
    """Makes tokens. Everything raises IvsError; the coroutines never block, and return within CALL_TIMEOUT_S."""

    def load(self) -> None:
        """Import what is heavy, before the first token. Called in a thread, often or not at all."""
        ...

    async def publish_token(self) -> ParticipantToken:
        """A token for the camera, which may publish and not subscribe; its attributes are CAMERA."""
        ...

    async def viewer_token(self) -> ParticipantToken:
        """A token for one viewer, who may subscribe and not publish."""
        ...
