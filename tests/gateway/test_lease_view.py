"""How one driver gives the lease to another, who asks or only watches."""

from tests.gateway.session_client import Start, codes
from tests.support.engine_rig import open_rig

from belvedere.access.rights import Right, Role
from belvedere.access.session_events import SessionChange
from belvedere.control.effects import QuestionEnded
from belvedere.control.handover import QuestionEnd
from belvedere.gateway.messages import Lease, LeaseAnswered, LeaseOffers, Outgoing


def offers_in(messages: list[Outgoing]) -> LeaseOffers:
    (offers,) = [message for message in messages if isinstance(message, LeaseOffers)]
    return offers


def leases_in(messages: list[Outgoing]) -> list[Lease]:
    return [message for message in messages if isinstance(message, Lease)]


async def test_the_driver_is_asked_by_name_and_a_yes_gives_the_lease(start_session: Start) -> None:
    async with open_rig() as rig:
        ana, ben = start_session(rig, "ana").driving(), start_session(rig, "ben").greeted()
        assert codes(ben.send({"type": "lease.ask"})) == []
        asked = offers_in(ana.session.receive_published("status", rig.engine.status)).asking
        assert [(each.asker, each.name) for each in asked] == [(ben.session.name, "ben")]
        (waiting,) = leases_in(ben.session.receive_published("status", rig.engine.status))
        assert waiting.asked_until == asked[0].until == (rig.clock() + 15) * 1000
        ana.send({"type": "lease.answer", "asker": ben.session.name, "granted": True})
        assert rig.engine.status.lease.session == ben.session.name
        ended = QuestionEnded(ben.session.name, QuestionEnd.GRANTED)
        assert ben.session.receive_published("question", ended) == [LeaseAnswered(answer=QuestionEnd.GRANTED)]
        assert offers_in(ana.session.receive_published("status", rig.engine.status)).asking == []


async def test_a_yes_needs_the_lease_and_an_open_question(start_session: Start) -> None:
    async with open_rig() as rig:
        ana, ben = start_session(rig).driving(), start_session(rig).greeted()
        answer = {"type": "lease.answer", "asker": ben.session.name, "granted": True}
        assert codes(ana.send(answer)) == ["no_question"]
        ben.send({"type": "lease.ask"})
        assert codes(ben.send(answer)) == ["not_driving"]
        assert rig.engine.status.lease.session == ana.session.name


async def test_the_driver_gives_the_lease_to_a_watcher_who_may_drive_and_to_nobody_else(start_session: Start) -> None:
    async with open_rig() as rig:
        ana, ben = start_session(rig, "ana").driving(), start_session(rig, "ben").greeted()
        guest = start_session(rig, "gus", Role.GUEST, frozenset({Right.LOOK})).greeted()
        offers = offers_in(ana.session.receive_published("status", rig.engine.status))
        assert [(each.to, each.name) for each in offers.watching] == [(ben.session.name, "ben")]
        for nobody in (guest.session.name, "timed-robot", "parking"):
            assert codes(ana.send({"type": "lease.give", "to": nobody})) == ["not_ready"]
        assert codes(ben.send({"type": "lease.give", "to": ben.session.name})) == ["not_driving"]
        assert rig.engine.status.lease.session == ana.session.name
        ana.send({"type": "lease.give", "to": ben.session.name})
        assert rig.engine.status.lease.session == ben.session.name


async def test_a_guest_neither_asks_nor_is_asked(start_session: Start) -> None:
    async with open_rig() as rig:
        start_session(rig).driving()
        guest = start_session(rig, "gus", Role.GUEST, frozenset({Right.LOOK})).greeted()
        for message in ({"type": "lease.ask"}, {"type": "lease.take"}, {"type": "lease.acquire"}):
            assert codes(guest.send(message)) == ["not_permitted"]
        assert rig.engine.status.lease.questions == ()


async def test_who_may_not_drive_any_more_asks_no_more(start_session: Start) -> None:
    async with open_rig() as rig:
        _ana, ben = start_session(rig).driving(), start_session(rig).greeted()
        ben.send({"type": "lease.ask"})
        lost = SessionChange(session=ben.session._visitor, lost=frozenset({Right.DRIVE}))
        ben.session.receive_session_change(lost)
        assert rig.engine.status.lease.questions == ()
