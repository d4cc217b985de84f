"""A visit goes on after the server was killed and started again on the same store; an ended one never does."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.store.failing_disk import Disks
from tests.support.asgi import SocketPeer, open_socket
from tests.support.engine_rig import EngineRig, open_rig

from belvedere.access.rights import NO_RIGHTS, Right, Role
from belvedere.access.sessions import EndReason, IssuedSession
from belvedere.app.access_recorder import LOAD_AGAIN_S, SAVE_EVERY_S, AccessRecorder
from belvedere.errors import StoreError
from belvedere.gateway.app import create_app
from belvedere.head.axes import Axis
from belvedere.store.access import load_access
from belvedere.store.database import Database
from belvedere.store.schema import MIGRATIONS
from belvedere.store.sqlite_file import SqliteFile
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

HOST = "127.0.0.1:8080"


class Run:
    """One run of the program on a store, as far as sessions go."""

    def __init__(self, rig: EngineRig, database: Database, path: Path) -> None:
        self.rig = rig
        self.recorder = AccessRecorder(database, path, rig.invitations)
        self.app = create_app(replace(rig.dependencies(), save_access=self.recorder.save))

    @asynccontextmanager
    async def socket(self, cookie: str) -> AsyncIterator[SocketPeer]:
        headers = {"host": HOST, "origin": f"http://{HOST}", "cookie": f"belvedere-8080={cookie}"}
        async with open_socket(self.app, "/api/v1/control", headers) as peer:
            yield peer

    async def drive(self, peer: SocketPeer) -> None:
        peer.send_json({"type": "hello", "clock": 1})
        peer.send_json({"type": "lease.acquire"})
        while (lease := await peer.receive("lease"))["holder"] != "you":
            pass
        clock = self.rig.clock() * 1000
        drive = {"type": "drive", "epoch": lease["epoch"], "hold": 1, "seq": 1, "pan": 1, "tilt": 0}
        peer.send_json({**drive, "clock": clock, "heard": clock})
        await peer.receive("ack")
        assert self.rig.units[Axis.PAN].velocity > 0

    async def leave(self, cookie: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]  # it is one
        headers = {"cookie": f"belvedere-8080={cookie}"}
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", headers=headers) as client:
            return await client.delete("/api/v1/session")


@asynccontextmanager
async def run_on(path: Path, disks: Callable[..., SqliteFile] = SqliteFile) -> AsyncIterator[Run]:
    """A run that ends like one that is killed: nothing is saved or closed in order."""
    async with open_rig() as rig:
        clock = asyncio.get_running_loop().time
        database = Database(path, MIGRATIONS, open_file=disks, worker=LoopWorker, clock=clock)
        database.open()
        run = Run(rig, database, path)
        await run.recorder.load()
        try:
            yield run
        finally:
            database._worker._is_working = False  # type: ignore[attr-defined]  # killed
            if database._file is not None:
                database._file.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


async def written() -> None:
    """Let the store's worker do what is due."""
    await asyncio.sleep(0.01)


def names_on(path: Path) -> list[str]:
    with contextlib.closing(SqliteFile(path)) as file:
        return [each.id for each in file.read(lambda db: load_access(db, path)).sessions]


def spoil(path: Path) -> bytes:
    path.write_text("no database " * 1000, encoding="utf-8")
    return content_of(path)


def content_of(path: Path) -> bytes:
    return path.read_bytes()


async def come_in(run: Run) -> IssuedSession:
    issued = run.rig.open_session("ana")
    await written()
    return issued


async def test_after_a_kill_the_same_cookie_drives_again_without_a_new_link(path: Path) -> None:
    async with run_on(path) as run:
        ana = await come_in(run)
        async with run.socket(ana.cookie) as peer:
            await run.drive(peer)
    async with run_on(path) as run, run.socket(ana.cookie) as peer:
        await run.drive(peer)
        assert peer.close_code is None


async def test_after_a_kill_a_page_of_another_site_goes_on_with_its_bearer(path: Path) -> None:
    site = "https://family.example"
    async with run_on(path) as run:
        ana = await come_in(run)
        bearer = run.rig.invitations.bearers.issue(ana.session.id, site).bearer
        ended = run.rig.invitations.bearers.issue((ben := await come_in(run)).session.id, site).bearer
        run.rig.invitations.end(ben.session.id, EndReason.REVOKED)
        await written()
    async with run_on(path) as run:
        assert run.rig.invitations.bearers.find(bearer, site) == ana.session.id
        assert run.rig.invitations.find(ana.session.id) is not None
        assert run.rig.invitations.bearers.find(ended, site) is None


async def test_a_visitor_who_left_stays_out_after_a_kill_right_behind_the_answer(path: Path) -> None:
    async with run_on(path) as run:
        ana = await come_in(run)
        answer = await run.leave(ana.cookie)
        assert answer.status_code == 204
        assert names_on(path) == []
    async with run_on(path) as run, run.socket(ana.cookie) as peer:
        await peer.over()
        assert peer.close_code == 4401


@pytest.mark.parametrize("reason", [EndReason.REVOKED, EndReason.DISPLACED, EndReason.EXPIRED])
async def test_a_session_that_was_ended_is_deleted_from_the_disk(path: Path, reason: EndReason) -> None:
    async with run_on(path) as run:
        ana, ben = await come_in(run), await come_in(run)
        run.rig.invitations.end(ana.session.id, reason)
        await run.recorder.save()
        assert names_on(path) == [ben.session.id]


async def test_a_lost_right_is_still_lost_after_a_restart(path: Path) -> None:
    async with run_on(path) as run:
        ana = await come_in(run)
        run.rig.invitations.change_rights(ana.session.id, frozenset({Right.LOOK}))
        await written()
    async with run_on(path) as run, run.socket(ana.cookie) as peer:
        peer.send_json({"type": "hello", "clock": 1})
        peer.send_json({"type": "lease.take"})
        assert (await peer.receive("error"))["code"] == "not_permitted"
        session = run.rig.invitations.session(ana.cookie)
        assert session is not None
        assert run.rig.invitations.rights_of(session) == {Right.LOOK}


async def test_a_disk_that_is_full_delays_no_visit_and_the_visitor_who_leaves_is_told(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disks = Disks()
    async with run_on(path, disks) as run:
        ana = await come_in(run)
        disks.newest.is_full = True
        ben = await come_in(run)
        assert run.rig.invitations.session(ben.cookie) is not None
        async with run.socket(ben.cookie) as peer:
            await run.drive(peer)
        answer = await run.leave(ana.cookie)
        assert (answer.status_code, answer.json()["code"]) == (503, "store_failed")
        assert "belvedere-8080=;" in answer.headers["set-cookie"]
        assert run.rig.invitations.session(ana.cookie) is None
        assert "a restart may bring it back" in caplog.text
        disks.newest.is_full = False
        await asyncio.sleep(60)  # it is retried
        assert names_on(path) == [ben.session.id]


async def test_a_store_that_cannot_be_opened_gives_no_session_and_does_not_keep_the_house_closed(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = spoil(path)
    async with run_on(path) as run:
        assert "could not restore the people and their sessions" in caplog.text
        ana = await come_in(run)
        async with run.socket(ana.cookie) as peer:
            await run.drive(peer)
        assert (await run.leave(ana.cookie)).status_code == 204  # nothing will ever be read from this file
    assert content_of(path) == before


class SlowToRead(SqliteFile):
    """A disk that cannot be read for a while: a card that is checked, or another program that holds the file."""

    is_readable = False

    def read(self, read: Callable[..., object]) -> object:  # type: ignore[override]  # it is passed on
        if not self.is_readable:
            raise StoreError("the disk does not answer")
        return super().read(read)


async def test_a_disk_that_is_slow_at_the_start_costs_nobody_their_visit(path: Path) -> None:
    async with run_on(path) as run:
        ana = await come_in(run)
    async with run_on(path, SlowToRead) as run:
        running = asyncio.create_task(run.recorder.run())
        assert run.rig.invitations.session(ana.cookie) is None
        with pytest.raises(StoreError, match="not been read"):
            await run.recorder.save()  # or those who have not been read would be deleted
        await asyncio.sleep(LOAD_AGAIN_S + 1)
        assert names_on(path) == [ana.session.id]
        run.recorder._database._file.is_readable = True  # type: ignore[union-attr]  # it is a SlowToRead
        await asyncio.sleep(LOAD_AGAIN_S)
        assert run.rig.invitations.session(ana.cookie) is not None
        ben = await come_in(run)
        running.cancel()
        await asyncio.wait([running])
    async with run_on(path) as run:
        assert run.rig.invitations.session(ana.cookie) is not None
        assert run.rig.invitations.session(ben.cookie) is not None


async def test_a_run_that_could_read_nothing_deletes_nobody(path: Path) -> None:
    async with run_on(path) as run:
        ana = await come_in(run)
    async with run_on(path, SlowToRead) as run:
        await come_in(run)
        await asyncio.sleep(60)
    async with run_on(path) as run:
        assert run.rig.invitations.session(ana.cookie) is not None


async def test_a_program_that_ends_before_it_has_read_the_sessions_deletes_none(path: Path) -> None:
    async with run_on(path) as run:
        ana = await come_in(run)
    async with open_rig() as rig:
        database = Database(path, MIGRATIONS, worker=LoopWorker, clock=asyncio.get_running_loop().time)
        database.open()
        AccessRecorder(database, path, rig.invitations).save_soon()
        await database.close()
    assert names_on(path) == [ana.session.id]


async def test_the_time_left_is_saved_now_and_then_and_only_while_there_are_sessions(path: Path) -> None:
    disks = Disks()
    async with run_on(path, disks) as run:
        running = asyncio.create_task(run.recorder.run())
        await written()
        writes = disks.newest.writes
        await asyncio.sleep(10 * SAVE_EVERY_S)
        assert disks.newest.writes == writes
        ana = await come_in(run)
        await asyncio.sleep(3 * SAVE_EVERY_S + 1)
        assert disks.newest.writes == writes + 4
        with contextlib.closing(SqliteFile(path)) as file:
            (saved,) = file.read(lambda db: load_access(db, path)).sessions
        assert saved.left_s == pytest.approx(ana.lifetime_s - 3 * SAVE_EVERY_S, abs=SAVE_EVERY_S)
        assert saved.left_s < ana.lifetime_s - SAVE_EVERY_S
        running.cancel()
        await asyncio.wait([running])


async def test_a_session_without_rights_is_saved_as_such(path: Path) -> None:
    async with run_on(path) as run:
        ana = await come_in(run)
        run.rig.invitations.change_rights(ana.session.id, NO_RIGHTS)
        await written()
    async with run_on(path) as run:
        session = run.rig.invitations.session(ana.cookie)
        assert session is not None
        assert session.rights == NO_RIGHTS


async def ask(run: Run, method: str, path: str, body: object = None, cookie: str = "") -> httpx.Response:
    transport = httpx.ASGITransport(app=run.app)  # type: ignore[arg-type]  # it is one
    headers = {"cookie": f"belvedere-8080={cookie}"} if cookie else {}
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", headers=headers) as client:
        return await client.request(method, path, json=body)


LOGIN = "/api/v1/login/invitation"


async def test_who_was_let_in_is_in_after_a_kill_right_behind_the_answer_and_the_link_is_used(path: Path) -> None:
    async with run_on(path) as run:
        secret = run.rig.invite("Ana")
        answer = await ask(run, "POST", LOGIN, {"secret": secret})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"].partition(";")[0].partition("=")[2]
    async with run_on(path) as run:
        assert (await ask(run, "GET", "/api/v1/session", cookie=cookie)).json()["name"] == "Ana"
        assert (await ask(run, "POST", LOGIN, {"secret": secret})).status_code == 403


async def test_an_invitation_that_was_shown_can_be_used_after_a_kill(path: Path) -> None:
    async with run_on(path) as run:
        owner = run.rig.open_session("Olga", Role.OWNER)
        ana = run.rig.person("Ana").id
        answer = await ask(run, "POST", f"/api/v1/people/{ana}/invitations", cookie=owner.cookie)
        assert answer.status_code == 201
    async with run_on(path) as run:
        assert (await ask(run, "POST", LOGIN, {"secret": answer.json()["secret"]})).status_code == 200


async def test_a_role_and_a_removal_are_in_force_after_a_kill_right_behind_the_answer(path: Path) -> None:
    async with run_on(path) as run:
        owner, ana, ben = (
            run.rig.open_session(name, role)
            for name, role in (("Olga", Role.OWNER), ("Ana", Role.VISITOR), ("Ben", Role.VISITOR))
        )
        people = "/api/v1/people"
        changed = await ask(run, "PATCH", f"{people}/{ana.session.person}", {"role": "guest"}, owner.cookie)
        removed = await ask(run, "DELETE", f"{people}/{ben.session.person}", cookie=owner.cookie)
        assert (changed.status_code, removed.status_code) == (200, 204)
    async with run_on(path) as run:
        assert (await ask(run, "GET", "/api/v1/session", cookie=ana.cookie)).json()["rights"] == ["look"]
        assert (await ask(run, "GET", "/api/v1/session", cookie=ben.cookie)).status_code == 401


async def test_on_a_full_disk_nobody_is_let_in_and_whoever_is_shut_out_stays_out(path: Path) -> None:
    disks = Disks()
    async with run_on(path, disks) as run:
        secret, owner, ana = run.rig.invite("Cem"), run.rig.open_session("Olga", Role.OWNER), await come_in(run)
        disks.newest.is_full = True
        assert (await ask(run, "POST", LOGIN, {"secret": secret})).status_code == 503
        revoked = await ask(run, "DELETE", f"/api/v1/sessions/{ana.session.id}", cookie=owner.cookie)
        assert (revoked.status_code, run.rig.invitations.is_live(ana.session)) == (503, False)
        disks.newest.is_full = False
        await asyncio.sleep(60)  # it is retried
    async with run_on(path) as run:
        assert (await ask(run, "GET", "/api/v1/session", cookie=ana.cookie)).status_code == 401
        assert (await ask(run, "POST", LOGIN, {"secret": secret})).status_code == 200
