from __future__ import annotations

from tests.support.recording_sink import WANTED, RecordingSink
from tests.support.videos import annex_b

from belvedere.stage.sources.pattern import PatternSource


def test_a_source_is_stopped_once_there_are_enough_pictures() -> None:
    sink, seen = RecordingSink(3), []
    sink.on_picture = lambda: seen.append(sink.levels[-1])
    sink.record(PatternSource())
    assert sink.descriptions == [WANTED]
    assert sink.levels == seen
    assert len(sink.captured) == 3
    assert sink.captured == sorted(sink.captured)


def test_an_encoded_picture_is_recorded_as_what_it_shows() -> None:
    sink = RecordingSink()
    data = annex_b([100])
    sink.push_h264(data, 12.5)
    assert (sink.units, sink.captured) == ([data], [12.5])
    assert abs(sink.levels[0] - 100) <= 3
    assert sink.stopping.is_set()
