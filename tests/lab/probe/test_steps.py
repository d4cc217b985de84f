import pytest

from belvedere.lab.probe.steps import CHOICES, Answer, Kind, Question


@pytest.mark.parametrize("kind", list(Kind))
def test_whoever_is_asked_anything_may_say_that_it_still_turns_or_quit(kind: Kind) -> None:
    choices = Question(kind, "?").choices
    assert choices[-2:] == (Answer.TURNING, Answer.QUIT)
    assert len(choices) > 2


def test_every_kind_of_question_has_its_choices() -> None:
    assert CHOICES.keys() == set(Kind)
