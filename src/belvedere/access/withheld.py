"""What the room withholds of the rights that sessions were given: while the curtain is closed, nobody may look.

The room's rule is a function of the session, and is asked each time: nothing here can be out of date. All that is
remembered is what each session was told last, so that it is told once of each right that it loses.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from belvedere.access.rights import NO_RIGHTS, Right, Rights
from belvedere.errors import Refusal, VisitorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from belvedere.access.sessions import Session

logger = logging.getLogger(__name__)

IF_THE_RULE_FAILS: Final[Rights] = frozenset({Right.LOOK, Right.DRIVE, Right.TALK})  # a failure closes


def withhold_nothing(_: Session) -> Rights:
    """The rule of a room that withholds nothing."""
    return NO_RIGHTS


def no_reason(_: Session) -> VisitorError:
    """The reason of a rule that gives none."""
    return VisitorError(Refusal.NOT_PERMITTED, "the room withholds this now")


class WithheldRights:
    """The room's rule, and what was withheld from each session when it was last asked for losses."""

    def __init__(self) -> None:
        self._rule: Callable[[Session], Rights] = withhold_nothing
        self._reason: Callable[[Session], VisitorError] = no_reason
        self._known: dict[str, Rights] = {}
        self._has_failed = False

    def set(self, rule: Callable[[Session], Rights], reason: Callable[[Session], VisitorError] = no_reason) -> None:
        """Ask this rule from now on, and this for its reason."""
        self._rule = rule
        self._reason = reason
        self._has_failed = False

    def reason(self, session: Session) -> VisitorError:
        """Why rights of a session are withheld. Never raises, like the rule."""
        try:
            return self._reason(session)
        except Exception:
            logger.exception("the room's rule failed to give its reason")
            return no_reason(session)

    def granted(self, session: Session, rights: Rights) -> Rights:
        """What is left of a session's rights. Never raises: of a rule that does, what shows the room is withheld.

        Whoever is told that it has a right may begin something with it, and has to be told if it loses the right, also
        if `losses` was not called in between.
        """
        withheld = self._of(session)
        if session.id in self._known:
            self._known[session.id] &= withheld
        return rights - withheld

    def begin(self, session: Session) -> None:
        """A session begins with what it is granted now, so later it has not lost what it never had."""
        self._known[session.id] = self._of(session)

    def forget(self, session_id: str) -> None:
        """A session has ended."""
        self._known.pop(session_id, None)

    def losses(self, sessions: Iterable[Session]) -> list[tuple[Session, Rights]]:
        """The sessions that have lost a right by the rule since this was last asked, with what each has lost."""
        lost = []
        for session in sessions:
            now = self._of(session)
            fresh = (now - self._known.get(session.id, NO_RIGHTS)) & session.rights
            self._known[session.id] = now
            if fresh:
                lost.append((session, fresh))
        return lost

    def _of(self, session: Session) -> Rights:
        try:
            return self._rule(session)
        except Exception:
            if not self._has_failed:  # it is asked for every command of a driver
                logger.exception("the room's rule failed: nobody may look, drive or talk until it works again")
            self._has_failed = True
            return IF_THE_RULE_FAILS
