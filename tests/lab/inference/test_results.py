from belvedere.lab.inference.results import Encoding, FieldKind, FrameField, Inference, NumberFormat, round_confidence


def test_nothing_is_ever_certain() -> None:
    assert (round_confidence(1.0), round_confidence(-1), round_confidence(0.456)) == (0.99, 0.0, 0.46)


def test_some_numbers_say_the_direction_themselves() -> None:
    assert {one for one in Encoding if NumberFormat(one).has_sign} == {
        Encoding.SIGNED,
        Encoding.OFFSET,
        Encoding.MAGNITUDE,
    }


def test_readings_are_found_by_their_kind() -> None:
    frame_field = FrameField(kind=FieldKind.SPEED, start=0, end=2, confidence=0.5, description="", evidence="")
    inference = Inference(
        device="",
        direction="sent",
        opcode=0x52,
        handle=1,
        uuid=None,
        count=1,
        distinct=1,
        length=1,
        fields=(frame_field,),
        stop=None,
        stop_value=None,
        commands=(),
        other_traffic=(),
        notes=(),
    )
    assert inference.of(FieldKind.SPEED) == (frame_field,)
    assert inference.of(FieldKind.COUNTER) == ()
