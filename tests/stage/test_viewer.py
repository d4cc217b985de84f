from __future__ import annotations

from belvedere.stage.phases import ViewerPhase
from belvedere.stage.viewer import LinkReport, Viewer


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
