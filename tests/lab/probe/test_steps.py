import pytest

from belvedere.lab.probe.steps import CHOICES, Answer, Question, QuestionKind


@pytest.mark.parametrize("kind", list(QuestionKind))
def test_whoever_is_asked_anything_may_say_that_it_still_turns_or_quit(kind: QuestionKind) -> None:
    choices = Question(kind, "?").choices
    assert choices[-2:] == (Answer.TURNING, Answer.QUIT)
    assert len(choices) > 2


def test_every_kind_of_question_has_its_choices() -> None:
    assert CHOICES.keys() == set(QuestionKind)
