"""One connection, from opening the link until it has failed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.link.owner import (
    INTERVAL_S,
    MOVE,
    MUTE,
    NEWER,
    ONLY_WITH_RESPONSE,
    ONLY_WITHOUT_RESPONSE,
    REFUSED,
    SETTLED,
    STOP,
    Owner,
    reason_of_end,
)
from tests.support.link.simulated_unit import SimulatedRadio, SimulatedUnit
from tests.support.link.unit_rig import UnitRig, supervised

from belvedere.errors import LinkError, LinkReason
from belvedere.head.profile import UnitProfile, WriteMode
from belvedere.link.connection import Connection
from belvedere.link.latest_write import PendingWrite
from belvedere.link.options import LinkOptions
from belvedere.link.pending_calls import PendingCalls
from belvedere.link.phases import LinkPhase
from belvedere.testing.scripted_link import DETAILS, HANG, ScriptedLink, Step

if TYPE_CHECKING:
    from belvedere.link.port import LinkDetails


async def test_the_interval_is_measured_by_the_first_acknowledged_stop() -> None:
    connection = await Owner(SimulatedUnit(SimulatedRadio(interval_s=INTERVAL_S))).settled()
    assert connection.interval.is_learned
    assert INTERVAL_S <= connection.interval.estimate_s <= 2 * INTERVAL_S


async def test_the_first_stop_is_a_command_that_waits_for_nothing_and_the_next_one_is_acknowledged() -> None:
    link = ScriptedLink()
    link.script("write", Step(), Step(after_s=1.5))  # BlueZ sends a dozen requests of its own first
    await Owner(link).settled()
    assert [write.response for write in link.writes[:2]] == [False, True]
    assert link.writes[0].at_s == asyncio.get_running_loop().time() - 1.5 - LinkOptions().first_interval_s


async def test_a_first_answer_that_was_queued_behind_other_requests_is_measured_again() -> None:
    link = ScriptedLink()
    link.script("write", Step(), Step(after_s=1.5), Step(after_s=INTERVAL_S))
    assert (await Owner(link).settled()).interval.estimate_s == pytest.approx(INTERVAL_S)


async def test_a_unit_that_does_not_acknowledge_its_first_stop_is_not_waited_for_long() -> None:
    link = ScriptedLink()
    link.script("write", Step(), HANG)
    began = asyncio.get_running_loop().time()
    with pytest.raises(LinkError) as caught:
        await Owner(link).settled()
    assert caught.value.reason is LinkReason.UNANSWERED
    assert asyncio.get_running_loop().time() - began <= 2.1


async def test_the_interval_is_measured_by_a_keep_alive_where_writes_cannot_be_acknowledged() -> None:
    unit = SimulatedUnit(SimulatedRadio(interval_s=INTERVAL_S), can_write_with_response=False)
    connection = await Owner(unit).settled()
    assert INTERVAL_S <= connection.interval.estimate_s <= 2 * INTERVAL_S
    assert [one.frame for one in unit.frames] == [STOP.frame] * 3


async def test_writes_are_reported_in_order() -> None:
    owner = Owner(SimulatedUnit(SimulatedRadio(interval_s=INTERVAL_S)))
    connection = await owner.settled()
    driving = asyncio.create_task(connection.drive())
    for pending in (MOVE, STOP):
        connection.put(pending)
        await asyncio.sleep(0.1)
    assert owner.written == [*SETTLED, MOVE, STOP]
    driving.cancel()
    await asyncio.wait({driving})


async def test_a_move_that_is_never_answered_is_reported_as_attempted_and_so_is_the_stop_after_it() -> None:
    link = ScriptedLink(DETAILS)
    owner = Owner(link)
    connection = await owner.settled()
    link.script("write", Step(60.0))
    connection.put(MOVE)
    assert await reason_of_end(connection) is LinkReason.UNANSWERED
    assert owner.written == SETTLED
    assert owner.attempted == [*SETTLED, MOVE, STOP]
    connection.cancel()


async def test_driving_ends_quietly_when_the_unit_refuses() -> None:
    link = ScriptedLink(msgspec.structs.replace(DETAILS, can_write_without_response=False))
    owner = Owner(link)
    connection = await owner.settled()
    link.script("write", Step(reason=LinkReason.REFUSED))
    connection.put(MOVE)
    await connection.drive()
    assert owner.written == [STOP]


async def test_driving_raises_the_reason_for_which_the_link_failed() -> None:
    link = ScriptedLink()
    connection = await Owner(link).settled()
    link.script("write", HANG)
    connection.put(MOVE)
    assert await reason_of_end(connection) is LinkReason.UNANSWERED
    connection.cancel()
    await asyncio.sleep(0)


async def test_calls_in_flight_are_cancelled() -> None:
    link = ScriptedLink()
    connection = await Owner(link).settled()
    link.script("write", HANG)
    connection.put(MOVE)
    driving = asyncio.create_task(connection.drive())
    await asyncio.sleep(0.01)
    driving.cancel()
    await asyncio.wait({driving})
    connection.cancel()
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) <= 2  # this test and its runner


async def test_no_final_stop_is_sent_on_a_connection_that_was_never_open() -> None:
    link = ScriptedLink()
    connection = Owner(link).connection
    assert not connection.may_be_turning
    await connection.send_final_stop()
    assert link.calls == []


async def test_no_final_stop_is_sent_on_a_lost_connection() -> None:
    link = ScriptedLink()
    connection = await Owner(link).settled()
    link.lose()
    await connection.send_final_stop()
    assert link.frames == [STOP.frame] * 2


async def test_the_last_stop_reaches_the_unit_before_the_link_is_closed() -> None:
    unit = SimulatedUnit(SimulatedRadio(interval_s=INTERVAL_S, close_s=0))
    connection = await Owner(unit).settled()
    driving = asyncio.create_task(connection.drive())
    connection.put(MOVE)
    await asyncio.sleep(0.1)
    driving.cancel()
    await asyncio.wait({driving})
    await connection.send_final_stop()
    await unit.close()
    assert unit.frames[-1].frame == STOP.frame


async def test_a_unit_that_cannot_acknowledge_gets_three_stops_and_a_keep_alive() -> None:
    link = ScriptedLink(ONLY_WITHOUT_RESPONSE)
    async with supervised(link) as rig:
        assert await rig.ready() == pytest.approx(0.15)
        assert [(write.frame, write.response) for write in link.writes] == [(UnitRig.stop, False)] * 3
        assert link.calls == ["open", "write", "write", "write", "keep_alive"]


async def test_a_unit_that_cannot_answer_keep_alives_becomes_ready_without() -> None:
    async with supervised(ScriptedLink(MUTE)) as rig:
        await rig.ready()
        assert rig.supervisor.status.interval_s is None


@pytest.mark.parametrize(
    ("mode", "details", "stops", "moves"),
    [
        (WriteMode.AUTO, DETAILS, True, False),
        (WriteMode.AUTO, ONLY_WITH_RESPONSE, True, True),
        (WriteMode.AUTO, ONLY_WITHOUT_RESPONSE, False, False),
        (WriteMode.WITH_RESPONSE, DETAILS, True, True),
        (WriteMode.WITHOUT_RESPONSE, DETAILS, False, False),
        # a characteristic may declare less than it supports: the profile overrides it
        (WriteMode.WITHOUT_RESPONSE, ONLY_WITH_RESPONSE, False, False),
        (WriteMode.WITH_RESPONSE, ONLY_WITHOUT_RESPONSE, True, True),
    ],
)
async def test_whether_writes_are_acknowledged_is_the_profiles_choice_and_then_the_units(
    mode: WriteMode, details: LinkDetails, *, stops: bool, moves: bool
) -> None:
    link = ScriptedLink(details)
    async with supervised(link, UnitProfile(name_patterns=("*",), write=mode)) as rig:
        await rig.ready()
        rig.put(0.5)
        await asyncio.sleep(0.1)
        assert link.writes[1].response is stops
        assert (link.writes[-1].frame, link.writes[-1].response) == (UnitRig.move(), moves)


async def test_a_refused_stop_is_repeated_until_it_is_accepted() -> None:
    link = ScriptedLink()
    link.script("write", REFUSED, REFUSED, REFUSED)
    async with supervised(link) as rig:
        assert await rig.ready() == pytest.approx(3 * 0.1 + 0.05)
        assert link.frames == [UnitRig.stop] * 5
        assert link.connections == 1


async def test_a_unit_that_keeps_refusing_to_stop_is_connected_to_anew() -> None:
    link = ScriptedLink()
    link.usual["write"] = REFUSED
    async with supervised(link) as rig:
        await rig.until(LinkPhase.WAITING)
        assert rig.now - rig.statuses[0][0] == pytest.approx(2.0, abs=0.2)
        assert rig.supervisor.status.reason is LinkReason.REFUSED
        link.usual.clear()
        await rig.ready()
        assert set(link.frames) == {UnitRig.stop}


@pytest.mark.parametrize("call", ["keep_alive", "write"])
@pytest.mark.parametrize("details", [DETAILS, ONLY_WITH_RESPONSE], ids=["without response", "with response"])
async def test_a_link_that_fails_mid_move_gets_one_more_stop_whatever_failed(call: str, details: LinkDetails) -> None:
    link = ScriptedLink(details)
    async with supervised(link) as rig:
        await rig.ready()
        link.script("write" if details is ONLY_WITH_RESPONSE else call, Step(), Step(0.01, LinkReason.LOST))
        while rig.is_ready:
            rig.put(0.5)
            await asyncio.sleep(0.05)
        await asyncio.sleep(0)
        last = [write for write in link.writes if write.connection == 1][-1]
        assert last.frame == UnitRig.stop


class StallingClock:
    """A clock that jumps ahead, as after a blocked event loop."""

    def __init__(self) -> None:
        self.stalled_s = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.stalled_s


async def test_a_busy_loop_does_not_take_a_good_link_for_a_bad_one_and_loses_no_stop() -> None:
    link, clock, written = ScriptedLink(), StallingClock(), list[PendingWrite]()
    link.usual["write"] = Step(0.03)
    connection = Connection(
        link,
        WriteMode.WITH_RESPONSE,
        STOP,
        calls=PendingCalls(),
        clock=clock,
        options=LinkOptions(),
        on_written=lambda pending, _now: written.append(pending),
    )
    await connection.open(lambda: None)
    await connection.stop_and_verify()
    driving = asyncio.create_task(connection.drive())
    connection.put(MOVE)
    await asyncio.sleep(0.001)
    clock.stalled_s = 0.45  # longer than any answer timeout
    connection.put(STOP)
    await asyncio.sleep(0.1)
    assert not driving.done()
    assert written[-1] == STOP
    driving.cancel()
    await asyncio.wait({driving})


async def test_a_busy_loop_does_not_prevent_the_detection_of_a_silent_unit() -> None:
    link, clock = ScriptedLink(), StallingClock()
    connection = Connection(
        link,
        WriteMode.WITH_RESPONSE,
        STOP,
        calls=PendingCalls(),
        clock=clock,
        options=LinkOptions(),
        on_written=lambda _pending_write, _now: None,
    )
    await connection.open(lambda: None)
    await connection.stop_and_verify()
    link.usual["write"] = HANG
    driving = asyncio.create_task(reason_of_end(connection))
    connection.put(MOVE)
    await asyncio.sleep(0.001)
    clock.stalled_s = 0.45
    connection.put(STOP)
    async with asyncio.timeout(1):
        assert await driving is LinkReason.UNANSWERED
    connection.cancel()
    await asyncio.sleep(1)  # the last stop hangs as well and is abandoned


async def test_a_unit_that_lost_its_stops_without_a_trace_gets_one_that_it_acknowledges() -> None:
    link = ScriptedLink()
    owner = Owner(link)
    connection = await owner.settled()
    driving = asyncio.create_task(connection.drive())
    for pending in (MOVE, STOP):
        connection.put(pending)
        await asyncio.sleep(0.1)
    was_turning = connection.may_be_turning
    await asyncio.sleep(0.1)
    assert (link.writes[-1].frame, link.writes[-1].response) == (STOP.frame, True)
    assert owner.written == [*SETTLED, MOVE, STOP, STOP]
    assert (was_turning, connection.may_be_turning) == (True, False)
    driving.cancel()
    await asyncio.wait({driving})


async def test_a_unit_that_never_acknowledges_its_stop_has_a_bad_link() -> None:
    link = ScriptedLink()
    connection = await Owner(link).settled()
    connection.put(MOVE)
    driving = asyncio.create_task(reason_of_end(connection))
    await asyncio.sleep(0.05)
    connection.put(STOP)
    await asyncio.sleep(0.05)
    link.script("write", HANG)
    assert await driving is LinkReason.UNANSWERED
    assert connection.may_be_turning
    connection.cancel()


@pytest.mark.parametrize("details", [DETAILS, ONLY_WITH_RESPONSE], ids=["without response", "with response"])
async def test_the_stop_on_a_failed_link_is_reported_with_its_time_and_its_error_is_ignored(
    details: LinkDetails,
) -> None:
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    link, attempted = ScriptedLink(details), list[tuple[PendingWrite, float]]()
    connection = Connection(
        link,
        WriteMode.AUTO,
        STOP,
        calls=PendingCalls(),
        clock=loop.time,
        options=LinkOptions(),
        on_written=lambda _pending_write, _now: None,
        on_attempted=lambda pending, now: attempted.append((pending, now)),
    )
    await connection.open(lambda: None)
    await connection.stop_and_verify()
    put_at = loop.time()
    connection.put(MOVE)
    link.script("write", HANG)
    assert await reason_of_end(connection) is LinkReason.UNANSWERED
    assert attempted[-2:] == [(MOVE, put_at), (STOP, loop.time())]
    await asyncio.sleep(1)
    assert link.writes[-1].response is (details is ONLY_WITH_RESPONSE)
    assert complaints == []
    connection.cancel()


async def test_a_unit_that_was_lost_while_it_turned_may_be_turning_until_it_is_stopped() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        rig.put(0.5)
        await asyncio.sleep(0.1)
        link.lose()
        await rig.until(LinkPhase.WAITING)
        assert rig.supervisor.may_be_turning
        await rig.until(LinkPhase.SETTLING)
        assert rig.supervisor.may_be_turning
        await rig.ready()
        assert not rig.supervisor.may_be_turning


async def test_a_loss_ends_the_drive_for_that_reason() -> None:
    link = ScriptedLink()
    connection = await Owner(link).settled()
    asyncio.get_running_loop().call_later(1, link.lose)
    assert await reason_of_end(connection) is LinkReason.LOST


class KeepAliveLink(ScriptedLink):
    """A link that records its keep-alives."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def keep_alive(self) -> bool:
        self.asked.set()
        return await super().keep_alive()


async def test_a_held_move_is_written_with_the_answer_and_reported_with_its_time() -> None:
    link, loop, written = KeepAliveLink(), asyncio.get_running_loop(), list[tuple[PendingWrite, float]]()
    connection = Connection(
        link,
        WriteMode.AUTO,
        STOP,
        calls=PendingCalls(),
        clock=loop.time,
        options=LinkOptions(),
        on_written=lambda pending, now: written.append((pending, now)),
    )
    await connection.open(lambda: None)
    await connection.stop_and_verify()
    driving = asyncio.create_task(connection.drive())
    connection.put(MOVE)
    link.script("keep_alive", Step(0.1))
    await link.asked.wait()
    answered_at = loop.time() + 0.1
    await asyncio.sleep(0.05)
    connection.put(NEWER)
    await asyncio.sleep(0.2)
    assert [pending for pending, _now in written[-2:]] == [MOVE, NEWER]
    assert written[-1][1] == pytest.approx(answered_at, abs=0.003)
    driving.cancel()
    await asyncio.wait({driving})


async def test_a_command_put_from_within_on_attempted_is_written_in_the_moves_place() -> None:
    """After a SIGSTOP just before a write, the listener finds that the move is too old, and stops the unit."""
    link = ScriptedLink()
    owner = Owner(link)
    connection = await owner.settled()

    def receive_attempted(pending: PendingWrite, _now: float) -> None:
        owner.attempted.append(pending)
        if not pending.is_stop:
            connection.put(STOP)

    connection._on_attempted = receive_attempted
    driving = asyncio.create_task(connection.drive())
    owner.attempted.clear()
    told = len(link.frames)
    connection.put(MOVE)
    await asyncio.sleep(1)
    assert owner.attempted[:2] == [MOVE, STOP]
    assert MOVE.frame not in link.frames[told:]
    driving.cancel()
    await asyncio.wait({driving})
