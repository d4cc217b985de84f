"""The tokens of scripts: each is named, may do one thing, and can be revoked at once, also while it drives.

A token is a program like those of the settings (`programs.py`), except that the owner creates and revokes it while the
server runs. Its secret is returned once; what is stored is a digest.
"""

from __future__ import annotations

import functools
import logging
import math
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from belvedere.access.rights import Right, Role
from belvedere.access.session_events import SessionChange
from belvedere.access.sessions import EndReason, Session, digest, new_id, new_secret
from belvedere.errors import Refusal, StoreError, VisitorError
from belvedere.store.database import LatestKey
from belvedere.store.tokens import SavedToken, delete_token, load_tokens, save_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from belvedere.access.programs import Programs
    from belvedere.access.session_events import SessionEvents
    from belvedere.store.database import Database
    from belvedere.store.tokens import Scope

logger = logging.getLogger(__name__)

MAX_TOKENS: Final = 32  # far more than one home needs; each is compared with every guess
CHECK_EVERY_S: Final = 60.0  # a wall clock that is set is noticed after this at the latest
RIGHT_OF_SCOPE: Final[dict[Scope, Right]] = {"drive": Right.DRIVE, "look": Right.LOOK}


class IssuedToken(NamedTuple):
    """A new token, and the secret that proves it, which is not stored."""

    token: SavedToken
    secret: str


class ScriptTokens:
    """All tokens of scripts.

    Args:
        programs: where those that are valid let their scripts in.
        events: where the end of one is published, so that what it drives or watches ends within the call.
        clock: seconds, monotonic.
        database: where they survive a restart; None where nothing does.
        utc: seconds since 1970, wall-clock time.
    """

    def __init__(
        self,
        programs: Programs,
        events: SessionEvents,
        clock: Callable[[], float],
        database: Database | None = None,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self._programs = programs
        self._events = events
        self._clock = clock
        self._database = database
        self._utc = utc
        self._by_id: dict[str, SavedToken] = {}
        self._valid: dict[str, Session] = {}  # by the token's id
        self._checked_at = -math.inf
        self._on_added: Callable[[], None] = lambda: None

    def watch(self, on_added: Callable[[], None]) -> None:
        """Call this whenever a token is added, because that may bring `deadline` forward."""
        self._on_added = on_added

    async def load(self, path: Path) -> None:
        """Read the saved ones. If they cannot be read, there are none: this is logged, and nothing is raised."""
        if self._database is None:
            return
        try:
            saved = await self._database.read(functools.partial(load_tokens, path=path), "the tokens of scripts")
        except StoreError as error:
            logger.warning("could not read the tokens of scripts, so none lets a script in: %s", error)
            return
        for token in saved:
            self._add(token)

    def all(self) -> list[SavedToken]:
        """All tokens that were not revoked, oldest first; also those whose time is over."""
        return list(self._by_id.values())

    def is_valid(self, token: SavedToken) -> bool:
        """Whether it lets its script in."""
        return token.id in self._valid

    async def create(self, name: str, scope: Scope, lifetime_s: float | None = None) -> IssuedToken:
        """A new token; on return it is on the disk, and it lets nobody in before.

        Raises VisitorError (TOO_MANY) at the maximum or where one has this name, and StoreError.
        """
        self._require_free(name)
        now = int(self._utc())
        secret = new_secret()
        token = SavedToken(
            id=new_id(),
            name=name,
            scope=scope,
            digest=digest(secret),
            created_utc_s=now,
            ends_utc_s=0 if lifetime_s is None else now + math.ceil(lifetime_s),
        )
        if self._database is not None:
            await self._database.write(functools.partial(save_token, token=token), f"the token {name}")
        try:
            self._require_free(name)  # another request may have taken the name, or the last place, meanwhile
        except VisitorError:
            self._delete_soon(token)
            raise
        self._add(token)
        return IssuedToken(token, secret)

    async def revoke(self, token_id: str) -> bool:
        """End a token, and within the call what it drives and watches. Returns whether there was one.

        Raises StoreError where that is not on the disk: it has ended, but a restart may bring it back until the disk
        takes its deletion, which is tried again.
        """
        token = self._by_id.pop(token_id, None)
        if token is None:
            return False
        self._end(token, EndReason.REVOKED)
        if self._database is not None:
            try:
                await self._database.write(
                    functools.partial(delete_token, token_id=token_id), f"the end of the token {token.name}"
                )
            except StoreError:
                self._delete_soon(token)
                raise
        return True

    def tick(self) -> None:
        """End the tokens whose time is over, by either clock; to be called at `deadline`."""
        now, utc = self._clock(), self._utc()
        self._checked_at = now
        for token in [token for token in self._by_id.values() if token.id in self._valid]:
            if now >= self._valid[token.id].ends_at_s or 0 < token.ends_utc_s <= utc:
                self._end(token, EndReason.EXPIRED)

    def deadline(self) -> float | None:
        """When to call `tick`; None while no token has an end."""
        ends = [session.ends_at_s for session in self._valid.values() if session.ends_at_s < math.inf]
        return min((*ends, max(self._checked_at, self._clock() - CHECK_EVERY_S) + CHECK_EVERY_S)) if ends else None

    def _require_free(self, name: str) -> None:
        if len(self._by_id) >= MAX_TOKENS:
            raise VisitorError(Refusal.TOO_MANY, f"there are {MAX_TOKENS} tokens already: revoke one first")
        if any(token.name == name for token in self._by_id.values()):
            raise VisitorError(Refusal.TOO_MANY, "there is a token of this name already: revoke it first")

    def _add(self, token: SavedToken) -> None:
        self._by_id[token.id] = token
        left_s = math.inf if token.ends_utc_s == 0 else token.ends_utc_s - self._utc()
        if left_s <= 0:
            return
        self._valid[token.id] = session = Session(
            id=f"script-{token.id}",
            person=f"script-{token.name}",
            role=Role.PROGRAM,
            rights=frozenset({RIGHT_OF_SCOPE[token.scope]}),
            ends_at_s=self._clock() + left_s,
        )
        self._programs.add(session, token.digest)
        self._on_added()

    def _end(self, token: SavedToken, reason: EndReason) -> None:
        session = self._valid.pop(token.id, None)
        if session is None:
            return
        self._programs.remove(token.digest)
        logger.info("the token %s of a script has ended (%s)", token.name, reason)
        self._events.publish(SessionChange(session=session, lost=session.rights, end=reason))

    def _delete_soon(self, token: SavedToken) -> None:
        if self._database is not None:
            delete = functools.partial(delete_token, token_id=token.id)
            self._database.write_latest(LatestKey("tokens", token.id), delete, f"the end of the token {token.name}")
