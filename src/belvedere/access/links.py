"""The secrets of one-time links: unused ones, and who may redeem a used one again. Pure: both times are arguments.

Of a secret only the digest is kept. Like a session (`restored_sessions.py`), a link of an earlier run has two ends: the
time that it had left runs down on the monotonic clock, and while the wall clock is past its end it is refused.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from belvedere.access.rights import Role
from belvedere.access.sessions import digest, new_secret
from belvedere.errors import Refusal, VisitorError
from belvedere.store.people import SavedLink

if TYPE_CHECKING:
    from collections.abc import Iterable

REDEEM_AGAIN_S: Final = 300.0  # on a bad connection people try again for minutes
MAX_REDEEM_AGAIN: Final = 8  # each of them costs a little memory
MAX_LINKS_OF_PERSON: Final = 4  # unused: one for each of somebody's devices


def link_to(address: str, secret: str, role: Role, frontend: str = "") -> str:
    """The link of an invitation; browsers send what is behind the # to nobody.

    It leads to the visitor's page, a resident's to the room's; or to the page of another origin at `frontend`.
    """
    if frontend:
        return f"{frontend}#belvedere={secret}&house={address.partition('://')[2]}"
    return f"{address}/{'room' if role is Role.RESIDENT else 'join'}#{secret}"


def require_frontend(frontend: str, role: Role, listed: Iterable[str]) -> None:
    """Raise VisitorError (BAD_MESSAGE) if a link may not lead to this page for this role; "" is the house's own page.

    `listed` are the origins of the settings.
    """
    scheme, _, rest = frontend.partition("://")
    origin = f"{scheme}://{rest.partition('/')[0]}"
    if frontend and ("#" in frontend or origin not in listed):
        problem = "the page must be of an origin under frontends in the settings, and without a fragment"
        raise VisitorError(Refusal.BAD_MESSAGE, problem)
    if frontend and role in {Role.OWNER, Role.RESIDENT}:  # its scripts see the secret, and could send it elsewhere
        raise VisitorError(Refusal.BAD_MESSAGE, "owners and residents come in on the house's own page only")


class Link(msgspec.Struct):
    """One link.

    Attributes:
        person: the id of whom it lets in.
        ends_at_s, ends_utc_s: when it ends by either clock; one of this run has no end by the wall clock. Of a used one
            when its browser may not redeem it again.
        session: the id of the session that it was redeemed for, or "".
        browser: the digest of the secret of the browser that redeemed it.
        remaining: how often that browser may redeem it again.
    """

    person: str
    ends_at_s: float
    ends_utc_s: float = math.inf
    session: str = ""
    browser: bytes = b""
    remaining: int = MAX_REDEEM_AGAIN


class Links:
    """All links that may still be redeemed, `at_most` of them unused."""

    def __init__(self, lifetime_s: float, at_most: int) -> None:
        self._lifetime_s = lifetime_s
        self._at_most = at_most
        self._links: dict[bytes, Link] = {}  # by the digest of the secret, the oldest first

    def add(self, now: float, person: str) -> str:
        """A new secret for this person.

        Where they have too many unused ones, their oldest ends; where there are too many of all people, the oldest of
        whoever has most.
        """
        self.purge(now)
        unused = [link.person for link in self._links.values() if not link.session]
        if unused.count(person) >= MAX_LINKS_OF_PERSON:
            self._end_oldest_of(person)
        elif len(unused) >= self._at_most:
            self._end_oldest_of(max(unused, key=unused.count))
        secret = new_secret()
        self._links[digest(secret)] = Link(person=person, ends_at_s=now + self._lifetime_s)
        return secret

    def find(self, now: float, utc: float, secret: str, browser: str = "") -> Link | None:
        """The link of this secret if this browser may redeem it now; changes nothing."""
        link = self._links.get(digest(secret))
        if link is None or now >= link.ends_at_s or utc >= link.ends_utc_s:
            return None
        if link.session and (not browser or link.browser != digest(browser) or link.remaining <= 0):
            return None
        return link

    def use(self, now: float, secret: str, session: str, browser: str) -> None:
        """The link was redeemed for this session; a browser that has a secret may do so again for a while."""
        link = self._links.pop(digest(secret))
        if browser:
            self._links[digest(secret)] = Link(
                person=link.person, ends_at_s=now + REDEEM_AGAIN_S, session=session, browser=digest(browser)
            )

    def put_back(self, secret: str, link: Link) -> None:
        """The link is as it was before it was used, because its use could not be saved."""
        self._links[digest(secret)] = link

    def end(self, secret: str) -> None:
        """End the link of this secret; does nothing where there is none."""
        self._links.pop(digest(secret), None)

    def end_all_of(self, person: str) -> None:
        """End all links of a person, used and unused."""
        self._links = {known: link for known, link in self._links.items() if link.person != person}

    def count_unused(self, now: float, person: str) -> int:
        """How many links this person may still use."""
        return sum(link.person == person and not link.session and now < link.ends_at_s for link in self._links.values())

    def purge(self, now: float) -> None:
        """Delete what has ended."""
        self._links = {known: link for known, link in self._links.items() if now < link.ends_at_s}

    def saved(self, now: float, utc: float) -> list[SavedLink]:
        """All links, for the store."""
        return [
            SavedLink(
                digest=known,
                person=link.person,
                ends_utc_s=int(utc + link.ends_at_s - now if math.isinf(link.ends_utc_s) else link.ends_utc_s),
                left_s=int(link.ends_at_s - now),
                session=link.session,
                browser=link.browser,
            )
            for known, link in self._links.items()
            if link.ends_at_s - now >= 1
        ]

    def restore(self, now: float, saved: Iterable[SavedLink]) -> None:
        """Add the links of an earlier run; none lasts longer than a new one."""
        for each in saved:
            most_s = REDEEM_AGAIN_S if each.session else self._lifetime_s
            self._links[each.digest] = Link(
                person=each.person,
                ends_at_s=now + min(each.left_s, most_s),
                ends_utc_s=each.ends_utc_s,
                session=each.session,
                browser=each.browser,
            )

    def _end_oldest_of(self, person: str) -> None:
        unused = (known for known, link in self._links.items() if link.person == person and not link.session)
        del self._links[next(unused)]
