"""Checks whether Amazon IVS would work with these settings. It joins nothing, creates nothing and costs nothing."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from belvedere.errors import IvsError, IvsReason
from belvedere.stage.ivs.aws_api import MAX_SKEW_S
from belvedere.stage.ivs.signed_tokens import SignedTokens, private_key, public_pem
from belvedere.stage.options import Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from belvedere.app.settings import Config
    from belvedere.stage.ivs.aws_api import PublicKeyDetails, StageDetails
    from belvedere.stage.ivs_options import IvsOptions

QUICK_S: Final = 0.002  # what signing a token may take
NOBODY: Final = "belvedere-check-"  # a participant that does not exist


class IvsResult(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what, whether it passed, and what was seen or is to be done."""

    check: str
    passed: bool
    detail: str


class CheckApi(Protocol):
    """The calls of a check (stage.ivs.aws_api.AwsApi); each raises IvsError."""

    @property
    def clock_behind_s(self) -> float | None:
        """How far this computer's clock is behind AWS's, by the last answer; None before the first."""
        ...

    def stage(self, arn: str) -> StageDetails:
        """A stage by its ARN."""
        ...

    def public_key(self, arn: str) -> PublicKeyDetails:
        """An imported key by its ARN."""
        ...

    def disconnect(self, stage_arn: str, participant: str, reason: str) -> None:
        """Put out a participant."""
        ...


def check_ivs(
    config: Config, create_api: Callable[[IvsOptions], CheckApi], clock: Callable[[], float] = time.perf_counter
) -> Iterator[IvsResult]:
    """The results, one after the other."""
    stage = config.settings.stage
    options = stage.ivs
    if options is None:
        yield _failed("settings", "there is no [stage.ivs]: run `belvedere ivs setup`")
        return
    is_used = Way.IVS in stage.ways
    yield IvsResult(
        check="settings",
        passed=is_used,
        detail="pages use it" if is_used else 'no page uses it: add "ivs" to [stage] ways',
    )
    if options.key is not None:
        yield _signing(options, clock)
    api = create_api(options)
    yield _stage(options, api)
    if options.key is not None and options.key_arn is not None:
        yield _public_key(options, options.key_arn, api)
    yield _disconnecting(options, api)
    if api.clock_behind_s is not None:
        yield _clock(api.clock_behind_s)


def _signing(options: IvsOptions, clock: Callable[[], float]) -> IvsResult:
    tokens = SignedTokens(options)
    try:
        tokens.load()
        began = clock()
        tokens.sign({"allow_publish": False, "allow_subscribe": True}, {})
    except IvsError as error:
        return _failed("signing", str(error))
    return IvsResult(check="signing", passed=True, detail=f"a token takes {(clock() - began) * 1000:.1f} ms")


def _stage(options: IvsOptions, api: CheckApi) -> IvsResult:
    try:
        found = api.stage(options.stage_arn)
    except IvsError as error:
        return _failed("stage", str(error))
    given = {"events_url": (options.events_url, found.events_url), "whip_url": (options.whip_url, found.whip_url)}
    other = [key for key, (ours, theirs) in given.items() if ours is not None and theirs and ours != theirs]
    if other:
        return _failed("stage", f"AWS has another {' and '.join(other)}: run `belvedere ivs setup`")
    return IvsResult(check="stage", passed=True, detail=f"{options.stage_arn} is there")


def _public_key(options: IvsOptions, arn: str, api: CheckApi) -> IvsResult:
    try:
        is_same = api.public_key(arn).material.split() == public_pem(private_key(options.key)).split()
    except IvsError as error:
        return _failed("public key", str(error))
    if not is_same:
        return _failed("public key", f"{arn} is the public half of another key: run `belvedere ivs setup`")
    return IvsResult(check="public key", passed=True, detail=f"{arn} is that of the key")


def _disconnecting(options: IvsOptions, api: CheckApi) -> IvsResult:
    """Whether somebody could be put out. Nobody is: AWS says that it knows no such participant, or that it may not."""
    try:
        api.disconnect(options.stage_arn, NOBODY + secrets.token_hex(8), "a check")
    except IvsError as error:
        if error.reason is not IvsReason.NOT_FOUND:
            return _failed("disconnecting", str(error))
    return IvsResult(check="disconnecting", passed=True, detail="people can be put out of the stage")


def _clock(behind_s: float) -> IvsResult:
    direction = "behind" if behind_s > 0 else "ahead of"
    detail = f"this computer's clock is {abs(behind_s):.0f} s {direction} AWS's"
    if abs(behind_s) > MAX_SKEW_S:
        return _failed("clock", f"{detail}, so that tokens are not valid: {IvsReason.CLOCK.value}")
    return IvsResult(check="clock", passed=True, detail=detail)


def _failed(check: str, detail: str) -> IvsResult:
    return IvsResult(check=check, passed=False, detail=detail)
