from __future__ import annotations

import pytest

from belvedere.stage.direct.srtp_sources import MAX_SOURCES, SrtpSources


def test_few_sources_send_for_as_long_as_they_like_and_many_end_the_connection() -> None:
    sources = SrtpSources()
    for number in range(10 * MAX_SOURCES):
        sources.receive((number % MAX_SOURCES).to_bytes(4))
    with pytest.raises(ConnectionError, match="more than 64 sources"):
        sources.receive(MAX_SOURCES.to_bytes(4))
