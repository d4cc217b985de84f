"""Setting up creates what is missing, once, writes it down, and can be repeated at any point."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from belvedere.app.ivs_setup import KEY_FILE, PrintedCalls, key_name, read_known, set_up, write_key
from belvedere.app.settings import read_config
from belvedere.errors import IvsError, IvsReason, OwnerError, SettingsError
from belvedere.secret import Secret
from belvedere.stage.ivs.aws_api import PublicKeyDetails, StageDetails
from belvedere.stage.ivs.signed_tokens import new_key_pem, private_key, public_pem
from belvedere.stage.options import Way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "arn:aws:ivs:eu-central-1:123456789012"
EVENTS, WHIP = "wss://global.events.live-video.net", "https://global.whip.live-video.net"
MINE = """# Ours.
[stage]
bitrate_kbps = 900 # slow
"""


class FakeAws:
    """An account; `fail_at` names the call that fails."""

    def __init__(self) -> None:
        self.made: dict[str, StageDetails] = {}
        self.keys: dict[str, PublicKeyDetails] = {}
        self.calls: list[str] = []
        self.fail_at = ""
        self.tells_addresses_at_once = True

    def stage(self, arn: str) -> StageDetails:
        self._call("stage")
        if arn not in self.made:
            raise IvsError(IvsReason.NOT_FOUND, "get stage")
        return self.made[arn]

    def stages(self) -> Iterator[StageDetails]:
        self._call("stages")
        for each in self.made.values():
            yield StageDetails(each.arn, each.name, "", "")

    def create_stage(self, name: str) -> StageDetails:
        self._call("create_stage")
        arn = f"{ACCOUNT}:stage/Stage{len(self.made)}"
        self.made[arn] = StageDetails(arn, name, EVENTS, WHIP)
        return self.made[arn] if self.tells_addresses_at_once else StageDetails(arn, name, "", "")

    def public_key(self, arn: str) -> PublicKeyDetails:
        self._call("public_key")
        if arn not in self.keys:
            raise IvsError(IvsReason.NOT_FOUND, "get public key")
        return self.keys[arn]

    def public_keys(self) -> Iterator[PublicKeyDetails]:
        self._call("public_keys")
        for each in self.keys.values():
            yield PublicKeyDetails(each.arn, each.name, "")

    def import_key(self, name: str, material: str) -> PublicKeyDetails:
        self._call("import_key")
        arn = f"{ACCOUNT}:public-key/key-{len(self.keys)}"
        self.keys[arn] = PublicKeyDetails(arn, name, material.strip())  # AWS may write it in its own way
        return self.keys[arn]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name == self.fail_at:
            raise IvsError(IvsReason.ACCESS_DENIED, name)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "belvedere.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def run(settings: Path, aws: FakeAws, *, is_dry_run: bool = False) -> list[str]:
    said: list[str] = []
    set_up(settings, PrintedCalls(said.append) if is_dry_run else aws, is_dry_run=is_dry_run, say=said.append)
    return said


def test_an_empty_account_gets_a_key_and_a_stage_and_the_settings_name_them(settings: Path) -> None:
    aws = FakeAws()
    run(settings, aws)
    stage = read_config(settings).settings.stage
    assert stage.ways == (Way.DIRECT, Way.STREAM, Way.IVS)
    assert stage.ivs is not None
    assert (stage.ivs.stage_arn, stage.ivs.events_url, stage.ivs.whip_url) == (
        f"{ACCOUNT}:stage/Stage0",
        EVENTS,
        WHIP,
    )
    assert stage.bitrate_kbps == 900
    ours = public_pem(private_key(stage.ivs.key))
    assert aws.keys[str(stage.ivs.key_arn)].material == ours.strip()
    assert settings.read_text(encoding="utf-8").startswith(MINE)


def test_only_its_owner_may_read_the_key(settings: Path) -> None:
    run(settings, FakeAws())
    assert stat.S_IMODE((settings.parent / KEY_FILE).stat().st_mode) == 0o600


def test_repeating_it_changes_and_creates_nothing(settings: Path) -> None:
    aws = FakeAws()
    run(settings, aws)
    before, key = settings.read_text(encoding="utf-8"), (settings.parent / KEY_FILE).read_bytes()
    assert run(settings, aws)[-1] == f"{settings} says so already"
    assert (settings.read_text(encoding="utf-8"), (settings.parent / KEY_FILE).read_bytes()) == (before, key)
    assert (len(aws.made), len(aws.keys)) == (1, 1)


@pytest.mark.parametrize("fail_at", ["public_keys", "import_key", "stages", "create_stage"])
def test_a_run_that_failed_half_way_is_completed_by_the_next(settings: Path, fail_at: str) -> None:
    aws = FakeAws()
    aws.fail_at = fail_at
    with pytest.raises(IvsError):
        run(settings, aws)
    assert settings.read_text(encoding="utf-8") == MINE
    aws.fail_at = ""
    run(settings, aws)
    assert (len(aws.made), len(aws.keys)) == (1, 1)
    assert read_config(settings).settings.stage.ivs is not None


def test_settings_that_were_lost_are_written_again_with_what_is_there(settings: Path) -> None:
    aws = FakeAws()
    run(settings, aws)
    before = settings.read_text(encoding="utf-8")
    settings.write_text(MINE, encoding="utf-8")
    run(settings, aws)
    assert settings.read_text(encoding="utf-8") == before


def test_a_key_that_was_lost_is_made_anew_and_the_settings_follow(settings: Path) -> None:
    aws = FakeAws()
    run(settings, aws)
    (settings.parent / KEY_FILE).unlink()
    run(settings, aws)
    ivs = read_config(settings).settings.stage.ivs
    assert ivs is not None
    assert len(aws.keys) == 2
    assert aws.keys[str(ivs.key_arn)].material == public_pem(private_key(ivs.key)).strip()


def test_a_stage_whose_addresses_come_later_is_asked_for_them(settings: Path) -> None:
    aws = FakeAws()
    aws.tells_addresses_at_once = False
    run(settings, aws)
    assert aws.calls[-2:] == ["create_stage", "stage"]


def test_a_stage_without_addresses_is_written_nowhere(settings: Path) -> None:
    aws = FakeAws()
    arn = f"{ACCOUNT}:stage/x"
    aws.made[arn] = StageDetails(arn, "belvedere", "", "")
    with pytest.raises(IvsError, match="where participants"):
        run(settings, aws)
    assert settings.read_text(encoding="utf-8") == MINE


def test_the_order_of_ways_that_somebody_has_chosen_stays(settings: Path) -> None:
    settings.write_text('[stage]\nways = ["stream"]\n', encoding="utf-8")
    run(settings, FakeAws())
    assert read_config(settings).settings.stage.ways == (Way.STREAM, Way.IVS)


def test_a_dry_run_prints_each_call_and_each_change_and_makes_none(settings: Path) -> None:
    aws = FakeAws()
    said = run(settings, aws, is_dry_run=True)
    assert aws.calls == []
    assert settings.read_text(encoding="utf-8") == MINE
    assert list(settings.parent.iterdir()) == [settings]
    text = "\n".join(said)
    for call in ("ListPublicKeys", "ImportPublicKey", "ListStages", "CreateStage"):
        assert f"would call ivs:{call}(" in text
    assert "PRIVATE KEY" not in text
    assert 'ways = ["direct", "stream", "ivs"]' in text


def test_a_dry_run_over_what_is_there_says_what_it_would_look_at(settings: Path) -> None:
    run(settings, FakeAws())
    text = "\n".join(run(settings, FakeAws(), is_dry_run=True))
    assert f"would call ivs:GetStage(arn = {ACCOUNT}:stage/Stage0)" in text
    assert f"would call ivs:GetPublicKey(arn = {ACCOUNT}:public-key/key-0)" in text


@pytest.mark.parametrize("content", ["hunter2", "", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_is_no_key_is_left_alone(settings: Path, content: str) -> None:
    (settings.parent / KEY_FILE).write_text(content, encoding="ascii")
    with pytest.raises(IvsError) as caught:
        run(settings, FakeAws())
    assert caught.value.reason is IvsReason.BAD_KEY
    assert (settings.parent / KEY_FILE).read_text(encoding="ascii") == content


def test_a_link_is_followed_to_no_other_file(settings: Path, tmp_path: Path) -> None:
    (settings.parent / KEY_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OwnerError):
        run(settings, FakeAws())
    assert not (tmp_path / "elsewhere").exists()


def test_a_key_is_never_overwritten(settings: Path) -> None:
    path = settings.parent / KEY_FILE
    path.write_text("mine", encoding="ascii")
    with pytest.raises(OwnerError, match="cannot be written"):
        write_key(path, settings, new_key_pem())
    assert path.read_text(encoding="ascii") == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_services_key_is_readable_by_the_group_that_reads_its_settings(settings: Path) -> None:
    os.chown(settings, 0, 12_345)
    settings.chmod(0o640)
    path = settings.parent / KEY_FILE
    write_key(path, settings, new_key_pem())
    about = path.stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (0, 12_345, 0o640)


def test_settings_that_cannot_be_edited_are_left_alone(settings: Path) -> None:
    text = "stage = { bitrate_kbps = 900 }\n"
    settings.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="write these lines yourself"):
        run(settings, FakeAws())
    assert settings.read_text(encoding="utf-8") == text


def test_the_region_is_that_of_the_stage(settings: Path) -> None:
    assert read_known(settings).region == ""
    settings.write_text(f'[stage.ivs]\nstage_arn = "{ACCOUNT}:stage/x"\n', encoding="utf-8")
    assert read_known(settings).region == "eu-central-1"
    settings.write_text("stage = 7\n", encoding="utf-8")
    assert read_known(settings).region == ""


def test_a_keys_name_is_one_that_aws_takes_and_its_own() -> None:
    names = {key_name(public_pem(private_key(Secret(new_key_pem())))) for _ in range(3)}
    assert len(names) == 3
    assert all(name.replace("-", "").isalnum() and len(name) <= 128 for name in names)
