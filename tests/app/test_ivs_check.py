"""A check says of each part whether it works, and creates, joins and ends nothing."""

from __future__ import annotations

import msgspec
import pytest

from belvedere.app.ivs_check import NOBODY, check_ivs
from belvedere.app.settings import DEMO, Config, Settings, StoreSettings, resolve
from belvedere.errors import IvsError, IvsReason
from belvedere.secret import Secret
from belvedere.stage.ivs.aws_api import PublicKeyDetails, StageDetails
from belvedere.stage.ivs.signed_tokens import new_key_pem, private_key, public_pem
from belvedere.stage.ivs_options import IvsOptions
from belvedere.stage.options import StageOptions, Way

ACCOUNT = "arn:aws:ivs:eu-central-1:123456789012"
PEM = new_key_pem()
OPTIONS = IvsOptions(
    stage_arn=f"{ACCOUNT}:stage/x",
    key=Secret(PEM),
    key_arn=f"{ACCOUNT}:public-key/y",
    events_url="wss://events",
    whip_url="https://whip",
)


class FakeAws:
    """An account that answers as the test says."""

    def __init__(self) -> None:
        self.clock_behind_s: float | None = 0.0
        self.details = StageDetails(OPTIONS.stage_arn, "belvedere", "wss://events", "https://whip")
        self.material = public_pem(private_key(Secret(PEM)))
        self.failures: dict[str, IvsReason] = {"disconnect": IvsReason.NOT_FOUND}
        self.disconnected: list[str] = []

    def stage(self, arn: str) -> StageDetails:
        self._fail("stage")
        assert arn == OPTIONS.stage_arn
        return self.details

    def public_key(self, arn: str) -> PublicKeyDetails:
        self._fail("public_key")
        return PublicKeyDetails(arn, "ours", self.material.strip())

    def disconnect(self, stage_arn: str, participant: str, reason: str) -> None:
        assert (stage_arn, reason) == (OPTIONS.stage_arn, "a check")
        self.disconnected.append(participant)
        self._fail("disconnect")

    def _fail(self, name: str) -> None:
        if name in self.failures:
            raise IvsError(self.failures[name], name)


def config(options: IvsOptions | None = OPTIONS, ways: tuple[Way, ...] = (Way.DIRECT, Way.IVS)) -> Config:
    stage = StageOptions(ivs=options, ways=ways)
    return resolve(msgspec.structs.replace(DEMO, stage=stage, store=StoreSettings()))


def results(aws: FakeAws, checked: Config | None = None) -> dict[str, tuple[bool, str]]:
    found = check_ivs(checked or config(), lambda _options: aws)
    return {each.check: (each.passed, each.detail) for each in found}


def test_what_works_passes() -> None:
    aws = FakeAws()
    found = results(aws)
    assert list(found) == ["settings", "signing", "stage", "public key", "disconnecting", "clock"]
    assert all(passed for passed, _ in found.values())


def test_nobody_is_put_out() -> None:
    aws = FakeAws()
    results(aws)
    (nobody,) = aws.disconnected
    assert nobody.startswith(NOBODY)
    assert len(nobody) <= 64


@pytest.mark.parametrize("reason", [IvsReason.ACCESS_DENIED, IvsReason.UNREACHABLE, IvsReason.NO_LIBRARY])
@pytest.mark.parametrize(
    ("call", "check"), [("stage", "stage"), ("public_key", "public key"), ("disconnect", "disconnecting")]
)
def test_what_aws_refuses_fails_with_the_cure(call: str, check: str, reason: IvsReason) -> None:
    aws = FakeAws()
    aws.failures[call] = reason
    found = results(aws)
    assert found[check] == (False, f"{call}: {reason.value}")
    assert [name for name, (passed, _) in found.items() if not passed] == [check]


def test_another_key_fails() -> None:
    aws = FakeAws()
    aws.material = public_pem(private_key(Secret(new_key_pem())))
    assert not results(aws)["public key"][0]


def test_other_addresses_fail() -> None:
    aws = FakeAws()
    aws.details = StageDetails(OPTIONS.stage_arn, "belvedere", "wss://other", "https://whip")
    passed, detail = results(aws)["stage"]
    assert not passed
    assert detail.startswith("AWS has another events_url: ")


@pytest.mark.parametrize(("behind_s", "passes"), [(3, True), (-3, True), (90, False), (-90, False)])
def test_a_wrong_clock_fails(behind_s: float, passes: bool) -> None:  # noqa: FBT001 - a case
    aws = FakeAws()
    aws.clock_behind_s = behind_s
    passed, detail = results(aws)["clock"]
    assert passed is passes
    assert ("behind" if behind_s > 0 else "ahead") in detail


def test_a_clock_that_aws_said_nothing_of_is_not_judged() -> None:
    aws = FakeAws()
    aws.clock_behind_s = None
    assert "clock" not in results(aws)


def test_a_key_that_cannot_sign_fails() -> None:
    broken = msgspec.structs.replace(OPTIONS, key=Secret(PEM[:80]))
    found = results(FakeAws(), config(broken))
    assert not found["signing"][0]
    assert not found["public key"][0]


def test_without_a_key_nothing_is_signed() -> None:
    found = results(FakeAws(), config(IvsOptions(stage_arn=OPTIONS.stage_arn)))
    assert list(found) == ["settings", "stage", "disconnecting", "clock"]


def test_a_way_that_no_page_uses_is_told() -> None:
    assert not results(FakeAws(), config(ways=(Way.DIRECT,)))["settings"][0]


def test_without_a_stage_the_owner_is_told_what_to_run() -> None:
    found = results(FakeAws(), resolve(Settings()))
    assert list(found) == ["settings"]
    assert "ivs setup" in found["settings"][1]
