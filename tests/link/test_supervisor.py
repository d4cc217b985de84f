"""The supervisor reconnects, stops the unit first, and waits for no call without a timeout."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.support.link.unit_rig import UnitRig, supervised

from belvedere.errors import FrameError, InternalError, LinkReason
from belvedere.head.profile import UnitProfile, WriteMode
from belvedere.link.disabled import DisabledUnit
from belvedere.link.options import LinkOptions
from belvedere.link.supervisor import LinkPhase, UnitStatus
from belvedere.testing.scripted_link import DETAILS, HANG, HANG_FOR_GOOD, ScriptedLink, Step

if TYPE_CHECKING:
    from belvedere.link.port import LinkDetails

STOP = UnitRig.stop
MOVE = UnitRig.move()
P = LinkPhase
ONLY_WITH_RESPONSE = msgspec.structs.replace(DETAILS, can_write_without_response=False)
ONLY_WITHOUT_RESPONSE = msgspec.structs.replace(DETAILS, can_write_with_response=False)
MUTE = msgspec.structs.replace(ONLY_WITHOUT_RESPONSE, can_keep_alive=False)
SETTLED = [STOP, STOP]  # a command at once, and one that is acknowledged
SETTLING_S = LinkOptions().first_interval_s  # between the two
LOST, REFUSED = Step(reason=LinkReason.LOST), Step(reason=LinkReason.REFUSED)


def timers() -> int:
    """How many timers the loop has set (there is no public way to ask)."""
    scheduled: list[asyncio.TimerHandle] = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]  # as said
    return sum(not timer.cancelled() for timer in scheduled)


# on the way to READY


async def test_the_first_writes_are_stops_and_only_when_one_is_acknowledged_is_the_unit_ready() -> None:
    link = ScriptedLink()
    link.script("write", Step(after_s=0.06))
    async with supervised(link) as rig:
        await rig.until(P.SETTLING)
        assert rig.written == []
        assert rig.supervisor.status == UnitStatus(P.SETTLING, None, DETAILS)  # its interval is not known yet
        await rig.ready()
        assert [(write.frame, write.response) for write in link.writes] == [(STOP, False), (STOP, True)]
        assert rig.phases == [P.SEARCHING, P.CONNECTING, P.SETTLING, P.READY]
        assert [velocity for _at, velocity, _stamp in rig.written] == [0.0, 0.0]


async def test_commands_before_ready_are_dropped() -> None:
    link = ScriptedLink()
    link.script("open", Step(after_s=1))
    link.script("write", Step(after_s=0.06))
    async with supervised(link) as rig:
        for phase in (P.CONNECTING, P.SETTLING):
            await rig.until(phase)
            rig.put(0.5)
        await rig.ready()
        await asyncio.sleep(1)
        assert link.frames == SETTLED


# commands


async def test_a_move_is_written_at_once_and_reported_with_its_stamp_and_rounded_velocity() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        rig.put(0.12345, "stamp")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert link.writes[-1].at_s == rig.now
        await asyncio.sleep(0.001)
        assert rig.written[-1][1:] == (123 / 999, "stamp")
        assert rig.attempted[-1] == rig.written[-1][:2]


async def test_a_unit_mounted_the_other_way_round_turns_the_other_way() -> None:
    link = ScriptedLink()
    async with supervised(link, UnitProfile(name_patterns=("*",), invert=True)) as rig:
        await rig.ready()
        rig.put(0.5)
        await asyncio.sleep(0.1)
        assert link.frames[-1] == rig.move(-0.5)
        assert rig.written[-1][1] == pytest.approx(0.5, abs=0.001)


async def test_a_unit_is_written_to_as_its_profile_says() -> None:
    link = ScriptedLink()
    async with supervised(link, UnitProfile(name_patterns=("*",), write=WriteMode.WITH_RESPONSE)) as rig:
        await rig.ready()
        rig.put(0.5)
        await asyncio.sleep(0.1)
    assert [write.response for write in link.writes] == [True] * 3


async def test_a_velocity_out_of_range_raises_a_frame_error() -> None:
    async with supervised(ScriptedLink()) as rig:
        await rig.ready()
        for velocity in (1.1, float("nan")):
            with pytest.raises(FrameError):
                rig.put(velocity)


async def test_a_move_too_slow_for_the_unit_is_a_stop() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        rig.put(0.0001)
        await asyncio.sleep(0.1)
        assert link.frames == [*SETTLED, STOP]


async def test_of_commands_that_come_while_a_write_takes_long_only_the_newest_is_written() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        link.script("write", Step(after_s=0.15))
        for velocity in (0.1, 0.2, 0.3, 0.4):
            rig.put(velocity)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        assert link.frames[2:] == [rig.move(0.1), rig.move(0.4)]


async def test_a_listener_may_put_a_command_from_within_the_ready_event() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        rig.on_status = lambda status: rig.put(0.5) if status.state is P.READY else None
        await rig.ready()
        await asyncio.sleep(0.1)
        assert link.frames == [*SETTLED, MOVE]


async def test_a_refused_move_is_followed_by_a_stop_on_the_same_connection() -> None:
    link = ScriptedLink(ONLY_WITH_RESPONSE)
    async with supervised(link) as rig:
        await rig.ready()
        link.script("write", REFUSED)
        rig.put(0.5)
        rig.put(0.6)
        await rig.until(P.SETTLING)
        assert rig.supervisor.status.reason is LinkReason.REFUSED
        await rig.ready()
        assert link.frames == [STOP, rig.move(0.6), STOP]
        assert link.connections == 1
        assert rig.supervisor.status.reason is None


async def test_a_unit_at_rest_costs_nothing() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        for velocity in (0.5, 0.0, 0.0, 0.0):
            rig.put(velocity)
            await asyncio.sleep(0.05)
        await asyncio.sleep(1)
        assert link.writes[-1].response  # the stop has come through
        calls, at_rest = len(link.calls), timers()
        assert at_rest == 0
        await asyncio.sleep(3600)
        assert len(link.calls) == calls


# what goes wrong


async def test_a_write_that_hangs_is_abandoned_after_a_few_intervals_and_stop_comes_first_again() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        link.script("write", HANG)
        rig.put(0.5)
        assert await rig.until(P.WAITING) == pytest.approx(0.2)
        assert rig.supervisor.status.reason is LinkReason.UNANSWERED
        await rig.ready()
        assert link.frames == [*SETTLED, MOVE, STOP, *SETTLED]  # one blindly, one first on the new connection
        assert link.calls[-3:] == ["open", "write", "write"]


async def test_a_write_that_ignores_cancellation_delays_nothing() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        link.script("write", HANG_FOR_GOOD)
        rig.put(0.5)
        await rig.until(P.WAITING)
        assert await rig.ready() < 1
        link.release()


async def test_a_dead_link_that_still_looks_connected_is_detected_by_a_failing_write() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        link.script("write", LOST)
        rig.put(0.5)
        await rig.until(P.WAITING)
        assert rig.supervisor.status.reason is LinkReason.LOST
        await rig.ready()
        assert link.frames == [*SETTLED, MOVE, STOP, *SETTLED]  # one blindly, in case it is not dead


@pytest.mark.parametrize(("step", "reason"), [(HANG, LinkReason.UNANSWERED), (LOST, LinkReason.LOST)])
async def test_a_silent_unit_is_detected_by_a_keep_alive_while_it_moves(step: Step, reason: LinkReason) -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        link.script("keep_alive", step)
        rig.put(0.5)
        assert await rig.until(P.WAITING) <= 0.6
        assert rig.supervisor.status.reason is reason
        await rig.ready()
        assert link.frames[-1] == STOP


async def test_a_call_cancelled_by_a_library_is_a_lost_link() -> None:
    class CancellingLink(ScriptedLink):
        async def write(self, frame: bytes, *, response: bool) -> None:
            await super().write(frame, response=response)
            if frame != STOP:
                raise asyncio.CancelledError

    link = CancellingLink()
    async with supervised(link) as rig:
        await rig.ready()
        rig.put(0.5)
        await rig.until(P.WAITING)
        assert rig.supervisor.status.reason is LinkReason.LOST
        await rig.ready()


async def test_a_loss_ends_a_write_that_waits() -> None:
    link = ScriptedLink(ONLY_WITH_RESPONSE)
    async with supervised(link) as rig:
        await rig.ready()
        link.script("write", HANG)
        rig.put(0.5)
        await asyncio.sleep(0.05)
        link.lose()
        assert await rig.until(P.WAITING) == 0
        assert rig.supervisor.status.reason is LinkReason.LOST
        await rig.ready()


async def test_a_loss_that_is_reported_twice_counts_once() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        link.lose()
        link.lose()
        await rig.until(P.WAITING)
        link.lose()
        await rig.ready()
        await asyncio.sleep(10)
        assert link.connections == 2


async def test_a_late_report_of_an_older_connections_loss_or_find_is_ignored() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        link.lose()
        await rig.until(P.WAITING)
        await rig.ready()
        link.on_lost[0]()
        link.on_found[1]()
        await asyncio.sleep(10)
        assert rig.is_ready
        assert link.connections == 2


async def test_a_connection_that_is_lost_before_it_is_open_never_becomes_ready() -> None:
    class HastyLink(ScriptedLink):
        async def open(self, *events: object) -> LinkDetails:
            details = await super().open(*events)  # type: ignore[arg-type]  # handed on as they came
            if self.connections == 1:
                self.lose()
            return details

    link = HastyLink()
    async with supervised(link) as rig:
        await rig.ready()
        assert link.connections == 2
        assert rig.phases.count(P.READY) == 1


async def test_opening_that_hangs_is_abandoned() -> None:
    link = ScriptedLink()
    link.script("open", HANG_FOR_GOOD)
    async with supervised(link) as rig:
        assert await rig.until(P.WAITING) == pytest.approx(LinkOptions().open_timeout_s)
        assert rig.supervisor.status.reason is LinkReason.UNANSWERED
        await rig.ready()
        link.release()


@pytest.mark.parametrize("close", [Step(after_s=2.3), HANG_FOR_GOOD])
async def test_closing_is_awaited_up_to_a_timeout_so_that_the_dead_link_is_not_found_again(close: Step) -> None:
    link = ScriptedLink()
    link.script("close", close)
    async with supervised(link) as rig:
        await rig.ready()
        link.lose()
        await rig.until(P.WAITING)
        assert await rig.ready() == pytest.approx(min(close.after_s, LinkOptions().close_timeout_s) + SETTLING_S)
        link.release()


@pytest.mark.parametrize(("held_s", "waits_s"), [(4.9, [0.15, 0.3, 0.6, 1.2]), (5.1, [0.15] * 4)])
async def test_a_link_that_never_holds_for_long_is_tried_more_and_more_seldom(
    held_s: float, waits_s: list[float]
) -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        for _ in waits_s:
            await rig.ready()
            await asyncio.sleep(held_s)
            link.lose()
            await rig.until(P.WAITING)
        await rig.ready()
    times = [[at for at, status in rig.statuses if status.state is phase] for phase in (P.WAITING, P.SEARCHING)]
    assert [to - since for since, to in zip(times[0], times[1][1:], strict=True)] == pytest.approx(waits_s)


async def test_attempts_become_rarer_and_the_reason_stays_until_the_unit_is_ready() -> None:
    link = ScriptedLink()
    link.script("open", *[Step(reason=LinkReason.CONNECT_FAILED)] * 7)
    async with supervised(link, options=LinkOptions(stable_s=1.0)) as rig:  # what never held was not stable
        await rig.ready()
        searches = [at for at, status in rig.statuses if status.state is P.SEARCHING]
        waits = [later - earlier for earlier, later in itertools.pairwise(searches)]
        assert waits == pytest.approx([0.15, 0.3, 0.6, 1.2, 2.4, 3.75, 3.75])  # chance takes a quarter
        assert set(rig.reasons[2:-1]) == {LinkReason.CONNECT_FAILED}
        assert rig.supervisor.status == UnitStatus(P.READY, None, DETAILS, 0.0075)


async def test_a_failure_is_warned_of_once_and_again_only_after_the_unit_was_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "belvedere.link.supervisor")
    link = ScriptedLink()
    link.script("open", *[Step(reason=LinkReason.NOT_FOUND)] * 3)
    async with supervised(link) as rig:
        assert await rig.ready() == pytest.approx(3 * 0.75 * LinkOptions().rest_s + SETTLING_S)
        link.lose()
        await rig.until(P.WAITING)
        await rig.ready()
    levels = [record.levelname for record in caplog.records if record.name == "belvedere.link.supervisor"]
    assert levels == ["WARNING", "DEBUG", "DEBUG", "INFO", "WARNING", "INFO"]
    assert all(words in caplog.text for words in ("pan: scripted: open", f"{DETAILS.name} at {DETAILS.address}"))


async def test_an_axis_without_unit_is_disabled_and_costs_nothing() -> None:
    async with supervised(DisabledUnit(), None) as rig:
        await rig.until(P.DISABLED)
        assert timers() == 0
        rig.put(0.5)
        await asyncio.sleep(100)
        assert (rig.phases, rig.reasons[-1]) == ([P.SEARCHING, P.DISABLED], LinkReason.DISABLED)
    assert rig.phases[-1] is P.CLOSED


# the end


async def test_when_it_ends_a_stop_is_written_that_nothing_can_hold_up_and_one_that_is_acknowledged() -> None:
    link = ScriptedLink()
    async with supervised(link) as rig:
        await rig.ready()
        rig.put(0.5)
        await asyncio.sleep(0.1)
        await rig.cancel()
    assert [(write.frame, write.response) for write in link.writes[-2:]] == [(STOP, False), (STOP, True)]
    assert link.calls[-1] == "close"
    assert (rig.phases[-1], rig.task.cancelled()) == (P.CLOSED, True)


async def test_when_nothing_is_acknowledged_the_radio_gets_time_to_send_the_last_stop() -> None:
    link = ScriptedLink(MUTE)
    async with supervised(link) as rig:
        await rig.ready()
        began = rig.now
        await rig.cancel()
        assert link.writes[-1].frame == STOP
        assert rig.now - began == pytest.approx(0.1)


async def test_a_write_that_hangs_delays_the_shutdown_by_half_a_second_at_most() -> None:
    link = ScriptedLink(ONLY_WITH_RESPONSE)
    async with supervised(link, options=LinkOptions(final_search_s=0.0)) as rig:
        await rig.ready()
        link.usual["write"] = HANG_FOR_GOOD
        rig.put(0.5)
        await asyncio.sleep(0.01)
        began = rig.now
        await rig.cancel()
        assert rig.now - began <= 0.5
        link.release()


async def test_a_write_in_flight_comes_before_the_last_stop() -> None:
    link = ScriptedLink(ONLY_WITH_RESPONSE)
    link.usual["write"] = Step(after_s=0.08)
    async with supervised(link) as rig:
        await rig.ready()
        rig.put(0.5)
        await asyncio.sleep(0.01)
        await rig.cancel()
    assert link.frames == [STOP, MOVE, STOP]
    assert link.writes[-1].at_s - link.writes[-2].at_s == pytest.approx(0.08)


async def test_closing_that_hangs_delays_the_shutdown_for_a_bounded_time() -> None:
    link = ScriptedLink()
    link.script("close", HANG_FOR_GOOD)
    async with supervised(link) as rig:
        await rig.ready()
        began = rig.now
        await rig.cancel()
        assert rig.now - began == pytest.approx(LinkOptions().close_timeout_s)
        link.release()


@pytest.mark.parametrize("call", ["open", "write", "close"])
async def test_it_ends_in_time_from_wherever_it_hangs(call: str) -> None:
    link = ScriptedLink()
    link.usual[call] = HANG_FOR_GOOD
    async with supervised(link) as rig:
        await asyncio.sleep(0.1)
        if call == "close":
            link.lose()
            await asyncio.sleep(0.1)
        began = rig.now
        await rig.cancel()
        assert rig.now - began <= 0.5 + LinkOptions().close_timeout_s
        assert rig.phases[-1] is P.CLOSED
        link.release()


async def test_an_exception_of_the_listener_stops_the_unit_and_ends_the_supervisor() -> None:
    def fail(status: UnitStatus) -> None:
        if status.state is P.WAITING:
            raise InternalError("the engine has failed")

    async def go() -> None:
        async with supervised(link) as rig:
            await rig.ready()
            rig.on_status = fail
            link.lose()
            await asyncio.sleep(1)
            assert rig.task.done()

    link = ScriptedLink()
    with pytest.raises(InternalError):
        await go()
    assert link.calls[-1] == "close"


async def test_an_unexpected_exception_of_the_adapter_stops_the_unit_and_ends_the_supervisor() -> None:
    class BrokenLink(ScriptedLink):
        async def write(self, frame: bytes, *, response: bool) -> None:
            await super().write(frame, response=response)
            if frame != STOP:
                raise RuntimeError("a mistake of our own")

    async def go() -> None:
        async with supervised(link) as rig:
            await rig.ready()
            rig.put(0.5)
            await asyncio.sleep(1)

    link = BrokenLink()
    with pytest.raises(RuntimeError, match="of our own"):
        await go()
    assert link.frames == [*SETTLED, MOVE, STOP, STOP]


async def test_ending_while_a_dead_link_is_being_closed_waits_for_just_that() -> None:
    link = ScriptedLink()
    link.script("close", Step(after_s=2.0))
    async with supervised(link) as rig:
        await rig.ready()
        link.lose()
        await asyncio.sleep(0.5)
        began = rig.now
        await rig.cancel()
        assert rig.now - began == pytest.approx(1.5)
    assert link.calls.count("close") == 1
