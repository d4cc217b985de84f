from belvedere.head.axes import AXES, Axis


def test_a_head_has_a_pan_and_a_tilt_axis_in_that_order() -> None:
    assert AXES == (Axis.PAN, Axis.TILT)


def test_an_axis_formats_as_its_name_in_the_protocol() -> None:
    assert f"{Axis.PAN} {Axis.TILT}" == "pan tilt"
