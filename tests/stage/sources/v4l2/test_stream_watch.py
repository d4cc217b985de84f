from __future__ import annotations

from belvedere.stage.sources.v4l2.stream_watch import FrameDecimator, StreamWatch


def deliver(watch: StreamWatch, rate: float, from_s: float, to_s: float) -> list[float]:
    """Pictures at a rate; returns the rates that were told."""
    count = round((to_s - from_s) * rate)
    told = [watch.receive_pictures(1, from_s + (n + 1) / rate) for n in range(count)]
    return [round(each) for each in told if each is not None]


def test_a_camera_has_longer_for_its_first_picture_than_for_the_next() -> None:
    watch = StreamWatch(100.0, 30.0)
    assert not watch.is_silent(104.9)
    assert watch.is_silent(105.1)
    watch.receive_pictures(1, 104.0)
    assert not watch.is_silent(105.9)
    assert watch.is_silent(106.1)


def test_a_rate_that_collapses_is_told_once_and_again_when_it_is_back() -> None:
    watch = StreamWatch(100.0, 30.0)
    assert deliver(watch, 30, 102, 112) == []
    (collapsed,) = deliver(watch, 5, 112, 130)
    assert 5 <= collapsed < 15
    assert watch.is_slow
    (recovered,) = deliver(watch, 30, 130, 140)
    assert 15 < recovered <= 30
    assert not watch.is_slow


def test_a_rate_of_more_than_half_is_no_collapse() -> None:
    assert deliver(StreamWatch(100.0, 30.0), 16, 100, 120) == []


def test_pictures_that_nobody_took_count_too() -> None:
    watch = StreamWatch(100.0, 30.0)
    assert [watch.receive_pictures(6, 100 + n / 5) for n in range(50)] == [None] * 50


def test_of_an_unknown_rate_nothing_is_told() -> None:
    assert deliver(StreamWatch(100.0, 0.0), 1, 100, 120) == []


def test_pictures_that_do_not_change_for_more_than_a_second_are_told_once() -> None:
    watch = StreamWatch(100.0, 30.0)
    assert [watch.receive_sample(7, 100 + n / 4) for n in range(1, 9)] == [False] * 5 + [True] + [False] * 2
    assert not watch.receive_sample(8, 103.0)
    assert not watch.is_unchanged
    assert [watch.receive_sample(8, 103 + n / 4) for n in range(1, 6)] == [False] * 4 + [True]


def test_four_pictures_a_second_are_compared() -> None:
    watch = StreamWatch(100.0, 30.0)
    assert not watch.wants_sample(100.2)
    assert watch.wants_sample(100.25)
    watch.receive_sample(1, 100.25)
    assert not watch.wants_sample(100.4)


def taken(camera: float, wanted: float, jitter_s: float = 0.0) -> int:
    """How many of the pictures of ten seconds are used."""
    decimator = FrameDecimator(wanted, camera)
    return sum(decimator.takes(100 + n / camera + (jitter_s if n % 2 else 0)) for n in range(round(camera * 10)))


def test_of_more_pictures_than_wanted_every_second_or_third_is_left_out() -> None:
    assert taken(60, 30) == 300
    assert 298 <= taken(50, 30) <= 302
    assert taken(90, 30) == 300


def test_a_camera_of_the_wanted_rate_loses_no_picture_however_it_jitters() -> None:
    assert taken(30, 30, 0.015) == 300
    assert taken(30.3, 30) == 303
    assert taken(25, 30) == 250


def test_after_a_pause_the_next_picture_is_used_and_the_rhythm_goes_on() -> None:
    decimator = FrameDecimator(30, 60)
    assert decimator.takes(100)
    assert decimator.takes(200)
    assert not decimator.takes(200 + 1 / 60)
    assert decimator.takes(200 + 2 / 60)
