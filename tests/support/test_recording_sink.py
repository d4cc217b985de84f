from __future__ import annotations

import pytest
from tests.support.recording_sink import WANTED, RecordingSink

from belvedere.stage.sources.pattern import PatternSource


def test_a_source_is_stopped_once_there_are_enough_pictures() -> None:
    sink, seen = RecordingSink(3), []
    sink.on_picture = lambda: seen.append(sink.levels[-1])
    sink.record(PatternSource())
    assert sink.descriptions == [WANTED]
    assert sink.levels == seen
    assert len(sink.captured) == 3
    assert sink.captured == sorted(sink.captured)


def test_it_takes_no_encoded_pictures() -> None:
    with pytest.raises(NotImplementedError):
        RecordingSink().push_h264(b"", 0.0, is_idr=True)
