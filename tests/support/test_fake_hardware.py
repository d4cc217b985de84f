from __future__ import annotations

import pytest
from tests.support.fake_hardware import DirectConnection, Driver, hardware

from belvedere.errors import EncoderError
from belvedere.stage.encoding.hardware import EncodeRequest
from belvedere.stage.options import StageOptions

SMALL = StageOptions(width=160, height=96)


def test_a_driver_without_faults_gives_out_each_picture_at_once() -> None:
    encoder, _ = hardware(SMALL, Driver())
    assert all(encoder.encode(number, wants_idr=False) is not None for number in range(3))


def test_a_driver_that_waits_is_one_picture_late() -> None:
    encoder, _ = hardware(SMALL, Driver(waits=True))
    assert [encoder.encode(number, wants_idr=False) is None for number in range(3)] == [True, False, False]


def test_a_connection_that_hangs_answers_no_more() -> None:
    connection = DirectConnection(160, 96, Driver(), hangs_after=1)
    assert connection.request(EncodeRequest(1, wants_idr=False), 1).problem
    with pytest.raises(EncoderError):
        connection.request(EncodeRequest(2, wants_idr=False), 1)
