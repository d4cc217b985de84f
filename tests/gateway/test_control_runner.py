"""A control session over any transport: what the runner promises whatever carries the messages."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.support.engine_rig import EngineRig, open_rig
from tests.support.memory_control_transport import MemoryControlTransport

from belvedere.access.invitations import AccessOptions
from belvedere.access.rights import VISITOR_RIGHTS, Role
from belvedere.access.session_events import SessionChange
from belvedere.access.sessions import EndReason, Session
from belvedere.gateway.control_runner import CLOSE_MESSAGE_TIMEOUT_S, SEND_TIMEOUT_S, ControlRunners, SocketLimit
from belvedere.gateway.control_session import SILENCE_TIMEOUT_S
from belvedere.gateway.dependencies import Dependencies
from belvedere.head.axes import Axis
from belvedere.timeouts import timeout

MakeParts = Callable[..., Dependencies]


class Channel:
    """A visitor's channel in memory that is served by the runner, on an engine rig."""

    def __init__(self, rig: EngineRig, dependencies: Dependencies, runners: ControlRunners | None = None) -> None:
        self.rig = rig
        self.visitor = rig.open_session().session
        self.peer = MemoryControlTransport()
        self.runners = runners or ControlRunners()
        rig.invitations.events.subscribe(self.runners.receive_session_change)
        self._serving = asyncio.ensure_future(self.runners.serve(self.peer, self.visitor, dependencies))

    async def over(self) -> None:
        async with timeout(60):
            await self._serving

    async def drive(self) -> None:
        """Say hello, take the lease and hold right."""
        self.peer.peer_send({"type": "hello", "clock": 5.0})
        self.peer.peer_send({"type": "lease.acquire"})
        while (lease := await self.peer.peer_receive("lease"))["holder"] != "you":
            pass
        clock = self.rig.clock() * 1000
        drive = {"type": "drive", "epoch": lease["epoch"], "hold": 1, "seq": 1, "pan": 1, "tilt": 0}
        self.peer.peer_send({**drive, "clock": clock, "heard": clock})
        await self.peer.peer_receive("ack")
        assert self.rig.units[Axis.PAN].velocity > 0


@asynccontextmanager
async def driving(make_parts: MakeParts, options: AccessOptions | None = None) -> AsyncIterator[Channel]:
    async with open_rig(invitations=options) as rig:
        channel = Channel(rig, make_parts(rig))
        await channel.drive()
        yield channel
        channel.peer.leave()
        await channel.over()


async def test_a_drag_reaches_the_unit_and_a_pong_comes_back(make_parts: MakeParts) -> None:
    async with driving(make_parts) as channel:
        channel.peer.peer_send({"type": "ping", "clock": 7})
        assert (await channel.peer.peer_receive("pong"))["clock"] == 7


async def test_what_the_driver_sends_is_received_before_what_waits_of_others(make_parts: MakeParts) -> None:
    async with driving(make_parts) as channel:
        assert channel.peer.is_urgent
        channel.peer.peer_send({"type": "lease.return"})
        while (await channel.peer.peer_receive("lease"))["holder"] == "you":
            pass
        await asyncio.sleep(0.1)
        assert not channel.peer.is_urgent


async def test_the_end_of_the_transport_stops_the_head_at_once_and_is_no_failure(
    make_parts: MakeParts, caplog: pytest.LogCaptureFixture
) -> None:
    async with driving(make_parts) as channel:
        left_at = channel.rig.clock()
        channel.peer.leave()
        await channel.over()
        assert channel.rig.units[Axis.PAN].velocities[-1] == (left_at, 0.0)
        assert not channel.rig.bus._subscriptions
        assert channel.peer.close_code is None
        assert not caplog.records


async def test_a_silent_peer_is_stopped_and_then_closed(make_parts: MakeParts) -> None:
    async with driving(make_parts) as channel:
        silent_at = channel.rig.clock()
        await channel.over()
        assert channel.rig.clock() - silent_at == pytest.approx(SILENCE_TIMEOUT_S)
        assert channel.rig.units[Axis.PAN].velocity == 0
        assert channel.peer.close_code == 4408


async def test_the_end_of_the_visit_stops_the_head_within_the_call_and_closes(make_parts: MakeParts) -> None:
    async with driving(make_parts) as channel:
        channel.rig.invitations.end(channel.visitor.id, EndReason.REVOKED)
        assert channel.rig.units[Axis.PAN].velocity == 0
        await channel.over()
        assert (channel.peer.close_code, channel.peer.close_reason) == (4401, EndReason.REVOKED)
        assert (await channel.peer.peer_receive("error"))["closing"]


async def test_a_peer_that_reads_nothing_is_still_obeyed_and_then_given_up(make_parts: MakeParts) -> None:
    async with driving(make_parts) as channel:
        channel.peer.stop_reading()
        channel.peer.peer_send({"type": "stop"})
        stalled_at = channel.rig.clock()
        await asyncio.sleep(0.01)
        assert channel.rig.units[Axis.PAN].velocity == 0
        await channel.over()
        assert channel.rig.clock() - stalled_at <= SEND_TIMEOUT_S + 0.1


async def test_messages_that_are_not_text_are_answered_and_then_end_it(make_parts: MakeParts) -> None:
    async with driving(make_parts) as channel:
        channel.peer.peer_send_binary()
        assert (await channel.peer.peer_receive("error"))["code"] == "bad_message"
        for _ in range(9):
            channel.peer.peer_send_binary()
        await channel.over()
        assert channel.peer.close_code == 4400
        assert channel.rig.units[Axis.PAN].velocity == 0


async def test_what_comes_too_fast_is_refused_in_the_words_that_programs_get(make_parts: MakeParts) -> None:
    async with driving(make_parts) as channel:
        for _ in range(300):
            channel.peer.peer_send({"type": "ping", "clock": 1})
        assert (await channel.peer.peer_receive("error"))["message"] == "too many requests: send at most 120 a second"


async def test_an_unexpected_error_stops_the_head_and_closes(
    make_parts: MakeParts, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenTransport(MemoryControlTransport):
        async def send(self, text: str) -> None:
            await super().send(text)
            if "pong" in text:
                raise RuntimeError("a bug")

    async with open_rig() as rig:
        channel = Channel(rig, make_parts(rig))
        await channel.drive()
        channel.peer.__class__ = BrokenTransport
        channel.peer.peer_send({"type": "ping", "clock": 1})
        await channel.over()
        assert rig.units[Axis.PAN].velocity == 0
        assert channel.peer.close_code == 1011
        assert "a bug" in caplog.text


async def test_one_too_many_is_closed_without_waiting_for_a_peer_that_reads_nothing(make_parts: MakeParts) -> None:
    async with open_rig() as rig:
        runners = ControlRunners(SocketLimit(total=1, per_visitor=1))
        first = Channel(rig, make_parts(rig), runners)
        await first.drive()
        second, third = Channel(rig, make_parts(rig), runners), Channel(rig, make_parts(rig), runners)
        third.peer.stop_reading()
        began = rig.clock()
        await second.over()
        await third.over()
        assert second.peer.close_code == 4429
        assert rig.clock() - began == pytest.approx(CLOSE_MESSAGE_TIMEOUT_S)
        assert rig.engine.status.lease.session == f"{first.visitor.id}-1"
        first.peer.leave()
        await first.over()
        fourth = Channel(rig, make_parts(rig), runners)
        fourth.peer.peer_send({"type": "hello", "clock": 5.0})
        await fourth.peer.peer_receive("welcome")
        fourth.peer.leave()
        await fourth.over()


class Runner:
    """A control session that records what it receives, and then raises `failure`, if given."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.received: list[EndReason | None] = []
        self._failure = failure

    def receive_session_change(self, change: SessionChange) -> None:
        self.received.append(change.end)
        if self._failure is not None:
            raise self._failure


def ended(session_id: str) -> SessionChange:
    session = Session(id=session_id, person="ana", role=Role.VISITOR, rights=VISITOR_RIGHTS, ends_at_s=1.0)
    return SessionChange(session=session, lost=session.rights, end=EndReason.DISPLACED)


def test_the_runners_of_a_session_are_notified_and_no_others() -> None:
    runners = ControlRunners()
    first, second, other = Runner(), Runner(), Runner()
    with (
        runners.registered("ana", first),
        runners.registered("ana", second),
        runners.registered("ben", other),
    ):
        runners.receive_session_change(ended("ana"))
        runners.receive_session_change(ended("nobody"))
    assert first.received == second.received == [EndReason.DISPLACED]
    assert other.received == []


def test_a_runner_that_fails_does_not_keep_others_from_being_notified(caplog: pytest.LogCaptureFixture) -> None:
    runners = ControlRunners()
    broken, sound = Runner(RuntimeError("broken")), Runner()
    with runners.registered("ana", broken), runners.registered("ana", sound):
        runners.receive_session_change(ended("ana"))
    assert sound.received == [EndReason.DISPLACED]
    assert "failed to stop what it drives" in caplog.text


def test_a_closed_runner_is_neither_notified_nor_remembered() -> None:
    runners = ControlRunners()
    closed, still_open = Runner(), Runner()
    with runners.registered("ana", still_open):
        with runners.registered("ana", closed):
            pass
        runners.receive_session_change(ended("ana"))
    assert closed.received == []
    assert still_open.received == [EndReason.DISPLACED]
    assert runners._by_visitor == {}


def test_the_sockets_of_a_visitor_are_limited() -> None:
    socket_limit = SocketLimit(total=10, per_visitor=2)
    assert socket_limit.take("ana", "1")
    assert socket_limit.take("ana", "2")
    assert not socket_limit.take("ana", "3")
    assert socket_limit.take("ben", "4")
    socket_limit.release("1")
    assert socket_limit.take("ana", "3")


def test_all_sockets_together_are_limited() -> None:
    socket_limit = SocketLimit(total=2, per_visitor=2)
    assert socket_limit.take("ana", "1")
    assert socket_limit.take("ben", "2")
    assert not socket_limit.take("cem", "3")


def test_a_socket_counts_until_it_is_closed() -> None:
    socket_limit = SocketLimit(total=2, per_visitor=2)
    socket_limit.take("ana", "1")
    socket_limit.take("ana", "2")
    socket_limit.release("1")
    socket_limit.release("1")
    assert socket_limit.take("ana", "3")
    assert not socket_limit.take("ana", "4")
