"""Programs that are let in, each by a token of its own: players of the picture, a publisher, and scripts.

Players and the publisher are let in for as long as the settings name them: nothing of them is stored, and no request
ends or changes them. Scripts come and go (`script_tokens.py`).
"""

from __future__ import annotations

import hmac
import math
import re
from typing import TYPE_CHECKING, Annotated

import msgspec

from belvedere.access.rights import Right, Role
from belvedere.access.sessions import Session, digest
from belvedere.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_TOKEN, MAX_TOKEN = 20, 512  # characters; `openssl rand -hex 16` writes 32
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # what `Authorization: Bearer` can carry (RFC 6750, section 2.1)
PUBLISHER = "publisher"

TokenFile = Annotated[
    Secret,
    msgspec.Meta(
        description=f"the path of a file with one line of {MIN_TOKEN} to {MAX_TOKEN} letters, digits and `-._~+/=`"
    ),
]
PlayerName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+\Z", max_length=32, description="letters, digits and -")]


class Player(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program that shows the picture, such as a player in another page; it may look and do nothing else.

    Attributes:
        name: what it is called in the log; no two have the same.
        token: the settings name the file that contains it; the player sends it as `Authorization: Bearer`.
    """

    name: PlayerName
    token: TokenFile = msgspec.field(name="token_file")

    def __post_init__(self) -> None:
        check_token(self.token)


def check_token(token: Secret) -> None:
    """Raise ValueError for a token that is too short to be safe, or that no program could send."""
    text = token.reveal()
    if not (MIN_TOKEN <= len(text) <= MAX_TOKEN and TOKEN.fullmatch(text)):
        raise ValueError(f"token_file must contain one line of {MIN_TOKEN} to {MAX_TOKEN} letters, digits and -._~+/=")


def player_session(player: Player) -> Session:
    """The session of a player."""
    return _session(f"player-{player.name}", Right.LOOK)


def publisher_session() -> Session:
    """The session of the program that publishes the picture."""
    return _session(PUBLISHER, Right.PUBLISH)


def _session(name: str, right: Right) -> Session:
    return Session(id=name, person=name, role=Role.PROGRAM, rights=frozenset({right}), ends_at_s=math.inf)


class Programs:
    """The sessions of all programs; of their tokens only digests are stored."""

    def __init__(self, programs: Iterable[tuple[Session, Secret]] = ()) -> None:
        self._by_digest = {digest(token.reveal()): session for session, token in programs}

    def __bool__(self) -> bool:
        return bool(self._by_digest)

    def find(self, token: str) -> Session | None:
        """The session that this token proves, or None. Takes the same time whatever the token is."""
        guess = digest(token)
        found = [session for known, session in self._by_digest.items() if hmac.compare_digest(known, guess)]
        return found[0] if found else None

    def add(self, session: Session, token_digest: bytes) -> None:
        """Let in whoever has the token of this digest, from now on."""
        self._by_digest[token_digest] = session

    def remove(self, token_digest: bytes) -> None:
        """Let nobody in with this token any more; the caller ends what its session has open."""
        self._by_digest.pop(token_digest, None)

    def all(self) -> list[Session]:
        """The session of each program."""
        return list(self._by_digest.values())

    def has(self, session: Session) -> bool:
        """Whether this is the session of a program."""
        return session in self._by_digest.values()
