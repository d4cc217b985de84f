from belvedere.lab.probe.findings import Finding, Findings


def test_results_come_in_the_order_in_which_they_were_made() -> None:
    findings = Findings()
    findings.note("pan", "first")
    findings.set("frame.speed", "slowest", 6, "second")
    assert findings.all == [Finding("first", "pan"), Finding("second", "frame.speed", "slowest", 6)]


def test_a_later_value_replaces_an_earlier_one_and_notes_stay() -> None:
    findings = Findings()
    findings.set("pan", "invert", value=False, evidence="at first")
    findings.note("pan", "a note")
    findings.note("pan", "another")
    findings.set("pan", "invert", value=True, evidence="looked again")
    findings.set("tilt", "invert", value=False, evidence="the other one")
    assert [one.evidence for one in findings.all] == ["a note", "another", "looked again", "the other one"]
