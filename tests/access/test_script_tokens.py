"""Tokens of scripts: one right each, on the disk before they let anybody in, and over at once when revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from belvedere.access.programs import Programs
from belvedere.access.rights import Right, Role
from belvedere.access.script_tokens import CHECK_EVERY_S, MAX_TOKENS, ScriptTokens
from belvedere.access.session_events import SessionChange, SessionEvents
from belvedere.access.sessions import EndReason, digest
from belvedere.errors import Refusal, StoreError, VisitorError
from belvedere.store.database import Database
from belvedere.store.tokens import SavedToken

if TYPE_CHECKING:
    from pathlib import Path

UTC_S = 1_800_000_000.0


class House:
    """Tokens with both clocks at hand; `changes` is what was published."""

    def __init__(self, database: Database | None = None) -> None:
        self.now, self.utc = 1000.0, UTC_S
        self.programs, self.events = Programs(), SessionEvents()
        self.changes: list[SessionChange] = []
        self.events.subscribe(self.changes.append)
        self.tokens = ScriptTokens(self.programs, self.events, lambda: self.now, database, lambda: self.utc)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.utc += seconds
        self.tokens.tick()


class FailingDatabase(Database):
    """Refuses every awaited write, and keeps the names of those that are tried again."""

    def __init__(self) -> None:
        self.tried_again: list[str] = []

    async def write(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - as its base
        raise StoreError("the disk is full")

    def write_latest(self, *details: Any) -> None:  # noqa: ANN401 - as its base
        self.tried_again.append(details[2])


@pytest.mark.parametrize(("scope", "right"), [("drive", Right.DRIVE), ("look", Right.LOOK)])
async def test_a_token_lets_its_script_do_one_thing(scope: Any, right: Right) -> None:  # noqa: ANN401 - a parameter
    house = House()
    token, secret = await house.tokens.create("robot", scope)
    session = house.programs.find(secret)
    assert session is not None
    assert (session.rights, session.role, session.person) == (frozenset({right}), Role.PROGRAM, "script-robot")
    assert token.digest == digest(secret)
    assert house.programs.find(secret[:-1]) is None


async def test_a_revoked_token_ends_within_the_call_once_and_lets_nobody_in() -> None:
    house = House()
    token, secret = await house.tokens.create("robot", "drive")
    session = house.programs.find(secret)
    assert session is not None
    assert await house.tokens.revoke(token.id)
    assert house.changes == [SessionChange(session=session, lost=session.rights, end=EndReason.REVOKED)]
    assert (house.programs.find(secret), house.programs.has(session), house.tokens.all()) == (None, False, [])
    assert not await house.tokens.revoke(token.id)


async def test_a_token_of_the_same_name_after_a_revoked_one_is_another_session() -> None:
    house = House()
    first, secret = await house.tokens.create("robot", "drive")
    before = house.programs.find(secret)
    await house.tokens.revoke(first.id)
    _, secret = await house.tokens.create("robot", "drive")
    assert before is not None
    assert not house.programs.has(before)


async def test_names_are_unique_and_the_number_is_bounded() -> None:
    house = House()
    await house.tokens.create("robot", "drive")
    with pytest.raises(VisitorError) as refused:
        await house.tokens.create("robot", "look")
    assert refused.value.refusal is Refusal.TOO_MANY
    for number in range(MAX_TOKENS - 1):
        await house.tokens.create(f"robot-{number}", "look")
    with pytest.raises(VisitorError):
        await house.tokens.create("one-more", "look")


async def test_a_token_ends_by_itself_stays_in_the_list_and_has_no_end_without_a_lifetime() -> None:
    house = House()
    _, lasting = await house.tokens.create("lasting", "look")
    assert house.tokens.deadline() is None
    token, secret = await house.tokens.create("short", "drive", 30.0)
    house.tokens.tick()
    assert house.tokens.deadline() == house.now + 30
    house.pass_time(29.9)
    assert house.programs.find(secret) is not None
    house.pass_time(0.1)
    assert house.programs.find(secret) is None
    assert [change.end for change in house.changes] == [EndReason.EXPIRED]
    assert (house.tokens.is_valid(token), len(house.tokens.all())) == (False, 2)
    house.pass_time(1e9)
    assert house.programs.find(lasting) is not None


async def test_a_wall_clock_that_is_set_ends_a_token_whose_time_is_over() -> None:
    house = House()
    _, secret = await house.tokens.create("short", "drive", 3600.0)
    house.tokens.tick()
    assert house.tokens.deadline() == house.now + CHECK_EVERY_S
    house.utc += 3600
    house.now += CHECK_EVERY_S
    house.tokens.tick()
    assert house.programs.find(secret) is None


@pytest.mark.realtime
async def test_tokens_survive_a_restart_with_what_is_left_of_their_time(tmp_path: Path) -> None:
    path = tmp_path / "belvedere.sqlite3"
    database = Database(path)
    database.open()
    house = House(database)
    _, lasting = await house.tokens.create("lasting", "look")
    _, short = await house.tokens.create("short", "drive", 100.0)
    revoked, gone = await house.tokens.create("gone", "drive")
    await house.tokens.revoke(revoked.id)
    after = House(database)
    after.utc += 60
    await after.tokens.load(path)
    assert [after.programs.find(each) is not None for each in (lasting, short, gone)] == [True, True, False]
    after.pass_time(40)
    assert after.programs.find(short) is None
    later = House(database)
    later.utc += 101
    await later.tokens.load(path)
    assert (later.programs.find(short), len(later.tokens.all())) == (None, 2)
    await database.close()


async def test_what_the_disk_does_not_take_lets_nobody_in_and_what_is_revoked_is_over_all_the_same() -> None:
    database = FailingDatabase()
    house = House(database)
    with pytest.raises(StoreError):
        await house.tokens.create("robot", "drive")
    assert (house.tokens.all(), house.programs.all()) == ([], [])
    token = SavedToken(id="0123456789ab", name="robot", scope="drive", digest=digest("secret"), created_utc_s=1)
    house.tokens._add(token)
    with pytest.raises(StoreError):
        await house.tokens.revoke(token.id)
    assert house.programs.find("secret") is None
    assert database.tried_again == ["the end of the token robot"]


async def test_a_store_that_cannot_be_read_lets_no_script_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Unreadable(FailingDatabase):
        async def read(self, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - as its base
            raise StoreError("damaged")

    house = House(Unreadable())
    await house.tokens.load(tmp_path)
    assert house.tokens.all() == []
    assert "none lets a script in" in caplog.text


async def test_a_token_that_is_not_told_apart_from_a_person_cannot_be_named() -> None:
    house = House()
    _, secret = await house.tokens.create("0123456789ab", "drive")
    session = house.programs.find(secret)
    assert session is not None
    assert session.person == "script-0123456789ab"
    assert msgspec.structs.asdict(session)["role"] is Role.PROGRAM
