"""In virtual time, with fakes. Real connections are in `tests/support/test_ivs_stand_in.py`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tests.stage.fakes import IDR
from tests.stage.ivs.fakes import ANSWER, PublisherRig

from belvedere.stage.frames import EncodedFrame
from belvedere.stage.ivs.publisher import (
    LINGER_S,
    MAX_CALLS,
    OPEN_TIMEOUT_S,
    OVERLAP_S,
    REPUBLISH_S,
    RETRY_DELAYS_S,
    SHORTEST_DELAY_S,
    WHIP_URL,
)

if TYPE_CHECKING:
    import pytest

    from belvedere.stage.ivs.whip_client import WhipSession


async def settled() -> None:
    """Let everything that is due now happen."""
    await asyncio.sleep(0.001)


async def test_nothing_is_published_while_nobody_watches() -> None:
    rig = PublisherRig()
    await asyncio.sleep(1000)
    assert not rig.peers
    assert not rig.stage_rig.is_on()


async def test_the_first_participant_has_the_camera_published_with_a_token_of_its_own() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    assert rig.is_publishing()
    assert rig.ivs.offers == [(WHIP_URL, "token-1", "the offer")]
    assert rig.peers[0].answer.startswith(ANSWER)
    assert rig.stage_rig.is_on()
    assert rig.stage.viewers == 0, "the camera is no viewer"
    rig.stage.receive_frame(IDR)
    assert await rig.peers[0].frames.next_frame() is IDR
    assert rig.billed == [True]
    await rig.publisher.close()
    assert rig.billed == [True, False]


async def test_the_offer_goes_where_the_token_says() -> None:
    rig = PublisherRig()
    rig.ivs.whip_url = "http://127.0.0.1:1/"
    rig.publisher.receive_participants(1)
    await settled()
    assert rig.ivs.offers[0][0] == "http://127.0.0.1:1/"
    await rig.publisher.close()


async def test_more_participants_change_nothing() -> None:
    rig = PublisherRig()
    for count in (1, 2, 3, 2, 1):
        rig.publisher.receive_participants(count)
        await settled()
    assert len(rig.peers) == 1
    await rig.publisher.close()


async def test_it_ends_a_minute_after_the_last_one_left_and_ivs_is_told() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    rig.publisher.receive_participants(0)
    await asyncio.sleep(LINGER_S - 1)
    assert rig.is_publishing()
    await asyncio.sleep(2)
    assert not rig.is_publishing()
    assert not rig.open_peers
    assert rig.ivs.ended == ["https://ivs.example/token-1"]
    assert not rig.stage_rig.is_on()


async def test_who_comes_back_within_the_minute_finds_it_published() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    rig.publisher.receive_participants(0)
    await asyncio.sleep(LINGER_S - 1)
    rig.publisher.receive_participants(1)
    await asyncio.sleep(LINGER_S * 5)
    assert len(rig.peers) == 1
    assert rig.is_publishing()
    await rig.publisher.close()


async def test_when_the_curtain_covers_the_stage_nothing_more_is_sent_and_nothing_is_begun() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    peer = rig.peers[0]
    rig.stage.receive_frame(IDR)
    rig.stage.cover()
    assert peer.is_cut
    assert await peer.frames.next_frame() is None, "nothing that was captured before leaves the house"
    await rig.publisher.cut()
    await asyncio.sleep(100)
    assert not rig.open_peers
    assert len(rig.peers) == 1
    assert rig.billed == [True, False]
    assert len(rig.ivs.ended) == 1
    rig.stage.uncover()
    await asyncio.sleep(max(RETRY_DELAYS_S))
    assert rig.is_publishing(), "somebody still watches"
    await rig.publisher.close()


async def test_the_curtain_also_ends_what_is_being_connected() -> None:
    rig = PublisherRig()
    rig.runs_threads = False
    rig.publisher.receive_participants(1)
    await settled()
    rig.stage.cover()
    rig.publisher.receive_participants(0)
    for run in rig.threads:  # the answer comes now
        run()
    rig.runs_threads = True
    await asyncio.sleep(100)
    assert not rig.open_peers
    assert not rig.is_publishing()
    assert rig.ivs.ended == ["https://ivs.example/token-1"]
    assert rig.billed == []


async def test_what_is_forbidden_stops_at_once_until_it_is_permitted() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    rig.publisher.forbid()
    rig.publisher.forbid()
    assert rig.peers[0].is_cut
    assert await rig.peers[0].frames.next_frame() is None
    assert rig.billed == [True, False]
    rig.publisher.receive_participants(2)
    await asyncio.sleep(100)
    assert len(rig.peers) == 1
    rig.publisher.permit()
    await settled()
    assert rig.is_publishing()
    await rig.publisher.close()


async def test_an_answer_that_comes_after_a_stop_is_ended_at_ivs() -> None:
    rig = PublisherRig()
    rig.runs_threads = False
    rig.publisher.receive_participants(1)
    await settled()
    rig.publisher.forbid()
    rig.runs_threads = True
    for run in rig.threads:
        run()
    await settled()
    assert rig.ivs.ended == ["https://ivs.example/token-1"]
    assert not rig.open_peers


async def test_a_server_that_never_answers_keeps_only_a_few_threads() -> None:
    rig = PublisherRig()
    rig.runs_threads = False
    rig.publisher.receive_participants(1)
    await asyncio.sleep(3600)
    assert len(rig.threads) == MAX_CALLS
    assert not rig.open_peers
    rig.runs_threads = True
    for run in rig.threads:  # it answers after all
        run()
    await asyncio.sleep(max(RETRY_DELAYS_S))
    assert rig.is_publishing()
    await rig.publisher.close()


async def test_a_connection_that_cannot_be_cut_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    monkeypatch.setattr(rig.peers[0], "cut", lambda: 1 / 0)
    rig.publisher.forbid()
    await settled()
    assert rig.is_closed(0)
    assert await rig.peers[0].frames.next_frame() is None


async def test_a_connection_that_ivs_ends_is_replaced_with_another_token() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    rig.peers[0].listener.receive_ended()
    await settled()
    assert not rig.is_publishing()
    await asyncio.sleep(RETRY_DELAYS_S[0])
    assert rig.is_publishing()
    assert [token for _, token, _ in rig.ivs.offers] == ["token-1", "token-2"]
    assert rig.ivs.ended == ["https://ivs.example/token-1"]
    assert rig.billed == [True, False, True]
    await rig.publisher.close()


async def test_a_connection_that_ends_while_nobody_watches_is_not_replaced() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    rig.publisher.receive_participants(0)
    rig.peers[0].listener.receive_ended()
    await asyncio.sleep(1000)
    assert len(rig.peers) == 1
    rig.publisher.receive_participants(1)
    await settled()
    assert rig.is_publishing()
    await rig.publisher.close()


async def test_attempts_that_fail_come_later_each_time_and_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rig = PublisherRig()
    rig.refuse(403)
    rig.publisher.receive_participants(1)
    await settled()
    for number, delay_s in enumerate(RETRY_DELAYS_S, start=1):
        assert len(rig.ivs.offers) == number
        await asyncio.sleep(delay_s * 0.9)
        assert len(rig.ivs.offers) == number
        await asyncio.sleep(delay_s * 0.1 + 0.01)
    await asyncio.sleep(RETRY_DELAYS_S[-1] + 0.01)
    assert len(rig.ivs.offers) == len(RETRY_DELAYS_S) + 2
    warnings = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == ["could not publish to Amazon IVS: HTTP status 403"]
    assert "token-" not in caplog.text
    rig.ivs.error = None
    await asyncio.sleep(RETRY_DELAYS_S[-1] + 0.01)
    assert rig.is_publishing()
    assert "published to Amazon IVS (participant camera-" in caplog.text
    await rig.publisher.close()


async def test_somebody_who_joins_does_not_wait_for_a_long_delay() -> None:
    rig = PublisherRig()
    rig.refuse()
    rig.publisher.receive_participants(1)
    await asyncio.sleep(sum(RETRY_DELAYS_S) - 10)
    offers = len(rig.ivs.offers)
    rig.ivs.error = None
    rig.publisher.receive_participants(2)
    await settled()
    assert len(rig.ivs.offers) == offers + 1
    assert rig.is_publishing()
    await rig.publisher.close()


async def test_many_who_join_cause_no_more_attempts_than_one_in_two_seconds() -> None:
    rig = PublisherRig()
    rig.refuse()
    await asyncio.sleep(0)
    for number in range(600):
        rig.publisher.receive_participants(1 + number % 2)
        await asyncio.sleep(0.1)
    assert len(rig.ivs.offers) <= 60 / SHORTEST_DELAY_S + 3
    await rig.publisher.close()


async def test_an_attempt_that_takes_too_long_is_given_up() -> None:
    rig = PublisherRig()
    rig.connects = False
    rig.publisher.receive_participants(1)
    await asyncio.sleep(OPEN_TIMEOUT_S + 1)
    assert rig.is_closed(0)
    assert rig.ivs.ended[0] == "https://ivs.example/token-1"
    assert rig.billed == []
    await rig.publisher.close()


async def test_a_new_connection_takes_over_before_ivs_ends_the_old_one() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    await asyncio.sleep(REPUBLISH_S)
    first, second = rig.peers
    assert rig.is_publishing()
    assert not rig.is_closed(0), "both send for a moment"
    rig.stage.receive_frame(frame := EncodedFrame(b"", 1e6, 1, is_idr=True))
    assert await first.frames.next_frame() is await second.frames.next_frame() is frame
    await asyncio.sleep(OVERLAP_S + 0.1)
    assert rig.is_closed(0)
    assert not rig.is_closed(1)
    assert rig.ivs.ended == ["https://ivs.example/token-1"]
    assert rig.billed == [True]
    await rig.publisher.close()


async def test_where_the_new_connection_fails_the_old_one_stays_and_it_is_tried_again() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    rig.refuse()
    await asyncio.sleep(REPUBLISH_S + 5)
    assert not rig.is_closed(0)
    rig.ivs.error = None
    await asyncio.sleep(max(RETRY_DELAYS_S) + OVERLAP_S)
    assert rig.is_closed(0)
    assert len(rig.open_peers) == 1
    assert rig.billed == [True]
    await rig.publisher.close()


async def test_an_old_connection_does_not_outlive_everybody() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    rig.refuse()
    await asyncio.sleep(REPUBLISH_S + 5)
    rig.publisher.receive_participants(0)
    await asyncio.sleep(LINGER_S + 1)
    assert not rig.open_peers


async def test_ivs_that_cannot_be_told_of_the_end_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_session: WhipSession, _token: object) -> None:
        raise OSError("no network")

    rig = PublisherRig()
    monkeypatch.setattr(rig.ivs, "end", fail)
    rig.publisher.receive_participants(1)
    await settled()
    await rig.publisher.close()
    assert not rig.open_peers


async def test_reports_of_the_connection_reach_the_rate_control() -> None:
    rig = PublisherRig()
    rig.publisher.receive_participants(1)
    await settled()
    listener = rig.peers[0].listener
    targets = len(rig.stage_rig.producer.targets)
    for _ in range(20):
        listener.report_capacity(400_000)
        listener.report_loss(0.2)
        listener.report_round_trip(0.1)
        rig.stage_rig.now_s += 1
        rig.stage.receive_frame(EncodedFrame(b"x" * 20_000, rig.stage_rig.now_s, 1, is_idr=True))
        assert await rig.peers[0].frames.next_frame() is not None
    assert len(rig.stage_rig.producer.targets) > targets
    assert rig.stage_rig.producer.targets[-1].bits_per_s < 1_000_000
    await rig.publisher.close()
