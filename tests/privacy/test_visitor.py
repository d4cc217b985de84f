"""One person before the room."""

from tests.privacy.rig import PrivacyRig

from belvedere.privacy.visitor import ASK_AGAIN_S, KNOCK_TIMEOUT_S, VISIT_GRACE_S, Visitor


def test_a_new_one_has_nothing_to_remember() -> None:
    assert Visitor().is_idle
    assert not Visitor().tick(PrivacyRig().at)


def test_a_knock_without_an_answer_becomes_a_no_and_a_no_is_forgotten() -> None:
    rig, visitor = PrivacyRig(), Visitor()
    visitor.receive_knock(rig.at)
    assert visitor.knocked_utc_s == rig.at.utc_s
    rig.passed_s += KNOCK_TIMEOUT_S
    assert visitor.tick(rig.at)
    assert visitor.refused_utc_s == rig.at.utc_s + ASK_AGAIN_S
    rig.passed_s += ASK_AGAIN_S
    assert visitor.tick(rig.at)
    assert visitor.is_idle


def test_a_visit_lasts_while_the_person_is_here_and_a_while_longer() -> None:
    rig, visitor = PrivacyRig(), Visitor()
    visitor.let_in(rig.at, is_here=False)
    visitor.receive_presence(rig.at, is_here=True)
    rig.passed_s += 10 * VISIT_GRACE_S
    assert not visitor.tick(rig.at)
    visitor.receive_presence(rig.at, is_here=False)
    rig.passed_s += VISIT_GRACE_S - 1
    visitor.receive_presence(rig.at, is_here=False)  # said again, it does not begin anew
    assert not visitor.tick(rig.at)
    rig.passed_s += 1
    assert visitor.tick(rig.at)
    assert visitor.is_idle


def test_the_end_of_all_visits_ends_no_refusal() -> None:
    rig = PrivacyRig()
    refused, waiting, inside = Visitor(), Visitor(), Visitor()
    refused.refuse(rig.at)
    waiting.receive_knock(rig.at)
    inside.let_in(rig.at, is_here=True)
    for each in (refused, waiting, inside):
        each.end_visit()
    assert not refused.is_idle
    assert waiting.is_idle
    assert inside.is_idle
