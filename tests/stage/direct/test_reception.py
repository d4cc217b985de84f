from __future__ import annotations

from belvedere.stage.direct.reception import Reception


def receive(reception: Reception, *sequences: int) -> None:
    for each in sequences:
        reception.receive(each % 65_536)


def test_all_that_came_is_no_loss() -> None:
    reception = Reception()
    receive(reception, *range(100, 200))
    assert reception.report() == (0, 0, 199)


def test_loss_is_told_for_the_interval_and_in_total() -> None:
    reception = Reception()
    receive(reception, *(number for number in range(100) if number % 4))
    receive(reception, 100)
    assert reception.report() == (256 * 24 // 100, 24, 100)
    receive(reception, *range(101, 201))
    assert reception.report() == (0, 24, 200)


def test_sequence_numbers_wrap_and_come_out_of_order_or_twice() -> None:
    reception = Reception()
    receive(reception, 65_534, 65_535, 1, 0, 2, 2)
    assert reception.report() == (0, 0, 65_538)


def test_a_jump_begins_anew() -> None:
    reception = Reception()
    receive(reception, *range(10))
    receive(reception, *range(30_000, 30_010))
    assert reception.report() == (0, 0, 30_009)
