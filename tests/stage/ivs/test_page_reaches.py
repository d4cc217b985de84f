from __future__ import annotations

from belvedere.stage.ivs.page_reaches import STAGE_SERVERS, TELEMETRY, page_reaches
from belvedere.stage.ivs_options import IvsOptions
from belvedere.stage.options import StageOptions, Way

ARN = "arn:aws:ivs:eu-central-1:123456789012:stage/abcdEFGHijkl"


def options(**ivs: str | bool) -> StageOptions:
    return StageOptions(ways=(Way.IVS,), ivs=IvsOptions(stage_arn=ARN, **ivs))  # type: ignore[arg-type]  # of a test


def test_a_page_that_does_not_watch_through_ivs_reaches_nobody() -> None:
    assert page_reaches(StageOptions()) == ()
    assert page_reaches(StageOptions(ivs=IvsOptions(stage_arn=ARN))) == ()


def test_the_servers_of_all_stages_and_those_of_the_settings_are_reached() -> None:
    assert page_reaches(options()) == STAGE_SERVERS
    own = options(whip_url="http://127.0.0.1:8000/whip", events_url="ws://127.0.0.1:8000/events")
    assert page_reaches(own) == (*STAGE_SERVERS, "http://127.0.0.1:8000", "ws://127.0.0.1:8000")


def test_the_policy_does_not_tell_whose_stage_it_is() -> None:
    own = options(
        whip_url="https://123456789012.global-bm.whip.live-video.net", events_url="wss://global.events.live-video.net"
    )
    assert page_reaches(own) == STAGE_SERVERS


def test_telemetry_is_let_out_only_by_the_owner() -> None:
    assert not set(TELEMETRY) & set(page_reaches(options()))
    assert set(TELEMETRY) < set(page_reaches(options(allow_telemetry=True)))
