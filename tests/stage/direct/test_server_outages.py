from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from belvedere.stage.direct.server_outages import RETRY_S, ServerOutages

if TYPE_CHECKING:
    import pytest

URL, OTHER = "turn:turn.example.org", "turn:other.example.org"


def test_a_server_that_failed_is_left_alone_for_a_while_and_others_are_not() -> None:
    outages = ServerOutages()
    assert outages.may_ask(URL, 5.0)
    outages.receive_failure(URL, "no answer", 5.0)
    assert not outages.may_ask(URL, 5.0 + RETRY_S - 0.1)
    assert outages.may_ask(OTHER, 5.0)
    assert outages.may_ask(URL, 5.0 + RETRY_S)


def test_a_failure_and_the_recovery_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    outages = ServerOutages()
    for now in range(5):
        outages.receive_failure(URL, "no answer", now)
    for _ in range(5):
        outages.receive_success(URL)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert f"{URL} gives no address for the picture: no answer" in caplog.text
    outages.receive_failure(URL, "no answer", 9)
    assert caplog.records[-1].levelname == "WARNING"


def test_a_server_that_never_failed_is_not_said_to_work_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ServerOutages().receive_success(URL)
    assert not caplog.records
