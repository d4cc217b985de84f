"""Who is on the stage at Amazon IVS is known, shown and put out; and where that is not sure, nothing is published."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.stage.fakes import IDR
from tests.stage.ivs.house import House, running

from belvedere.errors import IvsError, IvsReason, Refusal, StageError, StageReason, StoreError, VisitorError
from belvedere.events import ViewerJoined, ViewerLeft
from belvedere.stage.ivs.disconnections import CLOCK_LEEWAY_S, GRACE_S
from belvedere.stage.ivs.participants import BEAT_S, MAX_LEAVERS, SILENT_S, WAY
from belvedere.stage.ivs.token_source import JOIN_S
from belvedere.store.participants import load_participants

if TYPE_CHECKING:
    from pathlib import Path

UNREACHABLE = IvsError(IvsReason.UNREACHABLE, "putting out")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.sqlite3"


async def saved(house: House) -> list[str]:
    return [each.id for each in await house.database.read(load_participants, "them")]


async def beat_for(house: House, participant: str, owner: str, seconds: float) -> None:
    for _ in range(int(seconds / BEAT_S)):
        await asyncio.sleep(BEAT_S)
        house.participants.receive_beat(participant, owner)


async def test_whoever_has_a_token_counts_as_watching_from_that_moment_on(path: Path) -> None:
    async with running(path) as house:
        participant = await house.join("ann", "a-view")
        assert house.rig.stage.viewers == 1
        (joined,) = house.rig.events
        assert isinstance(joined, ViewerJoined)
        assert (joined.session, joined.way, joined.view) == ("ann", WAY, "a-view")
        assert house.publisher.is_sending()
        assert await saved(house) == [participant]


async def test_a_participant_is_sent_nothing_by_us_and_asks_for_no_key_frame(path: Path) -> None:
    async with running(path) as house:
        await house.join()
        before = house.rig.producer.idrs
        for _ in range(50):
            house.rig.stage.receive_frame(IDR)
        assert house.rig.producer.idrs == before


async def test_who_leaves_is_put_out_and_forgotten(path: Path) -> None:
    async with running(path) as house:
        participant = await house.join()
        await house.participants.leave(participant, "ann")
        assert house.aws.out == {participant}
        assert house.rig.stage.viewers == 0
        assert isinstance(house.rig.events[-1], ViewerLeft)
        assert not house.publisher.is_sending()
        assert house.publisher.is_permitted()
        await asyncio.sleep(1)
        assert await saved(house) == []


async def test_a_page_that_falls_silent_is_put_out_and_one_that_repeats_itself_stays(path: Path) -> None:
    async with running(path) as house:
        silent, lively = await house.join("ann"), await house.join("ben")
        await beat_for(house, lively, "ben", 10 * SILENT_S)
        assert house.aws.out == {silent}
        assert house.rig.stage.viewers == 1
        with pytest.raises(StageError) as caught:
            house.participants.receive_beat(silent, "ann")
        assert caught.value.reason is StageReason.NOT_FOUND


async def test_nobody_speaks_for_the_participant_of_another_session(path: Path) -> None:
    async with running(path) as house:
        participant = await house.join("ann")
        with pytest.raises(StageError):
            house.participants.receive_beat(participant, "ben")
        with pytest.raises(StageError):
            await house.participants.leave(participant, "ben")
        assert house.rig.stage.viewers == 1


async def test_nothing_is_published_from_a_revocation_until_aws_has_put_that_person_out(path: Path) -> None:
    async with running(path) as house:
        participant = await house.join("ann")
        await house.join("ben")
        house.aws.disconnect_s = 2.0
        revoking = asyncio.create_task(house.revoke("ann"))
        await asyncio.sleep(0.01)
        assert not house.publisher.is_sending()
        await asyncio.sleep(1.9)
        assert not house.publisher.is_sending()
        await revoking
        assert house.aws.out == {participant}
        assert house.publisher.is_sending()  # for ben


@pytest.mark.parametrize("failure", [UNREACHABLE, RuntimeError("a bug of boto3")])
async def test_while_aws_cannot_be_reached_nothing_is_published_and_it_is_asked_again_until_it_answers(
    path: Path, failure: Exception
) -> None:
    async with running(path) as house:
        participant = await house.join("ann")
        ben = await house.join("ben")
        house.aws.failure = failure
        await house.revoke("ann")
        await beat_for(house, ben, "ben", 600)
        assert not house.publisher.is_permitted()
        assert 10 < len(house.aws.asked) < 60  # not in a loop without pause, and not given up
        with pytest.raises(StageError) as caught:
            await house.join("ben")
        assert caught.value.reason is StageReason.IVS_UNAVAILABLE
        house.aws.failure = None
        await beat_for(house, ben, "ben", 40)
        assert participant in house.aws.out
        assert house.publisher.is_sending()


async def test_aws_that_never_answers_delays_neither_a_revocation_nor_the_stop_of_what_is_published(
    path: Path,
) -> None:
    async with running(path) as house:
        await house.join("ann")
        house.aws.disconnect_s = 1e6
        began = asyncio.get_running_loop().time()
        await house.revoke("ann")
        assert asyncio.get_running_loop().time() - began <= 3.0
        assert not house.publisher.is_permitted()


async def test_somebody_who_left_and_is_not_confirmed_to_be_out_stops_what_is_published_after_a_while(
    path: Path,
) -> None:
    async with running(path) as house:
        participant, ben = await house.join("ann"), await house.join("ben")
        house.aws.failure = UNREACHABLE
        await house.participants.leave(participant, "ann")
        assert house.publisher.is_sending()  # a page that leaves is believed for a moment
        await asyncio.sleep(GRACE_S + 1)
        assert not house.publisher.is_sending()
        house.aws.failure = None
        await beat_for(house, ben, "ben", 40)
        assert house.publisher.is_sending()


async def test_a_token_that_nobody_has_used_yet_is_killed_again_and_again_until_it_has_expired(path: Path) -> None:
    async with running(path) as house:
        participant, ben = await house.join("ann"), await house.join("ben")
        house.aws.absent.add(participant)
        await house.participants.leave(participant, "ann")
        await beat_for(house, ben, "ben", JOIN_S)
        assert house.publisher.is_sending()  # whoever left may look: it would not matter
        assert len(house.participants.leavers) == 1
        await beat_for(house, ben, "ben", CLOCK_LEEWAY_S + BEAT_S)
        assert len(house.participants.leavers) == 0


async def test_a_token_that_was_kept_back_outlives_no_revocation(path: Path) -> None:
    async with running(path) as house:
        participant, ben = await house.join("ann"), await house.join("ben")
        house.aws.absent.add(participant)
        await house.participants.leave(participant, "ann")
        await house.revoke("ann")  # and now the token might be used
        assert not house.publisher.is_sending()
        await beat_for(house, ben, "ben", JOIN_S)
        assert not house.publisher.is_sending()
        await beat_for(house, ben, "ben", CLOCK_LEEWAY_S + BEAT_S)
        assert house.publisher.is_sending()


async def test_the_curtain_ends_all_of_it_within_its_call_and_puts_everybody_out(path: Path) -> None:
    async with running(path) as house:
        first, second = await house.join("ann"), await house.join("ben")
        house.may.clear()
        began = asyncio.get_running_loop().time()
        house.rig.stage.cover()
        await house.participants.cut()
        assert asyncio.get_running_loop().time() == began
        assert not house.publisher.is_permitted()
        await asyncio.sleep(1)
        assert house.aws.out == {first, second}
        with pytest.raises(VisitorError) as caught:
            await house.join("ann")
        assert caught.value.refusal is Refusal.CURTAIN_CLOSED
        house.may.add("ann")
        house.rig.stage.uncover()
        await house.join("ann")
        assert house.publisher.is_sending()


async def test_a_curtain_that_opens_again_opens_nothing_while_aws_has_not_put_out_who_may_not_look(path: Path) -> None:
    async with running(path) as house:
        await house.join("ann")
        house.may.clear()
        house.aws.failure = UNREACHABLE
        house.rig.stage.cover()
        await house.participants.cut()
        house.rig.stage.uncover()
        await asyncio.sleep(600)
        assert not house.publisher.is_permitted()
        house.aws.failure = None
        await asyncio.sleep(40)
        assert house.publisher.is_permitted()


async def test_a_curtain_over_nobody_forbids_nothing_later(path: Path) -> None:
    async with running(path) as house:
        house.rig.stage.cover()
        await house.participants.cut()
        house.rig.stage.uncover()
        await house.join("ann")
        assert house.publisher.is_sending()


async def test_a_curtain_that_closes_while_a_token_is_made_keeps_that_token_back(path: Path) -> None:
    async with running(path) as house:
        house.aws.token_s = 1.0
        joining = asyncio.create_task(house.join("ann"))
        await asyncio.sleep(0.5)
        house.rig.stage.cover()
        with pytest.raises(VisitorError):
            await joining
        assert house.rig.stage.viewers == 0
        await asyncio.sleep(1)
        assert await saved(house) == []
        house.rig.stage.uncover()


async def test_a_session_that_ends_while_a_token_is_made_gets_none(path: Path) -> None:
    async with running(path) as house:

        def refuse() -> None:
            raise VisitorError(Refusal.NOT_PERMITTED, "no")

        with pytest.raises(VisitorError):
            await house.participants.admit("ann", "", refuse, lambda: False)
        assert house.rig.stage.viewers == 0
        assert not house.rig.events


async def test_many_tokens_are_at_most_as_many_participants_as_there_may_be_viewers(path: Path) -> None:
    async with running(path, max_viewers=3) as house:
        for _ in range(60):
            await house.join("ann")
            await asyncio.sleep(0.2)  # AWS is quicker than whoever asks; the gateway lets nobody ask so quickly
            assert house.rig.stage.viewers <= 3
        assert len(house.participants) == 3
        assert len(house.aws.out) == 57
        assert len(await saved(house)) == 3


async def test_nobody_gets_a_token_while_many_are_still_to_be_put_out(path: Path) -> None:
    async with running(path, max_viewers=1) as house:
        house.aws.disconnect_s = 5.0
        for _ in range(MAX_LEAVERS + 1):
            await house.join("ann")
        await asyncio.sleep(0.01)
        with pytest.raises(StageError) as caught:
            await house.join("ann")
        assert caught.value.reason is StageReason.IVS_UNAVAILABLE
        assert len(house.participants.leavers) == MAX_LEAVERS


async def test_two_tabs_are_two_participants_and_a_tab_that_comes_back_is_one(path: Path) -> None:
    async with running(path) as house:
        first = await house.join("ann", "one-tab")
        await house.join("ann", "another-tab")
        assert house.rig.stage.viewers == 2
        again = await house.join("ann", "one-tab")
        await asyncio.sleep(1)
        assert house.rig.stage.viewers == 2
        assert house.aws.out == {first}
        assert again != first


@pytest.mark.parametrize("failure", [UNREACHABLE, IvsError(IvsReason.CLOCK, "signing")])
async def test_where_no_token_can_be_made_a_page_is_told_to_take_another_way(path: Path, failure: IvsError) -> None:
    async with running(path) as house:
        house.aws.failure = failure
        with pytest.raises(StageError) as caught:
            await house.join()
        assert caught.value.reason is StageReason.IVS_UNAVAILABLE
        assert house.rig.stage.viewers == 0
        house.aws.failure = None


async def test_a_participant_that_cannot_be_saved_gets_no_token(path: Path) -> None:
    house = House(path)
    await house.participants.load_saved()
    await house.database.close()
    with pytest.raises(StageError) as caught:
        await house.join()
    assert caught.value.reason is StageReason.IVS_UNAVAILABLE
    assert house.rig.stage.viewers == 0


async def test_nobody_watches_and_nothing_is_published_before_it_is_known_who_was_there(path: Path) -> None:
    house = House(path)
    assert not house.publisher.is_permitted()
    with pytest.raises(StageError) as caught:
        await house.join()
    assert caught.value.reason is StageReason.IVS_UNAVAILABLE
    await house.database.close()
    with pytest.raises(StoreError):
        await house.participants.load_saved()
    assert not house.publisher.is_permitted()


async def test_a_restart_puts_out_whoever_was_there_before_anything_is_published(path: Path) -> None:
    killed = House(path)
    await killed.participants.load_saved()
    left = await killed.join("ann")
    await killed.database.close()  # and nothing else: the process was killed
    async with running(path) as house:
        house.aws.disconnect_s = 1.0
        assert not house.publisher.is_permitted()
        await asyncio.sleep(2)
        assert house.aws.out == {left}
        assert house.publisher.is_permitted()
        await asyncio.sleep(1)
        assert await saved(house) == []


async def test_when_the_month_is_used_up_everybody_is_put_out_and_told_why(path: Path) -> None:
    async with running(path, monthly_hours=1.0) as house:
        participant = await house.join("ann")
        await beat_for(house, participant, "ann", 3560)
        assert house.publisher.is_sending()
        await asyncio.sleep(45)
        assert house.aws.out == {participant}
        assert not house.publisher.is_permitted()
        with pytest.raises(StageError) as caught:
            await house.join("ben")
        assert caught.value.reason is StageReason.IVS_USED_UP


async def test_a_new_month_may_be_used_again(path: Path) -> None:
    async with running(path, monthly_hours=0.01) as house:
        await house.join("ann")
        await asyncio.sleep(120)
        assert not house.publisher.is_permitted()
        await asyncio.sleep(31 * 86400)
        await house.join("ann")
        assert house.publisher.is_sending()


async def test_those_who_are_being_put_out_are_billed_until_they_are_out(path: Path) -> None:
    async with running(path) as house:
        participant = await house.join("ann")
        house.aws.disconnect_s = 2.0
        await house.participants.leave(participant, "ann")
        await asyncio.sleep(100)
        assert house.hours.participant_s == pytest.approx(2.0)


async def test_what_is_heavy_is_loaded_with_the_stage(path: Path) -> None:
    async with running(path) as house:
        house.participants.load()
        assert house.aws.loads == 2  # what makes tokens, and what puts people out


async def test_what_cannot_be_loaded_is_said_and_ends_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with running(path) as house:
        house.aws.failure = IvsError(IvsReason.NO_LIBRARY, "loading boto3")
        house.participants.load()
    assert "pip install" in caplog.text
