from belvedere.lab.inference.counters import find_counters
from belvedere.lab.inference.results import FieldKind


def test_a_byte_that_goes_on_by_one_is_a_counter_also_where_frames_were_lost() -> None:
    sequence = [bytes([2, number % 256, 7]) for number in range(300) if number % 9]
    (found,) = find_counters([sequence], 3)
    assert (found.kind, found.start, found.end) == (FieldKind.COUNTER, 2, 4)
    assert found.confidence > 0.9


def test_half_a_byte_may_count() -> None:
    sequence = [bytes([2, 0x50 | number % 16, 7]) for number in range(100)]
    (found,) = find_counters([sequence], 3)
    assert (found.start, found.end) == (3, 4)


def test_a_speed_that_grows_is_none() -> None:
    sequence = [bytes([2, min(100, number * 3), 7]) for number in range(60)]
    assert find_counters([sequence], 3) == []


def test_a_few_frames_prove_nothing() -> None:
    assert find_counters([[bytes([number]) for number in range(5)]], 1) == []
