"""Passkeys: people come in again with a device that they have registered, without a link.

Both ceremonies go the same way: the page requests a challenge, a device signs it, and the page sends what was signed.
Challenges serve once, a device must have recognised its user, and a passkey is for one host name only.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from belvedere.access.base64url import from_base64url
from belvedere.access.ceremonies import Assertion, Ceremony, Registration, RelyingParty, VerifiedKey
from belvedere.access.challenges import Challenges
from belvedere.access.sessions import new_id
from belvedere.errors import Refusal, StoreError, VisitorError
from belvedere.store.passkeys import (
    SavedPasskey,
    delete_passkey,
    delete_passkeys_of,
    load_passkeys,
    save_passkey,
    save_use,
)
from belvedere.token_bucket import TokenBuckets

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from belvedere.store.database import Database

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_PER_PERSON: Final = 8  # a phone, a tablet, a laptop, and their successors
ANSWERS_PER_S: Final = 0.2  # of one person, to be verified
ANSWERS_BURST: Final = 8.0
MAX_VERIFYING: Final = 2  # at a time: threads are shared with the pictures
LOGIN: Final = "login"
_SAME_PROBLEM: Final = "this passkey is not known here"


class Registrant(msgspec.Struct, frozen=True, kw_only=True):
    """Who registers a passkey: a person, within a session."""

    person: str
    name: str
    session: str


class _ClientData(msgspec.Struct, frozen=True):
    """What the browser signed, of which only the challenge is read here; the library checks all of it."""

    challenge: str


def user_handle(person: str) -> bytes:
    """What authenticators call a person."""
    return person.encode()


def _registering(who: Registrant) -> str:
    return f"registration in session {who.session}"


_CLIENT_DATA: Final = msgspec.json.Decoder(_ClientData)


class Passkeys:
    """All passkeys.

    Args:
        clock: seconds, monotonic; what ends challenges.
        database: where they survive a restart; None where nothing does.
        utc: seconds since 1970, wall-clock time.
    """

    def __init__(
        self, clock: Callable[[], float], database: Database | None = None, utc: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._database = database
        self._utc = utc
        self._challenges = Challenges()
        self._answers = TokenBuckets(ANSWERS_PER_S, ANSWERS_BURST)
        self._verifying = asyncio.Semaphore(MAX_VERIFYING)
        self._by_id: dict[str, SavedPasskey] = {}

    async def load(self, path: Path) -> None:
        """Read the saved ones. If they cannot be read, there are none: this is logged, and nothing is raised."""
        if self._database is None:
            return
        try:
            saved = await self._database.read(functools.partial(load_passkeys, path=path), "the passkeys")
        except StoreError as error:
            logger.warning("could not read the passkeys, so nobody can sign in with one: %s", error)
        else:
            self._by_id = {each.id: each for each in saved}

    def of(self, person: str) -> list[SavedPasskey]:
        """The passkeys of a person, oldest first."""
        return [each for each in self._by_id.values() if each.person == person]

    def registration_challenge(self, who: Registrant) -> bytes:
        """A challenge for registering a passkey in this session. Raises VisitorError (TOO_MANY) at the maximum."""
        if len(self.of(who.person)) >= MAX_PER_PERSON:
            problem = f"you have {MAX_PER_PERSON} passkeys already: remove one that you do not use"
            raise VisitorError(Refusal.TOO_MANY, problem)
        return self._challenges.issue(self._clock(), _registering(who))

    def login_challenge(self) -> bytes:
        """A challenge for signing in; whoever asks gets one."""
        return self._challenges.issue(self._clock(), LOGIN)

    async def register(self, party: RelyingParty, who: Registrant, label: str, answer: Registration) -> SavedPasskey:
        """Add a passkey; on return it is on the disk. Raises VisitorError for a wrong answer, and StoreError."""
        self._require_rate(who.person)
        challenge = self._used_challenge(answer.client_data, _registering(who))
        ceremony = Ceremony(party=party, challenge=challenge)
        key = await self._verified(functools.partial(_verify_registration, ceremony, answer))
        passkey = SavedPasskey(
            id=new_id(),
            person=who.person,
            label=label,
            host=party.id,
            credential=answer.credential,
            public_key=key.public_key,
            sign_count=key.sign_count,
            created_utc_s=int(self._utc()),
        )
        self._require_new(passkey)
        self._by_id[passkey.id] = passkey  # before the write, so that several at once cannot exceed the maximum
        try:
            await self._write(functools.partial(save_passkey, passkey=passkey), f"the passkey {passkey.id}")
        except BaseException:
            self._by_id.pop(passkey.id, None)
            raise
        logger.info("person %s registered the passkey %s for %s", passkey.person, passkey.id, passkey.host)
        return passkey

    async def login(self, party: RelyingParty, answer: Assertion) -> SavedPasskey:
        """The passkey that was used, as it is from now on. Raises VisitorError for a wrong answer, and StoreError.

        A stranger's answer is refused before anything of it is decoded: to get as far as the library, one must know
        the credential and the person, and no more than a few answers of each person are verified.
        """
        known = self._find(party, answer.credential)
        if known is None or answer.user != user_handle(known.person):
            raise VisitorError(Refusal.NOT_PERMITTED, _SAME_PROBLEM)
        self._require_rate(known.person)
        ceremony = Ceremony(party=party, challenge=self._used_challenge(answer.client_data, LOGIN))
        key = VerifiedKey(public_key=known.public_key, sign_count=known.sign_count)
        sign_count = await self._verified(functools.partial(_verify_assertion, ceremony, key, answer))
        current = self._by_id.get(known.id)
        if current is None:  # removed meanwhile
            raise VisitorError(Refusal.NOT_PERMITTED, _SAME_PROBLEM)
        if current.sign_count != known.sign_count:  # used meanwhile: one of the two may be a copy
            raise VisitorError(Refusal.TOO_LATE, "this passkey was used at the same time elsewhere: try again")
        used = msgspec.structs.replace(current, sign_count=sign_count, used_utc_s=int(self._utc()))
        self._by_id[used.id] = used
        await self._write(functools.partial(save_use, passkey=used), f"the use of passkey {used.id}")
        if used.id not in self._by_id:  # removed while it was written
            raise VisitorError(Refusal.NOT_PERMITTED, _SAME_PROBLEM)
        return used

    async def remove(self, person: str, passkey_id: str) -> bool:
        """Remove one of a person's passkeys, with which nobody can sign in from now on; False where there is none.

        Raises StoreError where a restart might bring it back.
        """
        passkey = self._by_id.get(passkey_id)
        if passkey is None or passkey.person != person:
            return False
        del self._by_id[passkey_id]
        logger.info("person %s removed the passkey %s", person, passkey_id)
        await self._write(functools.partial(delete_passkey, passkey_id=passkey_id), f"the end of passkey {passkey_id}")
        return True

    async def remove_all_of(self, person: str) -> None:
        """Remove all passkeys of a person. Raises StoreError where a restart might bring them back."""
        self._by_id = {known: each for known, each in self._by_id.items() if each.person != person}
        await self._write(functools.partial(delete_passkeys_of, person=person), f"the end of the passkeys of {person}")

    def _find(self, party: RelyingParty, credential: bytes) -> SavedPasskey | None:
        every = self._by_id.values()
        return next((each for each in every if each.credential == credential and each.host == party.id), None)

    def _require_rate(self, person: str) -> None:
        if not self._answers.take(self._clock(), person):
            raise VisitorError(Refusal.TOO_FAST, "too many attempts with a passkey: try again in a moment")

    def _require_new(self, passkey: SavedPasskey) -> None:
        if any(each.credential == passkey.credential for each in self._by_id.values()):
            raise VisitorError(Refusal.NOT_PERMITTED, "this passkey is registered already")
        if len(self.of(passkey.person)) >= MAX_PER_PERSON:
            raise VisitorError(Refusal.TOO_MANY, "you have too many passkeys already")

    def _used_challenge(self, client_data: bytes, purpose: str) -> bytes:
        """The challenge that was signed, which from now on is used up. Raises VisitorError."""
        try:
            challenge = from_base64url(_CLIENT_DATA.decode(client_data).challenge)
        except (ValueError, msgspec.DecodeError) as error:
            raise VisitorError(Refusal.BAD_MESSAGE, "what the browser signed cannot be read") from error
        self._challenges.use(self._clock(), challenge, purpose)
        return challenge

    async def _verified(self, verify: Callable[[], T]) -> T:
        async with self._verifying:
            return await asyncio.to_thread(verify)

    async def _write(self, write: Callable[[sqlite3.Connection], object], what: str) -> None:
        if self._database is not None:
            await self._database.write(write, what)


def _verify_registration(ceremony: Ceremony, answer: Registration) -> VerifiedKey:
    from belvedere.access.passkey_verification import verify_registration  # noqa: PLC0415 - heavy, and rarely needed

    return verify_registration(ceremony, answer)


def _verify_assertion(ceremony: Ceremony, key: VerifiedKey, answer: Assertion) -> int:
    from belvedere.access.passkey_verification import verify_assertion  # noqa: PLC0415 - likewise

    return verify_assertion(ceremony, key, answer)
