from __future__ import annotations

import logging

import pytest

from belvedere.app.event_log import EventLog
from belvedere.events import (
    CommandRefused,
    DriverChanged,
    Event,
    HoldCut,
    RightsChanged,
    SessionEnded,
    SessionOpened,
    SessionRestored,
    StillTaken,
    StopRequested,
    TalkBegan,
    TalkEnded,
    UnitLinkChanged,
    ViewerJoined,
    ViewerLeft,
)

OPENED = SessionOpened("a1", "ana")


def lines(caplog: pytest.LogCaptureFixture, *events: Event) -> list[str]:
    caplog.set_level(logging.INFO)
    log = EventLog()
    for event in events:
        log.receive(event)
    return [record.getMessage() for record in caplog.records]


def test_a_visit_can_be_read_from_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert lines(
        caplog,
        OPENED,
        ViewerJoined("v1", "a1", "WebRTC"),
        DriverChanged(1, "a1-1", "ana"),
        HoldCut("a1-1", "stopped", None),
        StopRequested("b2-1", "ben"),
        StopRequested("curtain", None),
        DriverChanged(2, None, None),
        ViewerLeft("v1", "a1", 61.4),
        RightsChanged("a1", "ana", "drive look"),
        RightsChanged("a1", "ana", ""),
        SessionEnded("a1", "ana", "left"),
    ) == [
        "ana came in (session a1)",
        "ana watches by WebRTC (session a1)",
        "ana drives (lease 1, connection a1-1)",
        "a hold was cut: stopped, both axes (connection a1-1)",
        "ben stopped the head (connection b2-1)",
        "the curtain stopped the head",
        "nobody drives (lease 2)",
        "ana stopped watching after 61 s (session a1)",
        "ana may now do: drive look (session a1)",
        "ana may now do: nothing (session a1)",
        "ana left (session a1, left)",
    ]


def test_a_viewer_of_a_restored_session_is_logged_by_name(caplog: pytest.LogCaptureFixture) -> None:
    assert lines(caplog, SessionRestored("a1", "ana"), ViewerJoined("v1", "a1", "WebRTC")) == [
        "ana may come in again after the restart (session a1)",
        "ana watches by WebRTC (session a1)",
    ]


def test_a_page_that_changes_its_way_goes_on_watching(caplog: pytest.LogCaptureFixture) -> None:
    assert lines(
        caplog,
        OPENED,
        ViewerJoined("v1", "a1", "WebSocket", "page"),
        ViewerJoined("v2", "a1", "WebSocket", "other-tab"),
        ViewerJoined("v3", "a1", "WebRTC", "page"),
        ViewerLeft("v1", "a1", 2.0, "page"),
        ViewerLeft("v3", "a1", 60.0, "page"),
        ViewerLeft("v2", "a1", 70.0, "other-tab"),
    ) == [
        "ana came in (session a1)",
        "ana watches by WebSocket (session a1)",
        "ana watches by WebSocket (session a1)",
        "ana watches by WebRTC (session a1)",
        "ana stopped watching after 62 s (session a1)",
        "ana stopped watching after 70 s (session a1)",
    ]


def test_one_axis_that_was_cut_is_named(caplog: pytest.LogCaptureFixture) -> None:
    assert lines(caplog, HoldCut("a1-1", "link_lost", "pan")) == ["a hold was cut: link_lost, pan (connection a1-1)"]


def test_a_viewer_whose_session_has_ended_is_logged_without_a_name(caplog: pytest.LogCaptureFixture) -> None:
    told = lines(caplog, OPENED, SessionEnded("a1", "ana", "expired"), ViewerLeft("v1", "a1", 5.0))
    assert told[-1] == "somebody stopped watching after 5 s (session a1)"


@pytest.mark.parametrize("often", [CommandRefused("a1-1", "too_fast"), UnitLinkChanged("pan", "ready", None)])
def test_frequent_events_and_those_logged_elsewhere_are_not_logged(
    often: Event, caplog: pytest.LogCaptureFixture
) -> None:
    assert not lines(caplog, often)


def test_a_kept_picture_is_logged_with_who_kept_it(caplog: pytest.LogCaptureFixture) -> None:
    assert lines(caplog, StillTaken("a1", "ana")) == ["ana took a still (session a1)"]


def test_who_talks_is_logged_with_how_long(caplog: pytest.LogCaptureFixture) -> None:
    assert lines(caplog, TalkBegan("a1", "ana"), TalkEnded("a1", "ana", 4.2)) == [
        "ana talks to the room (session a1)",
        "ana stopped talking after 4 s (session a1)",
    ]
