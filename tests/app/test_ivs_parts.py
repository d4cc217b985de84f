"""The parts of Amazon IVS are there where pages may use them, and nobody uses them before it is known who did."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.stage.fakes import StageRig

from belvedere.app.ivs_parts import LOAD_AGAIN_S, IvsParts, ivs_parts
from belvedere.errors import StageError, StoreError
from belvedere.secret import Secret
from belvedere.stage.direct.viewer_network import ViewerNetwork
from belvedere.stage.ivs.signed_tokens import new_key_pem
from belvedere.stage.ivs_options import IvsOptions
from belvedere.stage.options import StageOptions, Way
from belvedere.store.database import Database
from belvedere.store.sqlite_file import SqliteFile
from belvedere.testing.loop_worker import LoopWorker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from belvedere.store.schema import Migration

ACCOUNT = "arn:aws:ivs:eu-central-1:123456789012"
ASKING = IvsOptions(stage_arn=f"{ACCOUNT}:stage/x")
SIGNING = IvsOptions(
    stage_arn=f"{ACCOUNT}:stage/x",
    key=Secret(new_key_pem()),
    key_arn=f"{ACCOUNT}:public-key/y",
    events_url="wss://events",
    whip_url="https://whip",
)
WAYS = (Way.DIRECT, Way.IVS)


def store(path: Path) -> Database:
    database = Database(path, worker=LoopWorker, clock=asyncio.get_running_loop().time)
    database.open()
    return database


class Client:
    """AWS, which puts everybody out."""

    def __init__(self) -> None:
        self.out: list[str] = []

    def disconnect_participant(self, **asked: str) -> dict[str, object]:
        self.out.append(asked["participantId"])
        return {}


def parts(
    rig: StageRig, database: Database | None, options: StageOptions, client: Client | None = None
) -> IvsParts | None:
    clock = asyncio.get_running_loop().time
    network = ViewerNetwork(clock)
    return ivs_parts(
        options, rig.stage, database, network=network, clock=clock, create_client=lambda _: client or Client()
    )


@pytest.mark.parametrize("options", [StageOptions(), StageOptions(ivs=SIGNING), StageOptions(ivs=ASKING)])
async def test_there_is_none_where_no_page_uses_it(tmp_path: Path, options: StageOptions) -> None:
    database = store(tmp_path / "it.sqlite3")
    assert parts(StageRig(), database, options) is None
    assert parts(StageRig(), None, msgspec.structs.replace(options, ivs=ASKING, ways=WAYS)) is None
    await database.close()


@pytest.mark.realtime  # the publisher loads what it needs in a thread
async def test_whoever_may_look_gets_a_token_signed_here_once_it_is_known_who_was_there(tmp_path: Path) -> None:
    rig, database, client = StageRig(), store(tmp_path / "it.sqlite3"), Client()
    made = parts(rig, database, StageOptions(ivs=SIGNING, ways=WAYS), client)
    assert made is not None
    with pytest.raises(StageError):
        await made.participants.admit("ann", "", lambda: None, lambda: True)
    await made.participants.load_saved()
    admission = await made.participants.admit("ann", "", lambda: None, lambda: True)
    assert admission.token.token.reveal().count(".") == 2
    assert rig.stage.viewers == 1
    assert [output.name for output in made.outputs] == ["Amazon IVS", "IVS"]
    await rig.stage.close()
    assert client.out == [admission.token.participant]
    await made.close()
    await database.close()


class Disk:
    """A disk that is away at first."""

    def __init__(self) -> None:
        self.is_there = False

    def open(self, path: Path, migrations: Sequence[Migration]) -> SqliteFile:
        if not self.is_there:
            raise StoreError("the disk is away")
        return SqliteFile(path, migrations)


def is_forbidden(made: IvsParts) -> bool:
    return made.participants.is_forbidden


async def test_a_store_that_fails_is_asked_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk, clock = Disk(), asyncio.get_running_loop().time
    database = Database(tmp_path / "it.sqlite3", open_file=disk.open, worker=LoopWorker, clock=clock)
    database.open()
    made = parts(StageRig(), database, StageOptions(ivs=ASKING, ways=WAYS))
    assert made is not None
    running = asyncio.create_task(made.run())
    await asyncio.sleep(1)
    assert "nobody can watch through Amazon IVS yet" in caplog.text
    assert is_forbidden(made)
    disk.is_there = True
    await asyncio.sleep(60 * LOAD_AGAIN_S)
    assert not is_forbidden(made)
    running.cancel()
    await asyncio.wait({running})
    await made.close()
    await database.close()
