"""What the owner is told about STUN, relays and UDP."""

from __future__ import annotations

from belvedere.lab.doctor.check import CheckResult, CheckState
from belvedere.lab.doctor.picture_way import picture_way
from belvedere.stage.direct.server_trial import ServerTrial

STUN = ServerTrial(url="stun:a", is_relay=False, is_udp=True, address="203.0.113.7")
SILENT = ServerTrial(url="stun:b", is_relay=False, is_udp=True, problem="no answer", was_silent=True)
RELAY = ServerTrial(url="turn:a", is_relay=True, is_udp=True, address="198.51.100.9")
BY_TCP = ServerTrial(url="turns:a", is_relay=True, is_udp=False, address="198.51.100.9")
REFUSED = ServerTrial(url="turn:c", is_relay=True, is_udp=True, problem="it refused our user name (401)")


async def told(*trials: ServerTrial) -> dict[str, CheckResult]:
    """The results by their names; each name at most once."""

    async def try_servers() -> tuple[ServerTrial, ...]:
        return trials

    results = await picture_way(try_servers)
    assert len({result.name for result in results}) == len(results)
    return {result.name: result for result in results}


async def test_without_servers_the_owner_learns_how_the_picture_goes_then() -> None:
    (result,) = (await told()).values()
    assert result.state is CheckState.OK
    assert "by the page's own connection" in result.message
    assert "relay-video-with-turn" in result.fix


async def test_servers_that_answer_say_where_and_prove_that_udp_gets_out() -> None:
    results = await told(STUN, RELAY)
    assert "this home is 203.0.113.7" in results["STUN"].message
    assert "opens a relay at 198.51.100.9" in results["relay"].message
    assert results["UDP"].message == "gets out of this network"
    assert {result.state for result in results.values()} == {CheckState.OK}


async def test_a_server_that_refuses_proves_that_too_and_its_reason_is_told() -> None:
    results = await told(REFUSED)
    assert results["relay"].state is CheckState.ERROR
    assert "401" in results["relay"].message
    assert results["UDP"].state is CheckState.OK


async def test_udp_is_blocked_where_only_a_relay_by_tcp_answers() -> None:
    results = await told(SILENT, BY_TCP)
    assert results["STUN"].state is CheckState.ERROR
    assert results["UDP"].state is CheckState.WARNING
    assert results["UDP"].message.startswith("blocked")


async def test_silence_alone_is_no_proof() -> None:
    results = await told(SILENT)
    assert results["UDP"].message.startswith("probably blocked")
    assert "relay by TCP" in results["UDP"].fix


async def test_udp_that_no_server_is_asked_by_is_not_judged() -> None:
    assert (await told(BY_TCP))["UDP"].state is CheckState.UNKNOWN
