from __future__ import annotations

from tests.support.pictures import blank_picture


def test_a_blank_picture_is_black_and_has_planes_of_the_right_size() -> None:
    picture = blank_picture(64, 32)
    assert (len(picture.y), len(picture.u), len(picture.v)) == (2048, 512, 512)
    assert set(picture.y) == {16}
    assert set(picture.u) == set(picture.v) == {128}
