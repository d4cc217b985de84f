"""People come in again with a passkey, as long as it is theirs, and nobody does with another's."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.support.software_authenticator import SoftwareAuthenticator

from belvedere.access.ceremonies import Registration, RelyingParty, relying_party
from belvedere.access.challenges import LIFETIME_S
from belvedere.access.passkeys import ANSWERS_BURST, MAX_PER_PERSON, Passkeys, Registrant, user_handle
from belvedere.errors import Refusal, StoreError, VisitorError
from belvedere.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from belvedere.store.passkeys import SavedPasskey

ANA = Registrant(person="a" * 12, name="Ana", session="1" * 12)
BEN = Registrant(person="b" * 12, name="Ben", session="2" * 12)
pytestmark = pytest.mark.realtime  # a thread verifies


def party(host: str = "localhost:8080") -> RelyingParty:
    found = relying_party(host)
    assert found is not None
    return found


async def refusal(doing: Awaitable[object]) -> Refusal | None:
    try:
        await doing
    except VisitorError as error:
        return error.refusal
    return None


def answer_of(passkeys: Passkeys, authenticator: SoftwareAuthenticator, who: Registrant = ANA) -> Registration:
    return authenticator.register(passkeys.registration_challenge(who), user_handle(who.person))


async def register(passkeys: Passkeys, authenticator: SoftwareAuthenticator, who: Registrant = ANA) -> SavedPasskey:
    return await passkeys.register(party(), who, "Phone", answer_of(passkeys, authenticator, who))


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_registered_passkey_signs_its_person_in() -> None:
    passkeys, authenticator = Passkeys(Clock(), utc=lambda: 1_800_000_000.5), SoftwareAuthenticator(counts=True)
    registered = await register(passkeys, authenticator)
    assert (registered.person, registered.label, registered.host) == (ANA.person, "Phone", "localhost")
    assert (registered.created_utc_s, registered.used_utc_s) == (1_800_000_000, 0)
    used = await passkeys.login(party(), authenticator.sign_in(passkeys.login_challenge()))
    assert (used.id, used.person, used.sign_count, used.used_utc_s) == (registered.id, ANA.person, 1, 1_800_000_000)
    assert passkeys.of(ANA.person) == [used]
    assert passkeys.of(BEN.person) == []


async def test_an_answer_serves_once_and_in_time() -> None:
    clock = Clock()
    passkeys, authenticator = Passkeys(clock), SoftwareAuthenticator()
    await register(passkeys, authenticator)
    answer = authenticator.sign_in(passkeys.login_challenge())
    assert await refusal(passkeys.login(party(), answer)) is None
    assert await refusal(passkeys.login(party(), answer)) is Refusal.TOO_LATE
    late = authenticator.sign_in(passkeys.login_challenge())
    clock.now += LIFETIME_S
    assert await refusal(passkeys.login(party(), late)) is Refusal.TOO_LATE


async def test_a_challenge_for_one_session_or_login_serves_no_other() -> None:
    passkeys, authenticator = Passkeys(Clock()), SoftwareAuthenticator()
    same_person = msgspec.structs.replace(ANA, session="3" * 12)
    answer = answer_of(passkeys, authenticator)
    assert await refusal(passkeys.register(party(), same_person, "Phone", answer)) is Refusal.TOO_LATE
    unasked = authenticator.register(passkeys.login_challenge(), user_handle(ANA.person))
    assert await refusal(passkeys.register(party(), ANA, "Phone", unasked)) is Refusal.TOO_LATE
    await passkeys.register(party(), ANA, "Phone", answer)
    assert (
        await refusal(passkeys.login(party(), authenticator.sign_in(passkeys.registration_challenge(ANA))))
        is Refusal.TOO_LATE
    )


async def test_an_unknown_removed_or_another_hosts_passkey_opens_nothing() -> None:
    passkeys, authenticator = Passkeys(Clock()), SoftwareAuthenticator()
    stranger = SoftwareAuthenticator(user=user_handle(ANA.person))
    registered = await register(passkeys, authenticator)

    async def login(other: SoftwareAuthenticator, at: str = "localhost:8080") -> Refusal | None:
        return await refusal(passkeys.login(party(at), other.sign_in(passkeys.login_challenge())))

    assert await login(stranger) is Refusal.NOT_PERMITTED
    assert await login(authenticator, "home.example.org") is Refusal.NOT_PERMITTED
    assert not await passkeys.remove(BEN.person, registered.id)
    assert await login(authenticator) is None
    authenticator.user = user_handle(BEN.person)
    assert await login(authenticator) is Refusal.NOT_PERMITTED
    authenticator.user = user_handle(ANA.person)
    assert await passkeys.remove(ANA.person, registered.id)
    assert not await passkeys.remove(ANA.person, registered.id)
    assert await login(authenticator) is Refusal.NOT_PERMITTED


async def test_a_passkey_that_is_removed_while_it_is_verified_opens_nothing() -> None:
    passkeys, authenticator = Passkeys(Clock()), SoftwareAuthenticator()
    await register(passkeys, authenticator)
    login = asyncio.create_task(refusal(passkeys.login(party(), authenticator.sign_in(passkeys.login_challenge()))))
    await asyncio.sleep(0)
    await passkeys.remove_all_of(ANA.person)
    assert await login is Refusal.NOT_PERMITTED


async def test_a_copy_that_is_used_at_the_same_time_is_noticed() -> None:
    passkeys, authenticator = Passkeys(Clock()), SoftwareAuthenticator(counts=True)
    await register(passkeys, authenticator)
    first = authenticator.sign_in(passkeys.login_challenge())
    authenticator.count -= 1
    second = authenticator.sign_in(passkeys.login_challenge())
    results = await asyncio.gather(*(refusal(passkeys.login(party(), each)) for each in (first, second)))
    assert sorted(map(str, results)) == ["None", "too_late"]


async def test_one_person_has_a_few_passkeys_and_each_is_registered_once() -> None:
    clock = Clock()
    passkeys, authenticator = Passkeys(clock), SoftwareAuthenticator()
    await register(passkeys, authenticator)
    same = answer_of(passkeys, authenticator, BEN)
    assert await refusal(passkeys.register(party(), BEN, "Phone", same)) is Refusal.NOT_PERMITTED
    waiting = [answer_of(passkeys, SoftwareAuthenticator()) for _ in range(MAX_PER_PERSON)]
    for answer in waiting[:-1]:
        clock.now += 6
        await passkeys.register(party(), ANA, "Phone", answer)
    clock.now += 6
    assert await refusal(passkeys.register(party(), ANA, "Phone", waiting[-1])) is Refusal.TOO_MANY
    with pytest.raises(VisitorError):
        passkeys.registration_challenge(ANA)
    assert len(passkeys.of(ANA.person)) == MAX_PER_PERSON


async def test_who_sends_answers_all_the_time_is_slowed_down_and_nobody_else_is() -> None:
    passkeys, anas, bens = Passkeys(Clock()), SoftwareAuthenticator(), SoftwareAuthenticator()
    await register(passkeys, anas)
    await register(passkeys, bens, BEN)

    async def login(authenticator: SoftwareAuthenticator) -> Refusal | None:
        return await refusal(passkeys.login(party(), authenticator.sign_in(b"guessed")))

    results = [await login(anas) for _ in range(int(ANSWERS_BURST))]
    assert results == [Refusal.TOO_LATE] * (int(ANSWERS_BURST) - 1) + [Refusal.TOO_FAST]
    assert await refusal(passkeys.login(party(), bens.sign_in(passkeys.login_challenge()))) is None


@pytest.mark.parametrize("browser", [b"", b"[]", b"{}", b'{"challenge":1}', b'{"challenge":"="}', b"[" * 4000])
async def test_what_no_browser_signs_is_refused(browser: bytes) -> None:
    passkeys, authenticator = Passkeys(Clock()), SoftwareAuthenticator()
    await register(passkeys, authenticator)
    answer = msgspec.structs.replace(authenticator.sign_in(b""), client_data=browser)
    assert await refusal(passkeys.login(party(), answer)) is Refusal.BAD_MESSAGE


async def test_passkeys_survive_a_restart_and_removed_ones_do_not(tmp_path: Path) -> None:
    path, anas, bens = tmp_path / "it.sqlite3", SoftwareAuthenticator(counts=True), SoftwareAuthenticator()

    async def run(do: Callable[[Passkeys], Awaitable[object]]) -> None:
        database = Database(path)
        database.open()
        passkeys = Passkeys(Clock(), database)
        await passkeys.load(path)
        await do(passkeys)
        await database.close()

    async def register_both(passkeys: Passkeys) -> None:
        await register(passkeys, anas)
        await register(passkeys, bens, BEN)
        await passkeys.login(party(), anas.sign_in(passkeys.login_challenge()))

    async def use_one(passkeys: Passkeys) -> None:
        assert [each.sign_count for each in passkeys.of(ANA.person)] == [1]
        await passkeys.login(party(), anas.sign_in(passkeys.login_challenge()))
        (bens_own,) = passkeys.of(BEN.person)
        assert await passkeys.remove(BEN.person, bens_own.id)
        await passkeys.remove_all_of(ANA.person)

    async def find_none(passkeys: Passkeys) -> None:
        assert passkeys.of(ANA.person) + passkeys.of(BEN.person) == []

    for do in (register_both, use_one, find_none):
        await run(do)


async def test_what_cannot_be_saved_is_not_registered_and_opens_nothing(tmp_path: Path) -> None:
    path, authenticator = tmp_path / "it.sqlite3", SoftwareAuthenticator()
    database = Database(path)
    database.open()
    passkeys = Passkeys(Clock(), database)
    await register(passkeys, authenticator)
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE access_passkey")
    with pytest.raises((StoreError, sqlite3.Error)):
        await register(passkeys, SoftwareAuthenticator())
    assert len(passkeys.of(ANA.person)) == 1
    with pytest.raises((StoreError, sqlite3.Error)):
        await passkeys.login(party(), authenticator.sign_in(passkeys.login_challenge()))
    await database.close()


async def test_a_store_that_cannot_be_read_is_told_and_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(tmp_path)  # a folder
    database.open()
    passkeys = Passkeys(Clock(), database)
    await passkeys.load(tmp_path)
    assert "could not read the passkeys" in caplog.text
    await database.close()
