"""Somebody new who is invited, or who has come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.access.rights import Role

if TYPE_CHECKING:
    from belvedere.access.invitations import Invitations
    from belvedere.access.sessions import IssuedSession


def invite(invitations: Invitations, name: str = "Somebody", role: Role = Role.VISITOR) -> str:
    """The secret of an invitation of a new person."""
    return invitations.invite(invitations.people.add(name, role).id)


def join(invitations: Invitations, name: str = "Somebody", role: Role = Role.VISITOR) -> IssuedSession:
    """The session of a new person."""
    return invitations.open_session(invitations.people.add(name, role).id)
