from belvedere.lab.inference.readings import Encoding, Inference, Kind, Number, Reading, rounded


def test_nothing_is_ever_certain() -> None:
    assert (rounded(1.0), rounded(-1), rounded(0.456)) == (0.99, 0.0, 0.46)


def test_some_numbers_say_the_direction_themselves() -> None:
    assert {one for one in Encoding if Number(one).has_sign} == {Encoding.SIGNED, Encoding.OFFSET, Encoding.MAGNITUDE}


def test_readings_are_found_by_their_kind() -> None:
    reading = Reading(kind=Kind.SPEED, start=0, end=2, confidence=0.5, says="", evidence="")
    inference = Inference(
        device="",
        direction="sent",
        opcode=0x52,
        handle=1,
        uuid=None,
        count=1,
        distinct=1,
        length=1,
        readings=(reading,),
        stop=None,
        asides=(),
        notes=(),
    )
    assert inference.of(Kind.SPEED) == (reading,)
    assert inference.of(Kind.COUNTER) == ()
