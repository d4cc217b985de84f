"""Whether the picture's way out of the home is open: the STUN and TURN servers of the settings, and UDP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from belvedere.lab.doctor.check import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from belvedere.stage.direct.server_trial import ServerTrial

NAME: Final = "picture's way out"
HOW_TO: Final = "docs/how-to/relay-video-with-turn.md"


async def picture_way(try_servers: Callable[[], Awaitable[Sequence[ServerTrial]]]) -> list[CheckResult]:
    """Ask the servers, and say what that means for visitors."""
    trials = await try_servers()
    if not trials:
        message = (
            "no STUN or TURN server is set: visitors in this home's network get the picture directly,"
            " others mostly by the page's own connection"
        )
        return [CheckResult(NAME, CheckState.OK, message, f"a direct picture for others: {HOW_TO}")]
    return [*(_answer(trial) for trial in trials), *_udp(trials)]


def _answer(trial: ServerTrial) -> CheckResult:
    """What one server said."""
    kind = "relay" if trial.is_relay else "STUN"
    if trial.address:
        told = "opens a relay at" if trial.is_relay else "answers; from outside this home is"
        return CheckResult(kind, CheckState.OK, f"{trial.url} {told} {trial.address}")
    if trial.was_silent:
        fix = "look whether it runs, and whether the router or a firewall lets its port out"
        return CheckResult(kind, CheckState.ERROR, f"{trial.url} does not answer", fix)
    fix = (
        f"correct the server, its user or its secret in [stage]: {HOW_TO}" if trial.is_relay else "correct its address"
    )
    return CheckResult(kind, CheckState.ERROR, f"{trial.url}: {trial.problem}", fix)


def _udp(trials: Sequence[ServerTrial]) -> list[CheckResult]:
    """Whether UDP gets out, as far as the servers show it: one that answers proves it, and silence proves nothing."""
    by_udp = [trial for trial in trials if trial.is_udp]
    if not by_udp:
        return [CheckResult("UDP", CheckState.UNKNOWN, "not tried: no server of the settings is asked by UDP")]
    if any(trial.address or not trial.was_silent for trial in by_udp):
        return [CheckResult("UDP", CheckState.OK, "gets out of this network")]
    if any(trial.address for trial in trials if not trial.is_udp):
        message = "blocked: no server answers by UDP, and a relay does by TCP"
        fix = "nothing if the relay is enough; for a picture with less delay, let UDP out at the router or firewall"
        return [CheckResult("UDP", CheckState.WARNING, message, fix)]
    fix = f"let UDP out at the router or firewall, or set up a relay by TCP: {HOW_TO}"
    return [CheckResult("UDP", CheckState.WARNING, "probably blocked: no server answers by UDP", fix)]
