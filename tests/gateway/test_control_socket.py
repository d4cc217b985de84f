"""A control session over a socket: the failures of sockets, on virtual time and the real engine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from tests.support.asgi import SocketPeer, open_socket
from tests.support.engine_rig import EngineRig, FakeStage, open_rig

from belvedere.access.invitations import AccessOptions
from belvedere.access.rights import Role
from belvedere.access.sessions import EndReason, IssuedSession
from belvedere.control.effects import NoticeCode
from belvedere.engine.status import NoticeEvent
from belvedere.gateway.app import create_app
from belvedere.gateway.control_runner import MAX_SOCKETS_PER_VISITOR, SEND_TIMEOUT_S
from belvedere.gateway.control_session import HELLO_TIMEOUT_S, SILENCE_TIMEOUT_S
from belvedere.gateway.dependencies import Dependencies
from belvedere.head.axes import Axis

HOST = "127.0.0.1:8080"
HELLO = {"type": "hello", "clock": 5.0}
MakeParts = Callable[..., Dependencies]


class SocketRig:
    """An engine rig with its gateway, where sockets can be opened."""

    def __init__(self, rig: EngineRig, dependencies: Dependencies) -> None:
        self.rig = rig
        self.app = create_app(dependencies)

    def connect(
        self, issued: IssuedSession | None = None, subprotocols: tuple[str, ...] = ("belvedere.v1",)
    ) -> AbstractAsyncContextManager[SocketPeer]:
        issued = issued or self.rig.open_session()
        headers = {"host": HOST, "origin": f"http://{HOST}", "cookie": f"belvedere-8080={issued.cookie}"}
        return open_socket(self.app, "/api/v1/control", headers, subprotocols)

    @asynccontextmanager
    async def driver(self, issued: IssuedSession | None = None) -> AsyncIterator[SocketPeer]:
        """A peer that has the lease and holds right."""
        async with self.connect(issued) as peer:
            peer.send_json(HELLO)
            await peer.receive("welcome")
            peer.send_json({"type": "lease.acquire"})
            while (lease := await peer.receive("lease"))["holder"] != "you":
                pass
            peer.send_json(self.drive(lease["epoch"]))
            await peer.receive("ack")
            assert self.rig.units[Axis.PAN].velocity > 0
            yield peer

    def drive(self, epoch: int, seq: int = 1, hold: int = 1) -> dict[str, Any]:
        clock = self.rig.clock() * 1000
        message = {"type": "drive", "epoch": epoch, "hold": hold, "seq": seq, "pan": 1, "tilt": 0}
        return {**message, "clock": clock, "heard": clock}


@pytest.fixture
def open_sockets(make_parts: MakeParts) -> Callable[..., AbstractAsyncContextManager[SocketRig]]:
    @asynccontextmanager
    async def open_rig_of(rig: EngineRig | None = None, **options: Any) -> AsyncIterator[SocketRig]:  # noqa: ANN401 - open_rig's
        async with AsyncExitStack() as stack:
            there = rig if rig is not None else await stack.enter_async_context(open_rig(**options))
            yield SocketRig(there, make_parts(there))

    return open_rig_of


OpenSockets = Callable[..., AbstractAsyncContextManager[SocketRig]]


async def test_hello_is_welcomed(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.connect() as peer:
        peer.send_json(HELLO)
        assert (await peer.receive())["type"] == "welcome"
        assert (await peer.receive())["type"] == "lease"
        assert (await peer.receive())["type"] == "state"
        assert peer.subprotocol == "belvedere.v1"


@pytest.mark.parametrize("offered", [(), ("belvedere.v2",), ("chat", "soap")])
async def test_another_subprotocol_is_refused(open_sockets: OpenSockets, offered: tuple[str, ...]) -> None:
    async with open_sockets() as here, here.connect(subprotocols=offered) as peer:
        await peer.over()
        assert peer.status == 400
        assert b"wrong_subprotocol" in peer.body


async def test_ours_is_found_among_others(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.connect(subprotocols=("soap", "belvedere.v1")) as peer:
        peer.send_json(HELLO)
        await peer.receive("welcome")
        assert peer.subprotocol == "belvedere.v1"


async def test_an_acknowledgement_gives_the_true_latency(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.driver() as peer:
        sent = here.rig.clock() * 1000
        peer.send_json(here.drive(epoch=1, seq=2))
        acks = [await peer.receive("ack") for _ in range(1)]
        assert {ack["seq"] for ack in acks} <= {1, 2}
        assert acks[-1]["written"] >= sent - 1


async def test_a_lease_that_is_requested_right_after_hello_is_reported_at_once(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.connect() as peer:
        began = here.rig.clock()
        peer.send_json(HELLO)
        peer.send_json({"type": "lease.acquire"})
        while (await peer.receive("lease"))["holder"] != "you":
            pass
        assert here.rig.clock() - began < 0.1


async def test_closing_the_socket_stops_the_head_at_once(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.driver() as peer:
        left_at = here.rig.clock()
        peer.leave()
        await peer.over()
        assert here.rig.units[Axis.PAN].velocities[-1] == (left_at, 0.0)


async def test_a_silent_peer_is_stopped_by_the_dead_man_time_and_then_disconnected(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.driver() as peer:
        silent_at = here.rig.clock()
        await peer.over()
        stopped_at = next(
            at for at, velocity in here.rig.units[Axis.PAN].velocities if not velocity and at >= silent_at
        )
        assert stopped_at - silent_at <= here.rig.options.dead_man_s + 0.001
        assert here.rig.clock() - silent_at == pytest.approx(SILENCE_TIMEOUT_S)
        assert peer.close_code == 4408
        assert (await peer.receive("error"))["closing"]


async def test_a_peer_that_pings_stays_connected(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.connect() as peer:
        peer.send_json(HELLO)
        for clock in range(10):
            await asyncio.sleep(20)
            peer.send_json({"type": "ping", "clock": clock})
            assert (await peer.receive("pong"))["clock"] == clock
        assert peer.close_code is None


async def test_a_client_that_does_not_send_hello_is_disconnected(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.connect() as peer:
        began = here.rig.clock()
        await peer.over()
        assert here.rig.clock() - began == pytest.approx(HELLO_TIMEOUT_S)
        assert peer.close_code == 4408


async def test_the_socket_ends_with_the_visit(open_sockets: OpenSockets) -> None:
    async with open_sockets(invitations=AccessOptions(session_s=8)) as here, here.connect() as peer:
        began = here.rig.clock()
        peer.send_json(HELLO)
        await peer.over()
        assert here.rig.clock() - began == pytest.approx(8)
        assert peer.close_code == 4401


async def test_a_displaced_driver_is_stopped_within_the_call_and_the_socket_closes(open_sockets: OpenSockets) -> None:
    async with open_sockets(invitations=AccessOptions(max_sessions=1)) as here, here.driver() as peer:
        began = here.rig.clock()
        here.rig.open_session()
        assert here.rig.units[Axis.PAN].velocities[-1] == (began, 0.0)
        assert here.rig.engine.status.lease.session is None
        await peer.over()
        assert here.rig.clock() == began
        assert (peer.close_code, peer.close_reason) == (4401, EndReason.DISPLACED)
        assert (await peer.receive("error"))["closing"]


@pytest.mark.parametrize("reason", EndReason)
async def test_commands_after_the_end_of_the_visit_are_ignored(open_sockets: OpenSockets, reason: EndReason) -> None:
    async with open_sockets() as here:
        ana = here.rig.open_session()
        async with here.driver(ana) as peer:
            here.rig.invitations.end(ana.session.id, reason)
            for seq in range(2, 6):
                peer.send_json({"type": "lease.acquire"})
                peer.send_json(here.drive(epoch=2, seq=seq, hold=seq))
            await peer.over()
            assert here.rig.units[Axis.PAN].velocity == 0
            assert here.rig.engine.status.lease.session is None
            assert peer.close_reason == reason


async def test_the_end_of_one_visit_ends_all_of_its_sockets_and_no_other(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here:
        ana, ben = here.rig.open_session(), here.rig.open_session()
        async with here.driver(ben) as driver, here.connect(ana) as first, here.connect(ana) as second:
            first.send_json(HELLO)
            await first.receive("welcome")  # the second has not sent hello yet
            here.rig.invitations.end(ana.session.id, EndReason.LEFT)
            await first.over()
            await second.over()
            assert first.close_code == second.close_code == 4401
            assert driver.close_code is None
            assert here.rig.units[Axis.PAN].velocity > 0


async def test_a_peer_that_reads_nothing_is_stopped_at_the_end_of_the_visit_all_the_same(
    open_sockets: OpenSockets,
) -> None:
    async with open_sockets() as here:
        ana = here.rig.open_session()
        async with here.driver(ana) as peer:
            peer.stop_reading()
            began = here.rig.clock()
            here.rig.invitations.end(ana.session.id, EndReason.REVOKED)
            assert here.rig.units[Axis.PAN].velocities[-1] == (began, 0.0)
            await peer.over()
            assert here.rig.clock() - began <= 1.1


async def test_a_visit_that_ends_while_the_socket_is_accepted_gets_none(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here:
        ana = here.rig.open_session()
        async with here.connect(ana) as peer:
            peer.stop_reading()
            await asyncio.sleep(1)  # the upgrade is on its way to the peer
            here.rig.invitations.end(ana.session.id, EndReason.LEFT)
            peer.send_json(HELLO)
            peer.read_again()
            await peer.over()
            assert peer.close_code == 4401
            assert not [message for message in peer.received_by_now() if message["type"] == "welcome"]
            assert not here.rig.engine._control._drivers


async def test_a_failing_stage_or_another_failing_socket_delays_no_stop(
    open_sockets: OpenSockets, caplog: pytest.LogCaptureFixture
) -> None:
    class HangingStage(FakeStage):
        async def end_all_of(self, owner: str) -> None:
            await asyncio.sleep(3)
            raise RuntimeError(f"no end of {owner}")

    async with open_rig() as rig:
        rig.stage = HangingStage()
        async with open_sockets(rig=rig) as here:
            ana = rig.open_session()
            async with here.driver(ana) as peer:
                began = rig.clock()
                rig.invitations.end(ana.session.id, EndReason.LEFT)
                assert rig.units[Axis.PAN].velocities[-1] == (began, 0.0)
                await peer.over()
                assert rig.clock() == began
            await asyncio.sleep(4)
            assert "could not end the viewers" in caplog.text


async def test_a_peer_that_reads_nothing_is_disconnected_and_keeps_no_hold(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.driver() as peer:
        peer.stop_reading()
        stalled_at = here.rig.clock()
        peer.send_json(here.drive(epoch=1, seq=2))
        await peer.over()
        assert here.rig.clock() - stalled_at <= SEND_TIMEOUT_S + 0.1
        assert here.rig.units[Axis.PAN].velocity == 0
        assert peer.close_code is None


async def test_the_messages_of_a_peer_that_reads_nothing_are_still_read(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.driver() as peer:
        peer.stop_reading()
        peer.send_json({"type": "stop"})
        await asyncio.sleep(0.01)
        assert here.rig.units[Axis.PAN].velocity == 0


async def test_a_stalled_close_times_out(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.driver() as peer:
        peer.stop_reading()
        began = here.rig.clock()
        for _ in range(10):
            peer.send_text("garbage")
        await peer.over()
        assert here.rig.clock() - began <= 1.1


async def test_invalid_messages_are_answered_and_then_end_the_socket(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.driver() as peer:
        for text in ("", "garbage", '{"type":"drive"}', "[" * 1000, '{"type":"ping","clock":NaN}', "x" * 3000):
            peer.send_text(text)
            assert not (await peer.receive("error"))["closing"]
        for _ in range(9):
            peer.send_bytes(b"\x00")
        await peer.over()
        assert peer.close_code == 4400
        assert here.rig.units[Axis.PAN].velocity == 0


async def test_a_flood_ends_the_socket_and_stops_the_head_and_does_not_block_others(open_sockets: OpenSockets) -> None:
    turns = 0

    async def another_task() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with open_sockets() as here, here.driver() as peer:
        other = asyncio.create_task(another_task())
        for seq in range(2, 5000):
            peer.send_json(here.drive(epoch=1, seq=seq))
        await peer.over()
        other.cancel()
        assert peer.close_code == 4429
        assert here.rig.units[Axis.PAN].velocity == 0
        assert turns >= 360 // 32
        assert len(peer.received_by_now()) < 100


async def test_many_changes_are_sent_as_few(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.connect() as peer:
        peer.send_json(HELLO)
        await peer.receive("state")
        for _ in range(200):
            here.rig.lose(Axis.PAN)
            await asyncio.sleep(0.0025)
            here.rig.find(Axis.PAN)
            await asyncio.sleep(0.0025)
        await asyncio.sleep(0.1)
        states = [message for message in peer.received_by_now() if message["type"] == "state"]
        assert len(states) <= 25
        assert not states or states[-1]["pan"]["link"] == "ready"


async def test_a_notice_reaches_its_session_alone(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, here.driver() as peer, here.connect() as other:
        other.send_json(HELLO)
        await other.receive("welcome")
        name = here.rig.engine.status.lease.session
        here.rig.bus.publish(f"notice:{name}:both", NoticeEvent(NoticeCode.CLOSING, None, 1))
        assert (await peer.receive("notice"))["code"] == "closing"
        assert not [message for message in other.received_by_now() if message["type"] == "notice"]


async def test_both_are_notified_of_a_takeover(open_sockets: OpenSockets) -> None:
    async with (
        open_sockets() as here,
        here.driver() as peer,
        here.connect(here.rig.open_session("gran", Role.RESIDENT)) as other,
    ):
        other.send_json(HELLO)
        assert (await other.receive("lease"))["holder"] == "other"
        other.send_json({"type": "lease.take"})
        assert (await other.receive("lease"))["holder"] == "you"
        assert (await peer.receive("notice"))["code"] == "lease_lost"
        assert (await peer.receive("lease"))["holder"] == "other"
        assert here.rig.units[Axis.PAN].velocity == 0


async def test_the_same_visitor_resumes_the_lease(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here:
        ana = here.rig.open_session()
        async with here.driver(ana) as peer:
            peer.leave()
            await peer.over()
        async with here.connect() as ben, here.connect(ana) as again:
            for each in (ben, again):
                each.send_json(HELLO)
            assert (await ben.receive("lease"))["holder"] == "other"
            assert (await again.receive("lease"))["holder"] == "nobody"
            again.send_json({"type": "lease.acquire"})
            assert (await again.receive("lease"))["holder"] == "you"


async def test_a_visitor_has_a_number_of_sockets(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here, AsyncExitStack() as stack:
        ana = here.rig.open_session()
        peers = [await stack.enter_async_context(here.connect(ana)) for _ in range(MAX_SOCKETS_PER_VISITOR)]
        for peer in peers:
            peer.send_json(HELLO)
            await peer.receive("welcome")
        async with here.connect(ana) as refused:
            await refused.over()
            assert refused.close_code == 4429
        peers[0].leave()
        await peers[0].over()
        async with here.connect(ana) as another:
            another.send_json(HELLO)
            await another.receive("welcome")


async def test_no_subscription_is_left_on_the_bus(open_sockets: OpenSockets) -> None:
    async with open_sockets() as here:
        async with here.driver():
            assert here.rig.bus._subscriptions
        assert not here.rig.bus._subscriptions


async def test_an_unexpected_error_ends_the_socket_and_is_logged(
    open_sockets: OpenSockets, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_sockets() as here, here.driver() as peer:
        here.rig.units[Axis.PAN].failure = RuntimeError("a bug")
        peer.send_json({"type": "stop"})
        await peer.over()
        assert peer.close_code == 1011
        assert "a bug" in caplog.text
