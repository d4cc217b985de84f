from __future__ import annotations

import msgspec
import pytest

from belvedere.secret import Secret
from belvedere.stage.ivs_options import PEM, IvsOptions
from belvedere.stage.options import StageOptions, Way

STAGE = "arn:aws:ivs:eu-central-1:123456789012:stage/AbCdEfGhIjKl"
KEY = "arn:aws:ivs:eu-central-1:123456789012:public-key/0123-abcd"
SIGNING = f"""
stage_arn = "{STAGE}"
key_file = "x"
key_arn = "{KEY}"
events_url = "wss://global.events.live-video.net"
whip_url = "https://0a1b2c.global-bm.whip.live-video.net"
"""


def decode(kind: type, _value: object) -> object:
    assert kind is Secret
    return Secret(f"{PEM}\nAAAA\n")


def read(text: str) -> IvsOptions:
    return msgspec.convert(msgspec.toml.decode(text), IvsOptions, dec_hook=decode)


def test_a_stage_alone_is_enough_as_aws_makes_the_tokens_then() -> None:
    options = read(f'stage_arn = "{STAGE}"')
    assert (options.region, options.stage_id, options.key) == ("eu-central-1", "AbCdEfGhIjKl", None)


def test_a_key_comes_with_its_arn_and_the_addresses_of_the_stage() -> None:
    assert read(SIGNING).key_arn == KEY


@pytest.mark.parametrize(
    "without", ["stage_arn", "key_arn", "key_file", "events_url", "whip_url"], ids=lambda name: f"no {name}"
)
def test_what_is_incomplete_is_refused(without: str) -> None:
    text = "\n".join(line for line in SIGNING.splitlines() if not line.startswith(without))
    with pytest.raises(msgspec.ValidationError):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        f'stage_arn = "{STAGE}\\n"',
        'stage_arn = "arn:aws:ivs:eu-central-1:123456789012:channel/AbCdEfGhIjKl"',
        SIGNING.replace("public-key", "stage"),
        SIGNING.replace("eu-central-1:123456789012:public-key", "us-east-1:123456789012:public-key"),
        SIGNING.replace("wss://global.events", "ws://global.events"),
        SIGNING.replace("https://0a1b2c", "http://0a1b2c"),
        SIGNING + "price_usd = -1",
        SIGNING + "monthly_hours = -1",
        SIGNING + 'access_key_id = "AKIAIOSFODNN7EXAMPLE"',
        SIGNING + 'secret_access_key_file = "aws-secret"',
        SIGNING + 'region = "eu-central-1"',
    ],
)
def test_what_cannot_work_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(text)


def test_a_stand_in_on_this_computer_needs_no_tls() -> None:
    text = SIGNING.replace("wss://global.events.live-video.net", "ws://127.0.0.1:8001/events")
    assert read(text).events_url == "ws://127.0.0.1:8001/events"


def test_a_file_without_a_private_key_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match="PEM") as caught:
        IvsOptions(stage_arn=STAGE, key=Secret("hunter2"), key_arn=KEY, events_url="wss://a", whip_url="https://a")
    assert "hunter2" not in str(caught.value)


def test_pages_use_the_ways_of_before_unless_told_otherwise() -> None:
    assert StageOptions().ways == (Way.DIRECT, Way.STREAM)


@pytest.mark.parametrize(
    ("ways", "why"), [('["ivs"]', "ivs setup"), ('["direct", "direct"]', "twice"), ("[]", "length")]
)
def test_ways_that_cannot_be_are_refused(ways: str, why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        msgspec.toml.decode(f"ways = {ways}", type=StageOptions)
