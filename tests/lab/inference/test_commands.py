from belvedere.lab.inference.commands import separate_commands
from belvedere.lab.streams import Sample, ValueStream


def stream(*samples: tuple[float, bytes]) -> ValueStream:
    numbered = tuple(Sample(at, time_s, value) for at, (time_s, value) in enumerate(sorted(samples), 1))
    return ValueStream("A", "sent", 0x52, 0x17, None, numbered)


def drive(begins_s: float, count: int = 20) -> list[tuple[float, bytes]]:
    return [(begins_s + 0.05 * at, bytes([2, 1, at % 7])) for at in range(count)]


def test_a_heartbeat_is_told_from_commands() -> None:
    beats = [(0.013 + at, b"\x7e\x00\x01") for at in range(30)]
    commands = separate_commands([stream(*drive(3.02, 100), *drive(20.02, 100), *beats)])
    assert [(one.description, one.count) for one in commands.other_traffic] == [("heartbeat every 1 s", 30)]
    assert b"\x7e\x00\x01" not in commands.values


def test_values_of_other_lengths_are_set_aside() -> None:
    commands = separate_commands([stream(*drive(0), (5.0, b"\x01"), (6.0, b"\x01\x02"))])
    assert [one.description for one in commands.other_traffic] == ["1 bytes long", "2 bytes long"]
    assert len(commands.values) == 20


def test_rare_values_of_another_shape_are_set_aside_but_not_what_ends_bursts() -> None:
    stops = [(begins + 1.05, b"\x02\x00\x00") for begins in (0, 5, 10)]
    odd = [(3.0, b"\x99\x88\x77"), (3.05, b"\x02\x01\x01")]
    commands = separate_commands([stream(*drive(0), *drive(5), *drive(10), *drive(15, 60), *stops, *odd)])
    assert b"\x02\x00\x00" in commands.values
    assert b"\x99\x88\x77" not in commands.values


def test_silence_is_longer_than_the_usual_gap() -> None:
    assert 0.2 <= separate_commands([stream(*drive(0))]).silence_s <= 0.6
