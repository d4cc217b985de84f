from io import StringIO
from random import Random

from rich.console import Console
from tests.lab.app_stream import AppUse, app_stream

from belvedere.head.frames import pack
from belvedere.head.profile import shipped_profile
from belvedere.lab.inference.infer import infer
from belvedere.lab.inference_view import render

PONS = shipped_profile("zeapon-pons-pt").frame


def printed(use: AppUse) -> str:
    stream = app_stream(lambda velocity: pack(PONS, velocity), Random(1), use)
    console = Console(file=StringIO(), width=120)
    console.print(render(infer([stream])))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_each_part_is_reported_with_its_confidence_and_evidence() -> None:
    text = printed(AppUse())
    assert "Commands to handle 0x0017" in text
    assert "decimal digits" in text
    assert "99 %" in text
    assert "stop: 020000000000000000000000" in text


def test_why_there_is_no_stop_is_said_once() -> None:
    text = " ".join(printed(AppUse(presses=2)).split())
    assert text.count("no stop found") == 1
    assert "no profile can be drafted: no stop found" in text


def test_what_may_be_otherwise_is_reported_with_what_to_do_about_it() -> None:
    text = printed(AppUse(speeds=(0.1, 0.436, 0.999), is_one_way=True))
    assert "or a binary number" in text
    assert "drive both ways in the app" in text
