from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.support.fake_hardware import DirectConnection, Driver

from belvedere.errors import EncoderError
from belvedere.stage.encoding.choice import NO_DEVICE, NOT_WANTED, EncoderChoice
from belvedere.stage.encoding.encoder import open_software_encoder
from belvedere.stage.encoding.hardware import HardwareEncoder
from belvedere.stage.encoding.x264 import X264Encoder
from belvedere.stage.options import StageOptions

if TYPE_CHECKING:
    from belvedere.stage.encoding.interface import Encoder
    from belvedere.stage.encoding.rate_control import EncodingTarget
    from belvedere.stage.frames import EncodedFrame
    from belvedere.stage.sources.source import Picture

AUTO = StageOptions(width=320, height=192, fps=30, bitrate_kbps=500)
HARDWARE = msgspec.structs.replace(AUTO, encoder="hardware")
SOFTWARE = msgspec.structs.replace(AUTO, encoder="x264")


class Slow:
    """Software that takes much of the processor, so that the comparison does not depend on this computer."""

    def __init__(self, options: StageOptions) -> None:
        self._encoder = open_software_encoder(options)
        self.picture: Picture = self._encoder.picture

    def retarget(self, target: EncodingTarget) -> None:
        self._encoder.retarget(target)

    def encode(self, at_s: float, *, wants_idr: bool) -> EncodedFrame | None:
        frames = [self._encoder.encode(at_s + number / 1000, wants_idr=wants_idr) for number in range(20)]
        return frames[0]


class Rig:
    """A computer with a hardware encoder."""

    def __init__(self, driver: Driver | None = None, device: str | None = "bcm2835 at /dev/video11") -> None:
        self.driver = driver or Driver(processor_s=0)
        self.device = device
        self.inquiries = 0
        self.connections: list[DirectConnection] = []
        self.refuses = False
        self.choice = EncoderChoice(self._software, self._find, self._connect)

    def _software(self, options: StageOptions) -> Encoder:
        return Slow(options)

    def _find(self) -> str | None:
        self.inquiries += 1
        return self.device

    def _connect(self, width: int, height: int) -> DirectConnection:
        if self.refuses:
            raise EncoderError("no more processes")
        self.connections.append(DirectConnection(width, height, self.driver))
        return self.connections[-1]


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_before_the_trial_and_without_a_device_software_encodes_and_nothing_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig(device=None)
    assert isinstance(rig.choice.open(AUTO), Slow)
    rig.choice.prepare(AUTO)
    assert isinstance(rig.choice.open(AUTO), Slow)
    assert rig.choice.profile_level_id(AUTO) is None
    assert not rig.connections
    assert not caplog.messages


def test_hardware_that_proves_itself_is_used_from_then_on(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.choice.prepare(AUTO)
    assert rig.connections[0].is_closed, "that of the trial"
    encoder = rig.choice.open(AUTO)
    assert isinstance(encoder, HardwareEncoder)
    frame = encoder.encode(1, wants_idr=False)
    assert frame is not None
    assert encoder.sps is not None
    assert rig.choice.profile_level_id(AUTO) == encoder.sps.profile_level_id
    assert "the hardware encoder is used from the next picture on: bcm2835 at /dev/video11" in caplog.text
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_it_is_tried_once_and_a_child_is_ready_before_it_is_needed() -> None:
    rig = Rig()
    rig.choice.prepare(AUTO)
    rig.choice.prepare(AUTO)
    assert (rig.inquiries, len(rig.connections)) == (1, 2)
    rig.choice.open(AUTO)
    assert len(rig.connections) == 2
    rig.choice.open(AUTO)
    assert len(rig.connections) == 3, "nobody had opened a page since"
    rig.choice.prepare(AUTO)
    assert (rig.inquiries, len(rig.connections)) == (1, 4)


@pytest.mark.parametrize(
    ("changes", "is_used"),
    [
        ({"fps": 25}, True),
        ({"fps": 60}, False),
        ({"width": 640}, False),
        ({"height": 96}, False),
        ({"encoder": "x264"}, False),
    ],
)
def test_it_is_used_for_what_it_was_tried_with(changes: dict[str, object], is_used: bool) -> None:  # noqa: FBT001 (the table's)
    rig = Rig()
    rig.choice.prepare(AUTO)
    options = msgspec.structs.replace(AUTO, **changes)
    assert isinstance(rig.choice.open(options), HardwareEncoder) is is_used
    assert (rig.choice.profile_level_id(options) is not None) is is_used


@pytest.mark.parametrize(("options", "level"), [(AUTO, "INFO"), (HARDWARE, "WARNING")])
def test_hardware_that_fails_its_trial_is_not_used_and_the_log_says_why_once(
    options: StageOptions, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(Driver(waits=True))
    rig.choice.prepare(options)
    rig.choice.prepare(options)
    assert isinstance(rig.choice.open(options), Slow)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        (level, "libx264 encodes, not bcm2835 at /dev/video11: it does not give out every picture at once")
    ]


def test_hardware_that_the_settings_name_and_that_is_not_there_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(device=None)
    rig.choice.prepare(HARDWARE)
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", f"libx264 encodes, not hardware: {NO_DEVICE}")
    ]


def test_software_by_the_settings_asks_no_device() -> None:
    rig = Rig()
    rig.choice.prepare(SOFTWARE)
    assert rig.choice.try_hardware(SOFTWARE)[1].problem == NOT_WANTED
    assert isinstance(rig.choice.open(SOFTWARE), Slow)
    assert rig.inquiries == 0


def test_hardware_that_fails_in_use_is_given_up_for_good_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.choice.prepare(AUTO)
    encoder = rig.choice.open(AUTO)
    rig.choice.prepare(AUTO)
    other = rig.choice.open(AUTO)
    rig.choice.prepare(AUTO)
    for each, connection in zip((encoder, other), rig.connections[1:3], strict=True):
        connection.hangs_after = 0
        with pytest.raises(EncoderError):
            each.encode(1, wants_idr=False)
    assert all(connection.is_closed for connection in rig.connections)
    rig.choice.prepare(AUTO)
    assert isinstance(rig.choice.open(AUTO), Slow)
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["the hardware encoder failed, so libx264 encodes from now on: the driver does not answer"]


def test_an_encoder_that_cannot_be_opened_any_more_is_replaced_at_once() -> None:
    rig = Rig()
    rig.choice.prepare(AUTO)
    rig.driver.opening_fails = True
    assert isinstance(rig.choice.open(AUTO), Slow)
    assert rig.choice.profile_level_id(AUTO) is None


def test_a_child_that_cannot_be_started_is_no_reason_to_have_no_picture() -> None:
    rig = Rig()
    rig.choice.prepare(AUTO)
    rig.choice.open(AUTO)
    rig.refuses = True
    assert isinstance(rig.choice.open(AUTO), Slow)
    rig = Rig()
    rig.choice.prepare(AUTO)
    rig.choice.open(AUTO)
    rig.refuses = True
    rig.choice.prepare(AUTO)
    assert rig.choice.profile_level_id(AUTO) is None


def test_the_software_is_x264() -> None:
    assert isinstance(open_software_encoder(AUTO), X264Encoder)
