from __future__ import annotations

import asyncio

import pytest
from tests.stage.fakes import OFFER, StageRig

from belvedere.errors import StageError, StageReason
from belvedere.events import ViewerJoined, ViewerLeft
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.phases import ViewerPhase
from belvedere.stage.viewer import LinkReport, Viewer, ViewerRole, is_view


class Listener:
    """Records a viewer's reports."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, Viewer]] = []
        self.links: list[tuple[Viewer, LinkReport]] = []

    def receive_connecting(self, viewer: Viewer) -> None:
        self.reports.append(("connecting", viewer))

    def receive_connected(self, viewer: Viewer) -> None:
        self.reports.append(("connected", viewer))

    def receive_ended(self, viewer: Viewer) -> None:
        self.reports.append(("ended", viewer))

    def receive_report(self, viewer: Viewer, report: LinkReport) -> None:
        self.links.append((viewer, report))

    def receive_request(self, viewer: Viewer) -> None:
        self.reports.append(("request", viewer))


def test_what_a_way_reports_is_passed_on_with_the_viewer() -> None:
    listener = Listener()
    viewer = Viewer("ann", "WebRTC", listener)
    viewer.receive_connecting()
    viewer.receive_connected()
    viewer.request_idr()
    viewer.receive_ended()
    assert listener.reports == [(report, viewer) for report in ("connecting", "connected", "request", "ended")]


def test_what_a_way_tells_of_the_connection_is_passed_on_as_a_report() -> None:
    listener = Listener()
    viewer = Viewer("ann", "WebRTC", listener)
    viewer.report_capacity(1e6)
    viewer.report_loss(0.25)
    viewer.report_round_trip(0.04)
    assert listener.links == [
        (viewer, LinkReport(capacity_bits_per_s=1e6)),
        (viewer, LinkReport(loss=0.25)),
        (viewer, LinkReport(round_trip_s=0.04)),
    ]


def test_only_the_stage_ends_a_viewer_and_ids_differ() -> None:
    first, second = (Viewer("ann", "WebRTC", Listener()) for _ in range(2))
    first.receive_ended()
    second.phase = ViewerPhase.ENDED
    assert [viewer.is_ended for viewer in (first, second)] == [False, True]
    assert first.id != second.id


@pytest.mark.parametrize("name", ["", "a", "Az_-09", "a" * 64])
def test_a_view_may_be_named_so(name: str) -> None:
    assert is_view(name)


@pytest.mark.parametrize("name", [" ", "a\n", "ä", "a/b", "a" * 65])
def test_a_view_may_not_be_named_so(name: str) -> None:
    assert not is_view(name)


async def test_one_view_by_two_ways_counts_once_and_two_views_twice() -> None:
    rig = StageRig()
    for view in ("a", "a", "b"):
        await rig.watch("ann", view, way=f"way {len(rig.peers)}")
    await rig.watch("bob", "a")
    assert rig.stage.viewers == 3
    rig.peers[0].listener.receive_ended()
    assert rig.stage.viewers == 3
    rig.peers[1].listener.receive_ended()
    assert rig.stage.viewers == 2
    await rig.stage.close()


async def test_a_view_that_comes_again_by_the_same_way_replaces_its_connection() -> None:
    rig = StageRig()
    await rig.watch("ann", "a")
    await rig.watch("bob", "a")
    await rig.watch("ann", "a")
    await asyncio.sleep(1)
    assert [peer.is_closed for peer in rig.peers] == [True, False, False]
    await rig.stage.close()


async def test_the_second_way_of_a_view_needs_no_room_of_its_own() -> None:
    rig = StageRig(max_viewers=1)
    await rig.watch("ann", "a")
    await rig.watch("ann", "a", way="another")
    with pytest.raises(StageError) as caught:
        await rig.watch("bob")
    assert caught.value.reason is StageReason.TOO_MANY_VIEWERS
    await asyncio.sleep(1)
    assert not any(peer.is_closed for peer in rig.peers)
    await rig.stage.close()


async def test_a_participant_is_counted_and_reported_but_sent_no_frames_and_asks_for_no_idr() -> None:
    rig = StageRig()
    participant = rig.stage.admit("ann", rig.webrtc, role=ViewerRole.PARTICIPANT)
    participant.receive_connected()
    assert rig.is_on()
    assert rig.counts == [1]
    rig.stage.receive_frame(EncodedFrame(b"", 13.0, 1, is_idr=False))
    assert rig.producer.idrs == 0
    await rig.stage.end(participant.id, "ann")
    assert [type(event) for event in rig.events] == [ViewerJoined, ViewerLeft]
    assert not rig.is_on()


async def test_a_publisher_is_sent_the_frames_but_is_nobody_who_watches() -> None:
    rig = StageRig(max_viewers=1)
    publisher = rig.stage.admit("", rig.webrtc, role=ViewerRole.PUBLISHER)
    publisher.receive_connected()
    assert rig.is_on()
    assert rig.stage.viewers == 0
    await rig.watch("bob")
    assert publisher.phase is ViewerPhase.WATCHING, "the only place for viewers is not the publisher's"
    idr = EncodedFrame(b"", 13.0, 1, is_idr=True)
    rig.stage.receive_frame(idr)
    assert await publisher.subscriber.next_frame() is idr
    assert rig.counts == [1]
    rig.stage.cover()
    assert publisher.is_ended
    assert await publisher.subscriber.next_frame() is None
    assert [type(event) for event in rig.events] == [ViewerJoined, ViewerLeft]
    await rig.stage.close()


async def test_a_full_house_ends_no_publisher_to_make_room() -> None:
    rig = StageRig(max_viewers=1)
    publisher = rig.stage.admit("", rig.webrtc, role=ViewerRole.PUBLISHER)
    publisher.receive_connected()
    await rig.watch("ann")
    with pytest.raises(StageError) as caught:
        await rig.webrtc.answer(OFFER, "bob")
    assert caught.value.reason is StageReason.TOO_MANY_VIEWERS
    assert not publisher.is_ended
    await rig.stage.close()
